#include "model/change_set.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace sluice {
namespace {

SchemaPtr schema() {
  static const auto shared = [] {
    Schema made;
    for (const auto& [name, type] :
         {std::pair("id", ValueType::int64), std::pair("name", ValueType::text),
          std::pair("rate", ValueType::real), std::pair("note", ValueType::json)}) {
      Column column;
      column.id = static_cast<int>(made.columns.size()) + 1;
      column.name = name;
      column.type = type;
      made.columns.push_back(column);
    }
    made.key = {0};
    return std::make_shared<const Schema>(made);
  }();
  return shared;
}

using Row = std::tuple<std::uint64_t, std::int64_t, std::string, std::int64_t, std::string>;

RowBatch random_rows(std::mt19937& random, std::size_t count) {
  RowBatch batch(schema());
  for (std::size_t i = 0; i < count; ++i) {
    auto& columns = batch.columns();
    columns[0].push_fixed(static_cast<std::int64_t>(random()) - 1'000'000);
    if (random() % 5 == 0) {
      columns[1].push_null();
      columns[2].push_null();
    } else {
      columns[1].push_bytes(batch.arena().store(std::string(random() % 30, static_cast<char>('a' + i % 26))));
      columns[2].push_fixed(static_cast<std::int64_t>(random()));
    }
    columns[3].push_bytes(batch.arena().store(random() % 50 == 0 ? std::string(9000, 'z') : "{}"));
    batch.ordinals.push_back(random());
  }
  return batch;
}

Row row_of(const RowBatch& batch, std::size_t row) {
  const auto& columns = batch.columns();
  return {batch.ordinals[row], columns[0].fixed[row],
          columns[1].null[row] != 0 ? "NULL" : std::string(columns[1].bytes[row]),
          columns[2].null[row] != 0 ? -1 : columns[2].fixed[row], std::string(columns[3].bytes[row])};
}

struct Seen {
  ChangeOp op;
  std::string key;
  Fingerprint fingerprint;
  Row row;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> walk(ChangeSet& set) {
  std::vector<Seen> all;
  const auto walked = set.for_each([&](const Change& change) -> Result<void> {
    all.push_back({change.op, std::string(change.key), change.fingerprint,
                   change.rows == nullptr ? Row() : row_of(*change.rows, change.row)});
    return {};
  });
  EXPECT_TRUE(walked) << walked.error().describe();
  return all;
}

TEST(ChangeSet, gives_back_the_same_changes_whether_they_were_spilled_or_not) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{100'000}, std::size_t{1} << 30}) {
    std::mt19937 random(5);
    ChangeSet set(schema(), limit, std::filesystem::temp_directory_path());
    std::vector<Seen> expected;
    std::vector<std::size_t> indices;
    for (int b = 0; b < 8; ++b) {
      const auto batch = random_rows(random, 300);
      for (std::size_t row = 0; row < batch.rows(); ++row) {
        const auto key = "k" + std::to_string(random() % 100'000);
        if (random() % 7 == 0) {
          indices.push_back(set.add_removal(key));
          expected.push_back({ChangeOp::remove, key, {}, {}});
          continue;
        }
        const auto op = random() % 2 == 0 ? ChangeOp::insert : ChangeOp::update;
        const Fingerprint fingerprint{random(), row};
        const auto index = set.add(op, key, fingerprint, batch, row);
        ASSERT_TRUE(index);
        indices.push_back(*index);
        expected.push_back({op, key, fingerprint, row_of(batch, row)});
      }
    }
    for (std::size_t i = expected.size(); i-- > 0;) {
      if (random() % 10 != 0) continue;
      set.cancel(indices[i]);
      set.cancel(indices[i]);  // once more changes nothing
      expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(i));
    }
    ASSERT_EQ(set.size(), expected.size());
    EXPECT_EQ(walk(set), expected);
    EXPECT_EQ(walk(set), expected);  // a second time, from the file again
    std::uint64_t inserts = 0;
    for (const auto& seen : expected) inserts += seen.op == ChangeOp::insert ? 1 : 0;
    EXPECT_EQ(set.count(ChangeOp::insert), inserts);
    // The key part stays; rows above the limit are gone from memory, but for the block being filled.
    if (limit == 1) {
      EXPECT_LT(set.memory(), 1'500'000u);
    }
  }
}

TEST(ChangeSet, finds_the_live_change_of_a_key_among_cancelled_ones) {
  std::mt19937 random(6);
  const auto batch = random_rows(random, 1);
  ChangeSet set(schema(), 1 << 20, std::filesystem::temp_directory_path());
  EXPECT_FALSE(set.find("a"));
  std::size_t last = 0;
  for (int i = 0; i < 5000; ++i) {
    if (const auto earlier = set.find("a")) set.cancel(*earlier);
    last = *set.add(ChangeOp::update, "a", {}, batch, 0);
    ASSERT_TRUE(set.add(ChangeOp::insert, "b" + std::to_string(i), {}, batch, 0));
  }
  EXPECT_EQ(set.find("a"), last);
  EXPECT_EQ(set.op(last), ChangeOp::update);
  EXPECT_EQ(set.size(), 5001u);
  set.cancel(last);
  EXPECT_FALSE(set.find("a"));
  EXPECT_TRUE(set.find("b4999"));
}

TEST(ChangeSet, lists_live_changes_in_key_order) {
  ChangeSet set(schema(), 1 << 20, std::filesystem::temp_directory_path());
  for (const auto key : {"b", "c", "a", "ab"}) set.add_removal(key);
  set.cancel(1);
  std::vector<std::string> keys;
  for (const auto& entry : set.by_key()) keys.emplace_back(entry.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "ab", "b"}));
}

TEST(ChangeSet, says_where_it_cannot_spool) {
  std::mt19937 random(8);
  const auto batch = random_rows(random, 1000);
  ChangeSet set(schema(), 1, "/nonexistent/folder");
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto added = set.add(ChangeOp::insert, std::to_string(row), {}, batch, row);
    if (added) continue;
    EXPECT_NE(added.error().describe().find("/nonexistent/folder"), std::string::npos);
    return;
  }
  FAIL() << "nothing was spooled";
}

}  // namespace
}  // namespace sluice
