// Rewriting single chunks gives what packing everything anew would give.
#include "upsert/table_fixture.h"

#include <map>
#include <random>

namespace sluice::upsert {
namespace {

class Fingerprints : public TargetTable {
 protected:
  void SetUp() override {
    test::must(prepare_state(*connection_));
    schema_ = std::make_shared<Schema>(schema_of("id int64, v int64", {"id"}));
  }
  struct Entry {
    std::int64_t value;
    bool soft_deleted = false;
  };
  std::vector<std::string> expected() const {
    std::vector<std::string> lines;
    for (const auto& [id, entry] : model_) {
      const RowBatch row = batch_of(schema_, {{std::to_string(id), std::to_string(entry.value)}});
      lines.push_back(
          fmt::format("{} {:x} {}", key_of(row, 0), fingerprint_of(row, 0).lo, entry.soft_deleted ? 1 : 0));
    }
    return lines;
  }
  // Random changes against the model; applies them to both.
  ChangeSet change(std::mt19937_64& random, int count, int ids, bool soft) {
    ChangeSet changes(schema_, 64 << 20, std::filesystem::temp_directory_path());
    std::map<std::int64_t, bool> touched;
    for (int i = 0; i < count; ++i) {
      const auto id = static_cast<std::int64_t>(random() % static_cast<unsigned>(ids));
      if (!touched.emplace(id, true).second) continue;
      const auto value = static_cast<std::int64_t>(random() % 1000);
      const RowBatch row = batch_of(schema_, {{std::to_string(id), std::to_string(value)}});
      const auto known = model_.find(id);
      if (known == model_.end()) {
        must_add(changes, ChangeOp::insert, row);
        model_[id] = {value};
      } else if (known->second.soft_deleted) {
        must_add(changes, ChangeOp::restore, row);
        known->second = {value};
      } else if (random() % 2 == 0) {
        must_add(changes, ChangeOp::update, row);
        known->second = {value};
      } else {
        changes.add_removal(key_of(row, 0));
        if (soft) {
          known->second.soft_deleted = true;
        } else {
          model_.erase(known);
        }
      }
    }
    return changes;
  }
  std::map<std::int64_t, Entry> model_;
};

TEST_P(Fingerprints, merging_random_changes_equals_packing_anew) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    std::mt19937_64 random(seed);
    model_.clear();
    FingerprintWriter writer(*connection_, table_);
    ASSERT_OK(writer.clear());
    const bool soft = seed % 2 == 0;
    const int ids = seed < 3 ? 24'000 : 300;
    for (int round = 0; round < 5; ++round) {
      const int count = round == 0 ? ids : static_cast<int>(random() % (round % 2 == 0 ? 40 : 20'000));
      const ChangeSet changes = change(random, count, ids, soft);
      ASSERT_OK(writer.merge(changes, soft));
      ASSERT_EQ(stored_entries(), expected()) << "seed " << seed << " round " << round;
    }
    const auto stored = test::must(StoredFingerprints::open(*connection_, table_));
    for (const auto& chunk : stored->directory()) EXPECT_LE(chunk.entries, 2 * kChunkEntries);
  }
}

TEST_P(Fingerprints, only_chunks_with_a_change_are_written) {
  std::mt19937_64 random(3);
  FingerprintWriter writer(*connection_, table_);
  ASSERT_OK(writer.merge(change(random, 60'000, 30'000, false), false));
  execute(
      "create table touched (first_key blob); create trigger note after update on _sluice_fingerprint begin "
      "insert into touched values (new.first_key); end");
  const RowBatch row = batch_of(schema_, {{std::to_string(model_.begin()->first), "5"}});
  ChangeSet one(schema_, 1 << 20, std::filesystem::temp_directory_path());
  must_add(one, ChangeOp::update, row);
  ASSERT_OK(writer.merge(one, false));
  EXPECT_THAT(select("select count(*) from touched"), testing::ElementsAre("1"));
  EXPECT_GT(test::must(StoredFingerprints::open(*connection_, table_))->directory().size(), 2u);
}

TEST_P(Fingerprints, removing_everything_leaves_no_chunk) {
  std::mt19937_64 random(5);
  FingerprintWriter writer(*connection_, table_);
  ASSERT_OK(writer.merge(change(random, 9'000, 12'000, false), false));
  ChangeSet all(schema_, 1 << 20, std::filesystem::temp_directory_path());
  for (const auto& [id, entry] : model_)
    all.add_removal(key_of(batch_of(schema_, {{std::to_string(id), {}}}), 0));
  ASSERT_OK(writer.merge(all, false));
  EXPECT_THAT(select("select count(*) from _sluice_fingerprint"), testing::ElementsAre("0"));
}

TEST_P(Fingerprints, changes_that_do_not_fit_are_a_conflict) {
  FingerprintWriter writer(*connection_, table_);
  const RowBatch row = batch_of(schema_, {{"1", "1"}});
  const auto merge = [&](ChangeOp op) {
    ChangeSet changes(schema_, 1 << 20, std::filesystem::temp_directory_path());
    if (op == ChangeOp::remove) {
      changes.add_removal(key_of(row, 0));
    } else {
      must_add(changes, op, row);
    }
    return writer.merge(changes, false);
  };
  EXPECT_EQ(merge(ChangeOp::update).error().code, ErrorCode::conflict);
  EXPECT_EQ(merge(ChangeOp::remove).error().code, ErrorCode::conflict);
  ASSERT_OK(merge(ChangeOp::insert));
  EXPECT_EQ(merge(ChangeOp::insert).error().code, ErrorCode::conflict);
}

TEST_P(Fingerprints, a_chunk_that_went_away_is_a_conflict) {
  std::mt19937_64 random(9);
  FingerprintWriter writer(*connection_, table_);
  ASSERT_OK(writer.merge(change(random, 100, 100, false), false));
  const auto stored = test::must(StoredFingerprints::open(*connection_, table_));
  ASSERT_OK(writer.clear());
  EXPECT_EQ(stored->load(0).error().code, ErrorCode::conflict);
}

INSTANTIATE_TEST_SUITE_P(Databases, Fingerprints, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::upsert
