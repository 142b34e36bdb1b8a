#include "base/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

TEST(Text, trims_splits_and_lowers) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(to_lower("ÄBc1"), "Äbc1");
  EXPECT_TRUE(iequals("Content-TYPE", "content-type"));
  EXPECT_FALSE(iequals("a", "ab"));
}

TEST(Text, snake_case_follows_words_and_abbreviations) {
  EXPECT_EQ(snake_case("ExchangeRate"), "exchange_rate");
  EXPECT_EQ(snake_case("HTTPCode"), "http_code");
  EXPECT_EQ(snake_case("my loader"), "my_loader");
  EXPECT_EQ(snake_case("already_snake"), "already_snake");
  EXPECT_EQ(snake_case("a--b-"), "a_b");
}

TEST(Text, nearest_finds_slips_and_nothing_else) {
  constexpr std::string_view kWords[] = {"source", "schedule", "target"};
  EXPECT_EQ(nearest("suorce", kWords), "source");
  EXPECT_EQ(nearest("Schedul", kWords), "schedule");
  EXPECT_EQ(nearest("zebra", kWords), "");
}

TEST(Text, printable_replaces_what_a_terminal_must_not_see) {
  EXPECT_EQ(printable("a\x1b[1m\n"), "a [1m ");
  EXPECT_EQ(printable("\xc3\xa4 \xff"), "\xc3\xa4 \xef\xbf\xbd");
  EXPECT_EQ(printable("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

TEST(Text, groups_digits) {
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1'234'567), "1,234,567");
  EXPECT_EQ(group_digits(-123'456), "-123,456");
  EXPECT_EQ(group_digits(std::numeric_limits<long long>::min()), "-9,223,372,036,854,775,808");
}

}  // namespace
}  // namespace sluice
