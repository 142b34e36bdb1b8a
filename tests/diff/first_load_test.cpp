#include "diff/first_load.h"

#include "diff/target_rows.h"
#include "sample_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

namespace sluice::diff {
namespace {

using testing::batch_of;
using testing::IdName;

// The chunks of a log, read back: id -> (fingerprint, flags), and the keys checked for order.
std::map<std::int64_t, std::pair<Fingerprint, int>> unpack(const FingerprintLog& log, std::size_t entries) {
  std::map<std::int64_t, std::pair<Fingerprint, int>> result;
  std::string last;
  const auto packed = log.pack(
      [&](FingerprintLog::PackedChunk&& packed_chunk) -> Result<void> {
        const auto chunk = FingerprintChunk::parse(packed_chunk.bytes);
        EXPECT_TRUE(chunk);
        EXPECT_EQ(chunk->size(), packed_chunk.entries);
        EXPECT_LE(chunk->size(), entries);
        EXPECT_EQ(chunk->key(0), packed_chunk.first_key);
        for (std::size_t i = 0; i < chunk->size(); ++i) {
          EXPECT_LT(last, chunk->key(i));
          last = chunk->key(i);
          result[testing::id_of(chunk->key(i))] = {chunk->fingerprint(i), chunk->flags(i)};
        }
        return {};
      },
      entries);
  EXPECT_TRUE(packed);
  return result;
}

TEST(FirstLoad, writes_what_a_naive_table_holds_after_random_rows) {
  std::mt19937 random(3);
  RowHasher hasher(testing::id_name_schema());
  HashedRows hashed;
  FirstLoadRows todo;
  for (int round = 0; round < 200; ++round) {
    FirstLoad load;
    std::map<std::int64_t, std::string> expected;
    std::map<std::int64_t, std::string> table;
    std::map<std::int64_t, Fingerprint> fingerprints;
    std::int64_t next = -50;
    std::int64_t read = 0;
    const bool ordered = round % 3 == 0;
    for (int b = 0; b < 5; ++b) {
      std::vector<IdName> rows;
      for (auto count = random() % 40; count > 0; --count) {
        next += ordered ? random() % 3 : 0;
        const auto id = ordered ? next : static_cast<std::int64_t>(random() % 100) - 50;
        rows.emplace_back(id, "v" + std::to_string(random() % 5));
        expected[id] = rows.back().second;
        ++read;
      }
      const auto batch = batch_of(rows);
      hasher.hash(batch, hashed);
      load.add(hashed, todo);
      ASSERT_TRUE(std::is_sorted(todo.inserts.begin(), todo.inserts.end()));
      ASSERT_TRUE(std::is_sorted(todo.overwrites.begin(), todo.overwrites.end()));
      for (const auto row : todo.inserts)
        ASSERT_TRUE(table.emplace(rows[row].first, rows[row].second).second);
      for (const auto row : todo.overwrites) table.at(rows[row].first) = rows[row].second;
      for (std::size_t row = 0; row < rows.size(); ++row)
        fingerprints[rows[row].first] = hashed.fingerprints[row];
    }
    ASSERT_EQ(table, expected);
    ASSERT_EQ(load.counts().inserted, static_cast<std::int64_t>(expected.size()));
    ASSERT_EQ(load.counts().duplicates, read - load.counts().inserted);
    const auto stored = unpack(load.fingerprints(), 7);
    ASSERT_EQ(stored.size(), fingerprints.size());
    for (const auto& [id, entry] : stored) ASSERT_EQ(entry.first, fingerprints.at(id));
  }
}

TEST(FirstLoad, leaves_rows_without_a_key_out) {
  RowBatch batch(testing::id_name_schema());
  batch.ordinals = {0, 1, 2};
  batch.columns()[0].push_fixed(2);
  batch.columns()[0].push_null();
  batch.columns()[0].push_fixed(1);
  for (int i = 0; i < 3; ++i) batch.columns()[1].push_bytes("x");
  RowHasher hasher(batch.schema_ptr());
  HashedRows hashed;
  hasher.hash(batch, hashed);
  FirstLoad load;
  FirstLoadRows todo;
  load.add(hashed, todo);
  EXPECT_EQ(todo.inserts, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(load.counts(), (DiffCounts{.inserted = 2, .rejected = 1}));
}

TEST(FingerprintLog, an_integer_key_costs_less_than_45_bytes_in_any_order) {
  constexpr std::uint64_t kEntries = 300'000;
  for (const bool shuffled : {false, true}) {
    FingerprintLog log;
    std::string key(9, '\x20');
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      const std::uint64_t value = __builtin_bswap64(shuffled ? i * 0x9e3779b97f4a7c15u : i);
      std::memcpy(key.data() + 1, &value, 8);
      log.add(key, {i, i});
    }
    EXPECT_EQ(log.size(), kEntries);
    EXPECT_LT(log.memory(), kEntries * (shuffled ? 45 : 30));
  }
}

TEST(FingerprintLog, keys_of_any_length_flags_and_blocks_come_back) {
  FingerprintLog log;
  std::map<std::string, std::pair<Fingerprint, int>> expected;
  std::mt19937_64 random(11);
  for (int i = 0; i < 70'000; ++i) {
    // The first block begins with keys of one length.
    std::string key = "\x50" + std::to_string(i < 100 ? 100'000 + random() % 900'000 : random() % 60'000);
    const Fingerprint value{random(), random()};
    const auto flags = static_cast<std::uint8_t>(random() % 9 == 0 ? kSoftDeleted : 0);
    const bool duplicate = !expected.insert_or_assign(key, std::pair(value, int(flags))).second;
    ASSERT_EQ(log.add(key, value, flags).duplicate, duplicate);
  }
  ASSERT_EQ(log.size(), expected.size());
  auto next = expected.begin();
  ASSERT_TRUE(log.pack([&](FingerprintLog::PackedChunk&& packed) -> Result<void> {
    const auto chunk = FingerprintChunk::parse(packed.bytes);
    for (std::size_t i = 0; i < chunk->size(); ++i, ++next) {
      EXPECT_EQ(chunk->key(i), next->first);
      EXPECT_EQ(chunk->fingerprint(i), next->second.first);
      EXPECT_EQ(chunk->flags(i), next->second.second);
    }
    return {};
  }));
  EXPECT_EQ(next, expected.end());
}

class ListReader final : public RowReader {
 public:
  explicit ListReader(std::vector<std::vector<IdName>> batches) : batches_(std::move(batches)) {}
  Result<bool> next(RowBatch& batch, std::stop_token) override {
    if (at_ == batches_.size()) return false;
    batch = batch_of(batches_[at_++]);
    return true;
  }

 private:
  std::vector<std::vector<IdName>> batches_;
  std::size_t at_ = 0;
};

TEST(FingerprintsOfRows, equal_what_a_load_of_the_same_rows_stores) {
  ListReader reader({{{5, "e"}, {1, "a"}}, {}, {{3, "gone"}, {2, "b"}, {2, "b"}}});
  RowHasher hasher(testing::id_name_schema());
  const auto found = fingerprints_of_rows(
      reader, hasher,
      [](const RowBatch& batch, std::size_t row) { return batch.columns()[1].bytes[row] == "gone"; }, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rows, 5);
  EXPECT_EQ(found->duplicate_keys, 1);
  testing::MemoryTarget loaded({{1, {"a"}}, {2, {"b"}}, {3, {"gone", true}}, {5, {"e"}}}, kChunkEntries);
  ASSERT_EQ(found->reader->directory().size(), 1u);
  EXPECT_EQ(found->reader->load(0).value(), loaded.load(0).value());
}

}  // namespace
}  // namespace sluice::diff
