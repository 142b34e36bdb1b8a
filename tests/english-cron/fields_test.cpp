// Each field of a cron, for every start, end and some steps, against counting on one's fingers.
#include "english_cron/schedule.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace english_cron::test {
namespace {

struct Field {
  const char* before;  // the fields on the left and on the right
  const char* after;
  int low, high, last;  // `last` is where a wrapped range goes on from `low`
  int (*value)(std::chrono::sys_seconds);
};

int day_second(std::chrono::sys_seconds time) {
  return static_cast<int>((time - std::chrono::floor<std::chrono::days>(time)).count());
}
std::chrono::year_month_day date_of(std::chrono::sys_seconds time) {
  return std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(time)};
}

const Field kFields[] = {
    {"", " * * * * *", 0, 59, 59, [](auto t) { return day_second(t) % 60; }},
    {"", " * * * *", 0, 59, 59, [](auto t) { return day_second(t) / 60 % 60; }},
    {"0 ", " * * *", 0, 23, 23, [](auto t) { return day_second(t) / 3600; }},
    {"0 0 ", " * *", 1, 31, 31,
     [](auto t) { return static_cast<int>(static_cast<unsigned>(date_of(t).day())); }},
    {"0 0 1 ", " *", 1, 12, 12,
     [](auto t) { return static_cast<int>(static_cast<unsigned>(date_of(t).month())); }},
    {"0 0 * * ", "", 0, 6, 6,
     [](auto t) {
       return static_cast<int>(std::chrono::weekday(std::chrono::floor<std::chrono::days>(t)).c_encoding());
     }},
};

std::set<int> values(const Field& field, const std::string& text) {
  Translation cron;
  cron.zone = "UTC";
  cron.crons = {field.before + text + field.after};
  const auto schedule = Schedule::compile(cron);
  EXPECT_TRUE(schedule) << cron.crons.front();
  std::set<int> out;
  if (!schedule) return out;
  // January 2026 has 31 days; a year is walked for months only, since the other fields come round sooner.
  const std::chrono::sys_seconds start{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
  auto time = schedule->next(start, true);
  for (int i = 0; i < 64 && time; ++i, time = schedule->next(*time)) out.insert(field.value(*time));
  return out;
}

TEST(Fields, starts_ranges_and_steps_count_as_on_fingers) {
  for (const Field& field : kFields) {
    const int size = field.last - field.low + 1;
    for (int a = field.low; a <= field.high; ++a) {
      EXPECT_EQ(values(field, std::to_string(a)), std::set<int>{a}) << field.after;
      for (const int step : {1, 2, 3, 5, 7, 11}) {
        if (step >= size) continue;
        std::set<int> from;
        for (int v = a; v <= field.high; v += step) from.insert(v);
        const std::string open = std::to_string(a) + "/" + std::to_string(step);
        EXPECT_EQ(values(field, open), from) << field.before << open << field.after;
        for (int b = field.low; b <= field.high; b += 3) {
          std::set<int> range;
          for (int v = a; v <= (b < a ? b + size : b); v += step)
            range.insert((v - field.low) % size + field.low);
          const std::string text = std::to_string(a) + "-" + std::to_string(b) + "/" + std::to_string(step);
          EXPECT_EQ(values(field, text), range) << field.before << text << field.after;
        }
      }
    }
  }
}

}  // namespace
}  // namespace english_cron::test
