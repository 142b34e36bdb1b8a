#include "diff/differ.h"

#include "sample_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>

namespace sluice::diff {
namespace {

using testing::batch_of;
using testing::id_of;
using testing::IdName;
using testing::MemoryTarget;
using testing::TargetRow;
using Table = std::map<std::int64_t, TargetRow>;

ChangeSet new_change_set(std::size_t memory_limit = 1 << 20) {
  return ChangeSet(testing::id_name_schema(), memory_limit, std::filesystem::temp_directory_path());
}

struct Outcome {
  DiffSummary summary;
  std::map<std::int64_t, std::pair<ChangeOp, std::string>> changes;
};

// Reads the live changes back; each key must have one change only.
std::map<std::int64_t, std::pair<ChangeOp, std::string>> changes_of(ChangeSet& set) {
  std::map<std::int64_t, std::pair<ChangeOp, std::string>> result;
  const auto walked = set.for_each([&](const Change& change) -> Result<void> {
    std::string name;
    if (change.rows != nullptr) {
      EXPECT_EQ(change.rows->columns()[0].fixed[change.row], id_of(change.key));
      name = change.rows->columns()[1].bytes[change.row];
    }
    EXPECT_TRUE(result.emplace(id_of(change.key), std::pair(change.op, name)).second);
    return {};
  });
  EXPECT_TRUE(walked);
  return result;
}

Outcome diff(FingerprintReader* target, DiffOptions options, const std::vector<std::vector<IdName>>& batches,
             const std::vector<std::int64_t>& rejected_ids = {}, bool complete = true,
             std::size_t change_memory = 1 << 20) {
  auto changes = new_change_set(change_memory);
  Differ differ(target, options, changes);
  RowHasher hasher(testing::id_name_schema());
  HashedRows hashed;
  const auto reject = [&](std::size_t from, std::size_t to) {
    std::vector<IdName> keys;
    for (std::size_t i = from; i < to; ++i) keys.emplace_back(rejected_ids[i], "");
    const auto batch = batch_of(keys);
    hasher.hash_keys(batch, hashed);
    EXPECT_TRUE(differ.add_rejected_keys(hashed, {}));
  };
  reject(0, rejected_ids.size() / 2);
  for (const auto& rows : batches) {
    const auto batch = batch_of(rows);
    hasher.hash(batch, hashed);
    const auto added = differ.add(batch, hashed, {});
    EXPECT_TRUE(added) << added.error().describe();
  }
  reject(rejected_ids.size() / 2, rejected_ids.size());
  std::vector<std::int64_t> vanished;
  auto summary = differ.finish(complete, {}, [&](std::string_view key) -> Result<void> {
    vanished.push_back(id_of(key));
    return {};
  });
  EXPECT_TRUE(summary) << summary.error().describe();
  EXPECT_TRUE(std::is_sorted(vanished.begin(), vanished.end()));
  EXPECT_EQ(summary->vanished.value_or(0), static_cast<std::int64_t>(vanished.size()));
  return {*summary, changes_of(changes)};
}

// What the diff must find, said in the plainest way.
Outcome reference(const Table& old, DiffOptions options, const std::vector<std::vector<IdName>>& batches,
                  const std::vector<std::int64_t>& rejected_ids, bool complete) {
  Outcome expected;
  auto& counts = expected.summary.counts;
  std::map<std::int64_t, std::string> last;
  for (const auto& rows : batches) {
    for (const auto& [id, name] : rows) {
      if (!last.insert_or_assign(id, name).second) ++counts.duplicates;
    }
  }
  for (const auto& [id, name] : last) {
    const auto found = old.find(id);
    if (found == old.end()) {
      ++counts.inserted;
      expected.changes[id] = {ChangeOp::insert, name};
    } else if (options.mode == LoadMode::append) {
      ++counts.ignored;
    } else if (found->second.soft_deleted) {
      ++counts.restored;
      expected.changes[id] = {ChangeOp::restore, name};
    } else if (found->second.name != name) {
      ++counts.updated;
      expected.changes[id] = {ChangeOp::update, name};
    } else {
      ++counts.unchanged;
    }
  }
  const std::set<std::int64_t> spared(rejected_ids.begin(), rejected_ids.end());
  const bool judged = complete && (options.mode == LoadMode::sync || options.mode == LoadMode::replace);
  std::int64_t vanished = 0;
  std::int64_t live = 0;
  for (const auto& [id, row] : old) {
    if (!row.soft_deleted) ++live;
    if (!judged || last.contains(id) || spared.contains(id)) continue;
    if (!row.soft_deleted) ++vanished;
    if (options.collect_vanished && (!row.soft_deleted || options.mode == LoadMode::replace))
      expected.changes[id] = {ChangeOp::remove, ""};
  }
  if (judged) {
    expected.summary.vanished = vanished;
    expected.summary.rows_before = live;
  }
  return expected;
}

TEST(Differ, agrees_with_a_naive_reference_on_random_data) {
  std::mt19937 random(20260105);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  constexpr LoadMode kModes[] = {LoadMode::sync, LoadMode::upsert, LoadMode::append, LoadMode::replace};
  for (int round = 0; round < 600; ++round) {
    const int ids = 1 + below(round % 10 == 0 ? 2000 : 60);
    Table old;
    for (int id = 0; id < ids; ++id) {
      if (below(3) != 0) old[id - ids / 2] = {"n" + std::to_string(below(3)), below(8) == 0};
    }
    std::vector<IdName> rows;
    std::vector<std::int64_t> rejected;
    const bool much_changed = below(2) == 0;
    for (int id = 0; id < ids; ++id) {
      const auto number = id - ids / 2;
      const auto kept = old.find(number);
      const bool same = kept != old.end() && !much_changed;
      if (below(5) == 0) {
        if (below(2) == 0) rejected.push_back(number);
        if (below(3) != 0) continue;
      }
      for (int copies = below(6) == 0 ? 1 + below(3) : 1; copies > 0; --copies)
        rows.emplace_back(number, same && below(4) != 0 ? kept->second.name : "n" + std::to_string(below(3)));
    }
    const int order = below(3);  // as is, shuffled, or nearly in order
    if (order == 1) std::shuffle(rows.begin(), rows.end(), random);
    if (order == 2) {
      for (int i = 0; i < 3 && rows.size() > 1; ++i)
        std::swap(rows[random() % rows.size()], rows[random() % rows.size()]);
    }
    std::vector<std::vector<IdName>> batches(1);
    for (const auto& row : rows) {
      if (below(20) == 0) batches.emplace_back();
      batches.back().push_back(row);
    }
    DiffOptions options;
    options.mode = kModes[round % 4];
    options.memory_limit = below(2) == 0 ? 1 : 600;
    options.collect_vanished = below(2) == 0;
    const bool complete = below(4) != 0;
    MemoryTarget target(old, 1 + random() % 9);
    const auto found = diff(&target, options, batches, rejected, complete, below(2) == 0 ? 1 : 1 << 20);
    const auto expected = reference(old, options, batches, rejected, complete);
    ASSERT_EQ(found.summary.counts, expected.summary.counts) << "round " << round;
    ASSERT_EQ(found.changes, expected.changes) << "round " << round;
    ASSERT_EQ(found.summary.vanished, expected.summary.vanished) << "round " << round;
    if (expected.summary.rows_before) {
      ASSERT_EQ(found.summary.rows_before, expected.summary.rows_before) << "round " << round;
    }
  }
}

TEST(Differ, a_record_changed_first_and_equal_last_is_unchanged) {
  MemoryTarget target({{1, {"a"}}, {2, {"b"}}}, 10);
  const auto found = diff(&target, {}, {{{1, "x"}, {2, "b"}, {1, "a"}}});
  EXPECT_EQ(found.summary.counts, (DiffCounts{.unchanged = 2, .duplicates = 1}));
  EXPECT_TRUE(found.changes.empty());
}

TEST(Differ, a_soft_deleted_key_that_reappears_is_restored_even_when_equal) {
  MemoryTarget target({{1, {"a", true}}}, 10);
  const auto found = diff(&target, {}, {{{1, "a"}}});
  EXPECT_EQ(found.summary.counts.restored, 1);
  EXPECT_EQ(found.changes.at(1).first, ChangeOp::restore);
  EXPECT_EQ(found.summary.rows_before, 0);
}

TEST(Differ, without_a_target_every_key_is_an_insert) {
  const auto found = diff(nullptr, {}, {{{3, "c"}, {1, "a"}, {3, "d"}}});
  EXPECT_EQ(found.summary.counts, (DiffCounts{.inserted = 2, .duplicates = 1}));
  EXPECT_EQ(found.changes.at(3).second, "d");
  EXPECT_EQ(found.summary.vanished, 0);
  EXPECT_EQ(found.summary.rows_before, 0);
}

TEST(Differ, upsert_reads_only_the_chunks_it_needs) {
  Table old;
  for (int id = 0; id < 1000; ++id) old[id] = {"n"};
  MemoryTarget target(old, 10);
  DiffOptions options;
  options.mode = LoadMode::upsert;
  const auto found = diff(&target, options, {{{5, "n"}, {505, "m"}}});
  EXPECT_EQ(target.loads, 2);
  EXPECT_FALSE(found.summary.vanished);
  EXPECT_FALSE(found.summary.rows_before);
}

TEST(Differ, a_source_in_key_order_reads_each_chunk_once) {
  Table old;
  std::vector<IdName> rows;
  for (int id = 0; id < 1000; ++id) {
    old[id] = {"n"};
    rows.emplace_back(id, "n");
  }
  MemoryTarget target(old, 10);
  const auto found = diff(&target, {LoadMode::sync, 1, false}, {rows});
  EXPECT_EQ(found.summary.counts.unchanged, 1000);
  EXPECT_EQ(target.loads, 100);
}

TEST(Differ, rows_without_a_key_are_rejected_and_decided_for_no_one) {
  RowBatch batch(testing::id_name_schema());
  batch.ordinals = {7};
  batch.columns()[0].push_null();
  batch.columns()[1].push_bytes("x");
  RowHasher hasher(testing::id_name_schema());
  HashedRows hashed;
  hasher.hash(batch, hashed);
  ASSERT_EQ(hashed.rejected, std::vector<std::size_t>{0});
  auto changes = new_change_set();
  Differ differ(nullptr, {}, changes);
  ASSERT_TRUE(differ.add(batch, hashed, {}));
  EXPECT_EQ(differ.counts(), (DiffCounts{.rejected = 1}));
  EXPECT_TRUE(changes.empty());
}

TEST(Differ, stops_when_asked) {
  auto changes = new_change_set();
  Differ differ(nullptr, {}, changes);
  RowHasher hasher(testing::id_name_schema());
  HashedRows hashed;
  const auto batch = batch_of({{1, "a"}});
  hasher.hash(batch, hashed);
  std::stop_source stop;
  stop.request_stop();
  const auto added = differ.add(batch, hashed, stop.get_token());
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::cancelled);
}

Error error_of_diff(MemoryTarget& target) {
  auto changes = new_change_set();
  Differ differ(&target, {}, changes);
  RowHasher hasher(testing::id_name_schema());
  HashedRows hashed;
  const auto batch = batch_of({{1, "a"}, {2, "b"}, {3, "c"}});
  hasher.hash(batch, hashed);
  const auto added = differ.add(batch, hashed, {});
  if (!added) return added.error();
  const auto finished = differ.finish(true, {});
  return finished ? Error{} : finished.error();
}

TEST(Differ, refuses_chunks_that_contradict_their_directory) {
  const Table old = {{1, {"a"}}, {2, {"b"}}, {3, {"c"}}};
  MemoryTarget short_chunk(old, 2);
  short_chunk.chunks_directory[0].entries = 1;
  EXPECT_EQ(error_of_diff(short_chunk).code, ErrorCode::malformed);

  MemoryTarget swapped(old, 2);
  std::swap(swapped.chunks[0], swapped.chunks[1]);
  EXPECT_EQ(error_of_diff(swapped).code, ErrorCode::malformed);

  MemoryTarget cut(old, 2);
  cut.chunks[1].pop_back();
  const auto error = error_of_diff(cut);
  EXPECT_EQ(error.code, ErrorCode::malformed);
  EXPECT_EQ(error.where, "chunk 2 of 2");
}

}  // namespace
}  // namespace sluice::diff
