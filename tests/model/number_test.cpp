// Numbers by their spelling.
#include "model/number.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace sluice {
namespace {

std::string text_of(std::string_view spelling) {
  const auto number = parse_number(spelling);
  return number ? number_text(*number) : "none";
}

TEST(Number, equal_numbers_have_one_text) {
  for (const auto* spelling :
       {"100", "1E2", "1e+2", "0.1e3", "100.00", "00100", "+100", "10000e-2", "1.0E002"})
    EXPECT_EQ(text_of(spelling), "100") << spelling;
  for (const auto* spelling : {"0", "-0", "0.000", "0e5", "-0e-99999999999999999999", ".0", "0."})
    EXPECT_EQ(text_of(spelling), "0") << spelling;
  EXPECT_EQ(text_of("-.5"), "-0.5");
  EXPECT_EQ(text_of("-15e-1"), "-1.5");
  EXPECT_EQ(text_of("0.00120"), "0.0012");
}

TEST(Number, long_texts_are_plain_while_they_are_digits) {
  EXPECT_EQ(text_of("1e37"), "1" + std::string(37, '0'));
  EXPECT_EQ(text_of("1e38"), "1e38");
  EXPECT_EQ(text_of("10e399"), "1e400");
  EXPECT_EQ(text_of("-1.50e-60"), "-1.5e-60");
  EXPECT_EQ(text_of("1e400000000"), "1e400000000");
  // 128-bit numbers as keys, those that end in zeros too.
  EXPECT_EQ(text_of("340282366920938463463374607431768211455"), "340282366920938463463374607431768211455");
  EXPECT_EQ(text_of("340282366920938463463374607431768000000"), "340282366920938463463374607431768000000");
  EXPECT_EQ(text_of("0." + std::string(60, '7')), "0." + std::string(60, '7'));
}

TEST(Number, what_is_none_is_none) {
  for (const auto* spelling : {"", "-", ".", "e5", "1e", "1e+", "1e+-5", "1e5x", "1.2.3", "1 2", "0x1", "1,5",
                               "nan", "inf", "1e99999999999999999999", "--1", "1-"})
    EXPECT_EQ(text_of(spelling), "none") << spelling;
  EXPECT_EQ(plain_text(*parse_number("1,5", ',')), "1.5");
}

TEST(Number, digits_are_counted_as_written_without_exponent) {
  const auto counts = [](std::string_view spelling) {
    const auto number = *parse_number(spelling);
    return fmt::format("{}.{}{}", number.integer_digits(), number.fraction_digits(),
                       number.is_integer() ? " i" : "");
  };
  EXPECT_EQ(counts("0.05"), "0.2");
  EXPECT_EQ(counts("12.50"), "2.1");
  EXPECT_EQ(counts("1200"), "4.0 i");
  EXPECT_EQ(counts("1e-7"), "0.7");
  EXPECT_EQ(counts("0"), "0.0 i");
}

TEST(Number, doubles_hold_what_they_print) {
  for (const auto* spelling :
       {"0.1", "0.30000000000000004", "1e300", "5e-324", "9007199254740992", "1.5e-60", "0",
        "123456789012345", "1e22", "1e23", "100000000000000000000", "1.7976931348623157e308"})
    EXPECT_TRUE(double_holds(*parse_number(spelling))) << spelling;
  for (const auto* spelling : {"9007199254740993", "0.1234567890123456789", "12345678901234567.89", "1e309",
                               "1e-400", "4e-324", "0.1000000000000000055511151231257827", "1e400000000"})
    EXPECT_FALSE(double_holds(*parse_number(spelling))) << spelling;
}

TEST(Number, sql_numbers_hold_integers_as_well) {
  for (const std::string_view decimal :
       {"9007199254740993", "9223372036854775807", "-9223372036854775808", "0.1"})
    EXPECT_TRUE(sql_number_holds(decimal)) << decimal;
  for (const std::string_view decimal :
       {"9223372036854775809", "9007199254740993.5", "0.1234567890123456789"})
    EXPECT_FALSE(sql_number_holds(decimal)) << decimal;
}

TEST(Number, every_double_is_held_by_its_own_text) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const auto number = shortest_number(value);
    ASSERT_TRUE(double_holds(number)) << value;
    ASSERT_EQ(number, *parse_number(fmt::format("{}", value)));
    ASSERT_EQ(*parse_number(number_text(number)), number);
  }
}

// The short cut for 15 digits is no guess.
TEST(Number, fifteen_digits_always_come_back) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 200'000; ++i) {
    const auto text =
        fmt::format("{}e{}", random() % 1'000'000'000'000'000, static_cast<int>(random() % 560) - 290);
    const auto number = *parse_number(text);
    ASSERT_TRUE(double_holds(number));
    ASSERT_EQ(shortest_number(std::stod(text)), number) << text;
  }
}

}  // namespace
}  // namespace sluice
