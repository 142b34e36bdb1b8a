#include "upsert/iso_text.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace sluice::upsert {
namespace {

TEST(IsoText, dates_come_back_for_all_years_that_sources_have) {
  std::array<char, 40> buffer;
  std::int64_t back = 0;
  for (std::int64_t days = -719'528; days < 2'932'897; days += 13) {  // years 0 to 9999
    ASSERT_TRUE(read_date(write_date(days, buffer), back)) << days;
    ASSERT_EQ(back, days);
  }
  EXPECT_EQ(write_date(0, buffer), "1970-01-01");
  EXPECT_EQ(write_date(-1, buffer), "1969-12-31");
  EXPECT_EQ(write_date(19'782, buffer), "2024-02-29");
}

TEST(IsoText, timestamps_come_back) {
  std::array<char, 40> buffer;
  std::int64_t back = 0;
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> any(-62'167'219'200'000'000, 253'402'300'799'999'999);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t micros = any(random);
    ASSERT_TRUE(read_timestamp(write_timestamp(micros, buffer), back)) << micros;
    ASSERT_EQ(back, micros);
  }
  EXPECT_EQ(write_timestamp(250'000, buffer), "1970-01-01T00:00:00.25Z");
  EXPECT_EQ(write_timestamp(-1, buffer), "1969-12-31T23:59:59.999999Z");
}

TEST(IsoText, reads_what_other_programs_write) {
  struct Case {
    const char* text;
    std::optional<std::int64_t> seconds;
  };
  for (const auto& [text, seconds] :
       {Case{"1970-01-02", 86'400}, Case{"1970-01-01 00:01:00", 60}, Case{"1970-01-01T00:01", 60},
        Case{"1970-01-01T01:00:00+01:00", 0}, Case{"1970-01-01T00:00:00-0130", 5'400},
        Case{"1970-01-01T00:00:00.000000000Z", 0}, Case{"1970-01-01T00:00:00.0000001Z", {}},
        Case{"1970-02-30", {}}, Case{"1970-01-01T24:00:00Z", {}}, Case{"1970-01-01T00:00:00Zx", {}},
        Case{"70-01-01", {}}, Case{"", {}}, Case{"now", {}}, Case{"99999-01-01", {}}}) {
    std::int64_t micros = 0;
    EXPECT_EQ(read_timestamp(text, micros), seconds.has_value()) << text;
    if (seconds) {
      EXPECT_EQ(micros, *seconds * 1'000'000) << text;
    }
  }
  std::int64_t days = 0;
  EXPECT_TRUE(read_date("1970-01-02 00:00:00", days));
  EXPECT_EQ(days, 1);
  EXPECT_FALSE(read_date("1970-01-02 00:00:01", days));
}

TEST(IsoText, decimals_become_canonical) {
  struct Case {
    const char* text;
    const char* canonical;  // null = not a number
  };
  for (const auto& [text, canonical] :
       {Case{"1.50", "1.5"}, Case{"+001.50e1", "15"}, Case{"-0.00", "0"}, Case{"0", "0"},
        Case{"1.0e-05", "0.00001"}, Case{"1.2345e2", "123.45"}, Case{"100", "100"}, Case{".5", "0.5"},
        Case{"5.", "5"}, Case{"-12e3", "-12000"}, Case{"1e", nullptr}, Case{"", nullptr}, Case{"-", nullptr},
        Case{"1,5", nullptr}, Case{"abc", nullptr}, Case{"1e9999", nullptr}}) {
    std::string out;
    EXPECT_EQ(canonical_decimal(text, out), canonical != nullptr) << text;
    if (canonical != nullptr) {
      EXPECT_EQ(out, canonical) << text;
    }
  }
}

}  // namespace
}  // namespace sluice::upsert
