// Exceptions that move within the month, against a walk through every day of ten years.
#include "english_cron/schedule.h"

#include <gtest/gtest.h>

namespace english_cron::test {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

struct Day {
  unsigned month, day, weekday, last;
};

struct Case {
  const char* phrase;
  bool (*meant)(const Day&);
};

constexpr Case kCases[] = {
    {"every day but the last", [](const Day& d) { return d.day != d.last; }},
    {"every day except month end", [](const Day& d) { return d.day != d.last; }},
    {"daily except the last 3 days of the month", [](const Day& d) { return d.day + 3 <= d.last; }},
    {"every day except the last but one day of the month", [](const Day& d) { return d.day + 1 != d.last; }},
    {"every day except the 1st and the last day of the month",
     [](const Day& d) { return d.day != 1 && d.day != d.last; }},
    {"every weekday except the last day of the month",
     [](const Day& d) { return d.day != d.last && d.weekday >= 1 && d.weekday <= 5; }},
    {"every day in february except the last day of the month",
     [](const Day& d) { return d.month == 2 && d.day != d.last; }},
    {"every day except in july and the last day of the month",
     [](const Day& d) { return d.month != 7 && d.day != d.last; }},
    {"every day except the last day of march and the last day of june",
     [](const Day& d) { return d.day != d.last || (d.month != 3 && d.month != 6); }},
    {"every monday except the first", [](const Day& d) { return d.weekday == 1 && d.day > 7; }},
    {"every friday but the last", [](const Day& d) { return d.weekday == 5 && d.day + 7 <= d.last; }},
    {"weekdays except the last friday of the month",
     [](const Day& d) {
       return d.weekday >= 1 && (d.weekday <= 4 || (d.weekday == 5 && d.day + 7 <= d.last));
     }},
    {"every day except 2nd and 4th saturday",
     [](const Day& d) { return d.weekday != 6 || ((d.day + 6) / 7 != 2 && (d.day + 6) / 7 != 4); }},
    {"every weekday from the 1st to the 7th",
     [](const Day& d) { return d.day <= 7 && d.weekday >= 1 && d.weekday <= 5; }},
    {"mondays in the last 7 days of the month",
     [](const Day& d) { return d.weekday == 1 && d.day + 7 > d.last; }},
};

TEST(Exceptions, what_is_left_is_what_a_walk_through_the_days_finds) {
  const sys_days from = std::chrono::year(2023) / 1 / 1;
  const sys_days to = std::chrono::year(2033) / 1 / 1;
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.phrase);
    const auto translation = translate(one.phrase);
    ASSERT_TRUE(translation) << translation.error().message;
    const auto schedule = Schedule::compile(*translation);
    ASSERT_TRUE(schedule);
    std::vector<sys_seconds> meant;
    for (sys_days day = from; day < to; day += days(1)) {
      const std::chrono::year_month_day date{day};
      const auto last = (date.year() / date.month() / std::chrono::last).day();
      const Day it{static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                   std::chrono::weekday(day).c_encoding(), static_cast<unsigned>(last)};
      if (one.meant(it)) meant.emplace_back(day);
    }
    EXPECT_EQ(schedule->between(from, sys_seconds(to) - seconds(1), 10000), meant);
  }
}

}  // namespace
}  // namespace english_cron::test
