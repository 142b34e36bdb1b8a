#include "diff/key_codec.h"

#include "diff/row_hasher.h"
#include "sample_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace sluice::diff {
namespace {

using testing::column;
using testing::schema_of;

SchemaPtr one_column(ValueType type) { return schema_of({column(1, "k", type)}, {0}); }

std::string fixed_key(ValueType type, std::int64_t value) {
  RowBatch batch(one_column(type));
  batch.ordinals = {0};
  batch.columns()[0].push_fixed(value);
  std::string key;
  EXPECT_TRUE(append_key(batch, 0, key));
  RowBatch back(batch.schema_ptr());
  EXPECT_TRUE(decode_key(key, back));
  if (type != ValueType::real) {
    EXPECT_EQ(back.columns()[0].fixed[0], value);
  }
  return key;
}

std::string bytes_key(ValueType type, std::string_view value) {
  RowBatch batch(one_column(type));
  batch.ordinals = {0};
  batch.columns()[0].push_bytes(value);
  std::string key;
  EXPECT_TRUE(append_key(batch, 0, key));
  RowBatch back(batch.schema_ptr());
  EXPECT_TRUE(decode_key(key, back));
  EXPECT_EQ(back.columns()[0].bytes[0], value);
  return key;
}

TEST(KeyCodec, integers_dates_and_times_keep_their_order_in_nine_bytes) {
  const std::vector<std::int64_t> values = {
      std::numeric_limits<std::int64_t>::min(), -4'294'967'297, -256, -255, -1, 0, 1, 255, 256, 4'294'967'296,
      std::numeric_limits<std::int64_t>::max()};
  for (const auto type : {ValueType::int64, ValueType::date, ValueType::timestamp}) {
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      EXPECT_LT(fixed_key(type, values[i]), fixed_key(type, values[i + 1]));
      EXPECT_EQ(fixed_key(type, values[i]).size(), 9u);
    }
  }
  EXPECT_LT(fixed_key(ValueType::boolean, 0), fixed_key(ValueType::boolean, 1));
}

TEST(KeyCodec, reals_keep_their_order_and_have_one_zero_and_one_nan) {
  const auto key = [](double value) {
    return fixed_key(ValueType::real, std::bit_cast<std::int64_t>(value));
  };
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {-infinity, -1e300, -1.5, -1e-300, 0.0,
                                      1e-300,    1.5,    2.0,  1e300,   infinity};
  for (std::size_t i = 0; i + 1 < values.size(); ++i) EXPECT_LT(key(values[i]), key(values[i + 1]));
  EXPECT_EQ(key(-0.0), key(0.0));
  EXPECT_EQ(key(std::numeric_limits<double>::quiet_NaN()), key(-std::numeric_limits<double>::quiet_NaN()));
}

TEST(KeyCodec, decimals_keep_their_order_at_any_length) {
  const std::vector<std::string> values = {"-100000000000000000000.5",
                                           "-100000000000000000000",
                                           "-100",
                                           "-99.5",
                                           "-99",
                                           "-10",
                                           "-1.01",
                                           "-1",
                                           "-0.5",
                                           "-0.05",
                                           "-0.0001",
                                           "0",
                                           "0.0001",
                                           "0.05",
                                           "0.051",
                                           "0.5",
                                           "1",
                                           "1.01",
                                           "9",
                                           "10",
                                           "99",
                                           "99.5",
                                           "100",
                                           "123456789012345678901234567890.123"};
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    EXPECT_LT(bytes_key(ValueType::decimal, values[i]), bytes_key(ValueType::decimal, values[i + 1]))
        << values[i] << " and " << values[i + 1];
  }
}

TEST(KeyCodec, texts_keep_byte_order) {
  using namespace std::string_view_literals;
  const std::vector<std::string_view> values = {""sv,     "\0"sv,  "\0\0"sv, "\0a"sv, "a"sv,        "a\0"sv,
                                                "a\0b"sv, "a\1"sv, "ab"sv,   "b"sv,   "\xc3\xa4"sv, "\xff"sv};
  for (std::size_t i = 0; i + 1 < values.size(); ++i)
    EXPECT_LT(bytes_key(ValueType::text, values[i]), bytes_key(ValueType::text, values[i + 1]));
}

struct Composite {
  std::string text;
  std::string decimal;
  std::int64_t number;
  std::string tail;
};

TEST(KeyCodec, composite_keys_order_column_by_column_and_come_back) {
  // The key is not in column order, and a column beside it stays NULL when decoded.
  const auto schema = schema_of({column(1, "tail", ValueType::text), column(2, "note", ValueType::text),
                                 column(3, "text", ValueType::text), column(4, "number", ValueType::int64),
                                 column(5, "decimal", ValueType::decimal)},
                                {2, 4, 3, 0});
  const std::vector<std::string> decimals = {"-1.5", "-1", "0", "0.25", "3", "30"};
  std::mt19937 random(7);
  const auto text = [&] {
    std::string value;
    for (auto length = random() % 4; length > 0; --length) value.push_back("\0\1a\xff"[random() % 4]);
    return value;
  };
  std::vector<Composite> rows;
  for (int i = 0; i < 300; ++i)
    rows.push_back(
        {text(), decimals[random() % decimals.size()], static_cast<int>(random() % 3) - 1, text()});
  RowBatch batch(schema);
  for (const auto& row : rows) {
    batch.ordinals.push_back(0);
    batch.columns()[0].push_bytes(row.tail);
    batch.columns()[1].push_bytes("note");
    batch.columns()[2].push_bytes(row.text);
    batch.columns()[3].push_fixed(row.number);
    batch.columns()[4].push_bytes(row.decimal);
  }
  std::vector<std::string> keys(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_TRUE(append_key(batch, i, keys[i]));
  const auto rank = [&](const Composite& row) {
    const auto place = std::find(decimals.begin(), decimals.end(), row.decimal) - decimals.begin();
    return std::tuple(row.text, place, row.number, row.tail);
  };
  for (std::size_t a = 0; a < rows.size(); ++a) {
    for (std::size_t b = 0; b < rows.size(); ++b) ASSERT_EQ(keys[a] < keys[b], rank(rows[a]) < rank(rows[b]));
    RowBatch back(schema);
    ASSERT_TRUE(decode_key(keys[a], back));
    ASSERT_EQ(back.columns()[2].bytes[0], rows[a].text);
    ASSERT_EQ(back.columns()[4].bytes[0], rows[a].decimal);
    ASSERT_EQ(back.columns()[3].fixed[0], rows[a].number);
    ASSERT_EQ(back.columns()[0].bytes[0], rows[a].tail);
    ASSERT_EQ(back.columns()[1].null[0], 1);
  }
}

TEST(KeyCodec, the_hasher_writes_the_same_keys) {
  const auto batch = testing::batch_of({{-5, "a"}, {0, "b"}, {900, "c"}});
  RowHasher hasher(batch.schema_ptr());
  HashedRows hashed;
  hasher.hash(batch, hashed);
  for (std::size_t i = 0; i < 3; ++i) {
    std::string key;
    ASSERT_TRUE(append_key(batch, i, key));
    EXPECT_EQ(hashed.keys[i], key);
  }
}

TEST(KeyCodec, damaged_keys_are_refused_and_leave_the_batch_alone) {
  const auto schema = schema_of(
      {column(1, "a", ValueType::text), column(2, "b", ValueType::decimal), column(3, "c", ValueType::int64)},
      {0, 1, 2});
  RowBatch batch(schema);
  batch.ordinals = {0};
  batch.columns()[0].push_bytes("xy");
  batch.columns()[1].push_bytes("-12.5");
  batch.columns()[2].push_fixed(17);
  std::string key;
  ASSERT_TRUE(append_key(batch, 0, key));
  RowBatch back(schema);
  for (std::size_t length = 0; length < key.size(); ++length)
    EXPECT_FALSE(decode_key(std::string_view(key).substr(0, length), back)) << length;
  EXPECT_FALSE(decode_key(key + "x", back));
  EXPECT_EQ(back.rows(), 0u);
  for (std::size_t at = 0; at < key.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = key;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto before = back.rows();
      const bool decoded = decode_key(damaged, back).has_value();
      EXPECT_EQ(back.rows(), before + (decoded ? 1 : 0));
    }
  }
}

TEST(KeyCodec, null_in_a_key_gives_no_key_and_a_reject_that_names_the_column) {
  const auto schema = schema_of({column(1, "a", ValueType::int64), column(2, "b", ValueType::text)}, {0, 1});
  RowBatch batch(schema);
  batch.ordinals = {41};
  batch.source = 2;
  batch.columns()[0].push_fixed(1);
  batch.columns()[1].push_null();
  std::string key = "before";
  EXPECT_FALSE(append_key(batch, 0, key));
  EXPECT_EQ(key, "before");
  const auto reject = missing_key_reject(batch, 0);
  EXPECT_EQ(reject.stage, RejectStage::key);
  EXPECT_EQ(reject.code, "missingKey");
  EXPECT_EQ(reject.column, "b");
  EXPECT_EQ(reject.source, 2u);
  EXPECT_EQ(reject.ordinal, 41u);
  EXPECT_EQ(reject.locator, "record 42");
}

TEST(KeyCodec, dates_at_the_ends_of_their_numbers_are_described) {
  for (const auto end :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(describe_key(fixed_key(ValueType::date, end), one_column(ValueType::date)),
              fmt::format("k=day {}", end));
    EXPECT_TRUE(describe_key(fixed_key(ValueType::timestamp, end), one_column(ValueType::timestamp))
                    .starts_with("k="));
  }
}

TEST(KeyCodec, keys_are_described_for_people) {
  const auto schema =
      schema_of({column(1, "country", ValueType::text), column(2, "day", ValueType::date)}, {0, 1});
  RowBatch batch(schema);
  batch.ordinals = {0};
  batch.columns()[0].push_bytes("DE");
  batch.columns()[1].push_fixed(20458);
  std::string key;
  ASSERT_TRUE(append_key(batch, 0, key));
  EXPECT_EQ(describe_key(key, schema), "country='DE', day=2026-01-05");
  EXPECT_EQ(describe_key("\x01\xfe", schema), "01fe");
}

}  // namespace
}  // namespace sluice::diff
