#include "diff/row_hasher.h"

#include "sample_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>

namespace sluice::diff {
namespace {

using testing::column;
using testing::schema_of;

std::string hex(Fingerprint value) { return fmt::format("{:016x}{:016x}", value.hi, value.lo); }

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

HashedRows hash(const RowBatch& batch) {
  RowHasher hasher(batch.schema_ptr());
  HashedRows hashed;
  hasher.hash(batch, hashed);
  return hashed;
}

// One key column and one value column of the type.
template <class Push>
Fingerprint hash_of_value(ValueType type, Push push) {
  RowBatch batch(schema_of({column(1, "k", ValueType::int64), column(2, "v", type)}, {0}));
  batch.ordinals = {0};
  batch.columns()[0].push_fixed(1);
  push(batch.columns()[1]);
  return hash(batch).fingerprints[0];
}

Fingerprint hash_of_text(ValueType type, std::string_view value) {
  return hash_of_value(type, [&](ColumnData& data) { data.push_bytes(value); });
}
Fingerprint hash_of_fixed(ValueType type, std::int64_t value) {
  return hash_of_value(type, [&](ColumnData& data) { data.push_fixed(value); });
}

// Whoever breaks this test changes what every stored fingerprint means: raise kHashVersion, then the values
// here.
TEST(RowHasher, golden_bytes_of_version_1) {
  ASSERT_EQ(kHashVersion, 1);
  const auto schema = schema_of({column(1, "id", ValueType::int64), column(2, "code", ValueType::text),
                                 column(3, "flag", ValueType::boolean),
                                 column(4, "price", ValueType::decimal), column(5, "ratio", ValueType::real),
                                 column(6, "day", ValueType::date), column(7, "at", ValueType::timestamp),
                                 column(8, "extra", ValueType::json), column(9, "note", ValueType::text)},
                                {0, 1});
  RowBatch batch(schema);
  batch.ordinals = {0};
  auto& columns = batch.columns();
  columns[0].push_fixed(42);
  columns[1].push_bytes("DE-1");
  columns[2].push_fixed(1);
  columns[3].push_bytes("-12.5");
  columns[4].push_fixed(std::bit_cast<std::int64_t>(0.25));
  columns[5].push_fixed(20458);
  columns[6].push_fixed(1'767'600'000'250'000);
  columns[7].push_bytes(R"({"a":1})");
  columns[8].push_null();
  const auto hashed = hash(batch);
  EXPECT_EQ(hex(hashed.keys[0]), "20800000000000002a5044452d31");
  EXPECT_EQ(hex(hashed.fingerprints[0]), "6fe5526a475658dd5cb27f5193218e5b");
  EXPECT_EQ(hex(hash_of_value(ValueType::text, [](ColumnData& data) { data.push_null(); })),
            "99aa06d3014798d86001c324468d497f");  // XXH3-128 of nothing
  EXPECT_EQ(hex(hash_of_text(ValueType::text, "")), "cea6c236950f05fc30173b7cbef8be00");
  EXPECT_EQ(hex(hash_of_fixed(ValueType::int64, 7)), "3bd4c006924452fda0a991333ffb535c");
}

TEST(RowHasher, null_differs_from_empty_and_from_zero) {
  const auto null_text = hash_of_value(ValueType::text, [](ColumnData& data) { data.push_null(); });
  const auto null_number = hash_of_value(ValueType::int64, [](ColumnData& data) { data.push_null(); });
  EXPECT_NE(null_text, hash_of_text(ValueType::text, ""));
  EXPECT_NE(null_number, hash_of_fixed(ValueType::int64, 0));
  EXPECT_EQ(null_text, null_number);
}

TEST(RowHasher, types_are_told_apart) {
  EXPECT_NE(hash_of_text(ValueType::text, "1"), hash_of_text(ValueType::decimal, "1"));
  EXPECT_NE(hash_of_text(ValueType::text, "1"), hash_of_text(ValueType::json, "1"));
  EXPECT_NE(hash_of_fixed(ValueType::int64, 1), hash_of_fixed(ValueType::boolean, 1));
  EXPECT_NE(hash_of_fixed(ValueType::date, 1), hash_of_fixed(ValueType::timestamp, 1));
}

TEST(RowHasher, minus_zero_is_zero_and_there_is_one_nan) {
  const auto real = [](double value) {
    return hash_of_fixed(ValueType::real, std::bit_cast<std::int64_t>(value));
  };
  EXPECT_EQ(real(-0.0), real(0.0));
  EXPECT_EQ(real(std::numeric_limits<double>::quiet_NaN()), real(-std::numeric_limits<double>::quiet_NaN()));
  EXPECT_NE(real(1.0), real(-1.0));
}

TEST(RowHasher, values_do_not_run_into_their_neighbours) {
  const auto schema = schema_of(
      {column(1, "k", ValueType::int64), column(2, "a", ValueType::text), column(3, "b", ValueType::text)},
      {0});
  RowBatch batch(schema);
  batch.ordinals = {0, 1, 2};
  for (const auto& [a, b] : {std::pair("ab", "c"), std::pair("a", "bc"), std::pair("", "abc")}) {
    batch.columns()[0].push_fixed(1);
    batch.columns()[1].push_bytes(a);
    batch.columns()[2].push_bytes(b);
  }
  const auto hashed = hash(batch);
  EXPECT_NE(hashed.fingerprints[0], hashed.fingerprints[1]);
  EXPECT_NE(hashed.fingerprints[0], hashed.fingerprints[2]);
  EXPECT_NE(hashed.fingerprints[1], hashed.fingerprints[2]);
}

TEST(RowHasher, every_length_of_text_counts_every_byte) {
  for (std::size_t length = 1; length <= 80; ++length) {
    const std::string text(length, 'x');
    const auto whole = hash_of_text(ValueType::text, text);
    for (std::size_t at = 0; at < length; ++at) {
      auto other = text;
      other[at] = 'y';
      ASSERT_NE(hash_of_text(ValueType::text, other), whole) << length << " at " << at;
    }
  }
  EXPECT_NE(hash_of_text(ValueType::text, std::string(3'000'000, 'a')),
            hash_of_text(ValueType::text, std::string(3'000'001, 'a')));
}

TEST(RowHasher, the_order_of_columns_and_a_null_column_added_change_nothing) {
  RowBatch one(schema_of(
      {column(1, "k", ValueType::int64), column(2, "a", ValueType::text), column(3, "b", ValueType::int64)},
      {0}));
  one.ordinals = {0};
  one.columns()[0].push_fixed(1);
  one.columns()[1].push_bytes("x");
  one.columns()[2].push_fixed(5);
  RowBatch two(schema_of({column(3, "b", ValueType::int64), column(4, "new", ValueType::text),
                          column(1, "k", ValueType::int64), column(2, "a", ValueType::text)},
                         {2}));
  two.ordinals = {0};
  two.columns()[0].push_fixed(5);
  two.columns()[1].push_null();
  two.columns()[2].push_fixed(1);
  two.columns()[3].push_bytes("x");
  EXPECT_EQ(hash(one).fingerprints[0], hash(two).fingerprints[0]);
  EXPECT_EQ(hash(one).keys[0], hash(two).keys[0]);
}

TEST(RowHasher, a_schema_without_a_key_gives_empty_keys_and_rejects_nothing) {
  RowBatch batch(schema_of({column(1, "a", ValueType::text)}, {}));
  batch.ordinals = {0};
  batch.columns()[0].push_null();
  const auto hashed = hash(batch);
  EXPECT_EQ(hashed.keys, std::vector<std::string_view>{""});
  EXPECT_TRUE(hashed.rejected.empty());
}

}  // namespace
}  // namespace sluice::diff
