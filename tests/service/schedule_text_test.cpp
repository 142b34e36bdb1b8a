// What `sluice cron` prints for people.
#include "service/schedule_text.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::service {
namespace {

std::string text_of(const std::string& phrase, const std::string& zone, const std::string& from,
                    int count = 3) {
  const auto start = parse_time(from, zone);
  EXPECT_TRUE(start) << from;
  return answer({.phrase = phrase, .zone = zone, .from = *start, .count = count}).text;
}

TEST(ScheduleText, a_change_of_the_clocks_is_marked_at_the_run_that_feels_it) {
  EXPECT_EQ(text_of("daily at 2:30am", "Europe/Zurich", "2026-03-27T12:00:00Z"),
            "daily at 2:30am\n"
            "  cron     30 2 * * *\n"
            "  zone     Europe/Zurich\n"
            "  means    every day at 02:30 in Europe/Zurich\n"
            "  next     Sat 2026-03-28T02:30:00+01:00\n"
            "           Sun 2026-03-29T03:00:00+02:00  <- the clocks skip to 03:00\n"
            "           Mon 2026-03-30T02:30:00+02:00\n");
  EXPECT_NE(text_of("daily at 9am", "Europe/Zurich", "2026-10-24T00:00:00Z")
                .find("Sun 2026-10-25T09:00:00+01:00  <- clocks back 1:00\n"),
            std::string::npos);
  EXPECT_NE(text_of("daily at 9am", "Australia/Lord_Howe", "2026-10-02T12:00:00Z")
                .find("Sun 2026-10-04T09:00:00+11:00  <- clocks forward 0:30\n"),
            std::string::npos);
}

TEST(ScheduleText, nothing_is_marked_where_the_clocks_stand) {
  EXPECT_EQ(text_of("hourly", "Asia/Kolkata", "2026-03-28T00:00:00Z").find("<-"), std::string::npos);
  EXPECT_EQ(text_of("daily at 9am", "Europe/Zurich", "2026-06-01T00:00:00Z").find("<-"), std::string::npos);
}

TEST(ScheduleText, the_caret_stands_under_the_refused_word) {
  EXPECT_EQ(text_of("every wek at 9am", "UTC", "2026-01-01T00:00:00Z"),
            "every wek at 9am\n"
            "      ^^^\n"
            "  unknown word \"wek\"\n"
            "  did you mean \"week\"?\n");
  // Letters of two bytes take one column, before the caret and under it.
  EXPECT_NE(text_of("9am Z\u00fcrch", "UTC", "2026-01-01T00:00:00Z").find("\n    ^^^^^\n"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::service
