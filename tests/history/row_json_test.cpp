#include "history/row_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <limits>

namespace sluice::history {
namespace {

std::string fixed_json(ValueType type, std::int64_t value) {
  ColumnData column{.type = type};
  column.push_fixed(value);
  std::string out;
  append_json(out, column, 0);
  return out;
}
std::string bytes_json(ValueType type, std::string_view value) {
  ColumnData column{.type = type};
  column.push_bytes(value);
  std::string out;
  append_json(out, column, 0);
  return out;
}
std::string real_json(double value) {
  return fixed_json(ValueType::real, std::bit_cast<std::int64_t>(value));
}

TEST(RowJson, values_have_the_form_a_browser_reads_exactly) {
  EXPECT_EQ(fixed_json(ValueType::boolean, 1), "true");
  EXPECT_EQ(fixed_json(ValueType::int64, 9'007'199'254'740'992), "9007199254740992");
  EXPECT_EQ(fixed_json(ValueType::int64, 9'007'199'254'740'993), "\"9007199254740993\"");
  EXPECT_EQ(fixed_json(ValueType::date, 1), "\"1970-01-02\"");
  EXPECT_EQ(fixed_json(ValueType::timestamp, 250'000), "\"1970-01-01T00:00:00.25Z\"");
  EXPECT_EQ(real_json(0.1), "0.1");
  EXPECT_EQ(real_json(std::numeric_limits<double>::infinity()), "\"Infinity\"");
  EXPECT_EQ(bytes_json(ValueType::decimal, "-12.5"), "-12.5");
  EXPECT_EQ(bytes_json(ValueType::decimal, "1234567890123456"), "\"1234567890123456\"");
  EXPECT_EQ(bytes_json(ValueType::json, "{\"a\":1}"), "{\"a\":1}");
  EXPECT_EQ(bytes_json(ValueType::json, "{oops"), "\"{oops\"");
}

TEST(RowJson, every_value_gives_valid_json) {
  for (const auto type :
       {ValueType::boolean, ValueType::int64, ValueType::real, ValueType::date, ValueType::timestamp}) {
    for (const auto value : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                             std::numeric_limits<std::int64_t>::max()}) {
      EXPECT_TRUE(nlohmann::json::accept(fixed_json(type, value))) << fixed_json(type, value);
    }
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = {'a', static_cast<char>(byte), static_cast<char>(0x80)};
    for (const auto type : {ValueType::text, ValueType::decimal, ValueType::json}) {
      EXPECT_TRUE(nlohmann::json::accept(bytes_json(type, text))) << byte;
    }
  }
}

TEST(RowJson, texts_are_escaped_and_invalid_utf8_replaced) {
  EXPECT_EQ(bytes_json(ValueType::text, "a\"\\\n\x01"), "\"a\\\"\\\\\\u000a\\u0001\"");
  EXPECT_EQ(bytes_json(ValueType::text, "é😀"), "\"é😀\"");
  EXPECT_EQ(bytes_json(ValueType::text, "\xff\xc3"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace sluice::history
