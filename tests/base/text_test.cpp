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

TEST(Text, printable_gives_utf8_that_every_reader_takes) {
  // JSON writers refuse these, and a terminal may take them for other characters: RFC 3629, 3 and 10.
  for (const std::string_view bytes :
       {"\xed\xa0\x80", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80"})
    EXPECT_EQ(printable(bytes).substr(0, 3), "\xef\xbf\xbd") << bytes.size();
  for (const std::string_view bytes :
       {"\xed\x9f\xbf", "\xe0\xa0\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(printable(bytes), bytes);
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a 31m")
      << "C1 controls are terminal commands as well";
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
