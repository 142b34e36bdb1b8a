// Every occurrence around every change of the clocks, in twelve zones, against a reference that walks the
// time line and applies the README's promises literally. It knows nothing of masks, segments or searches.
#include "english_cron/schedule.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace english_cron::test {
namespace {

using std::chrono::sys_seconds;
using Local = date::local_seconds;

// One expression twice: as cron text, and as a plain question about a wall-clock time.
struct Case {
  const char* cron;
  bool interval;  // runs in both passes of a repeated hour
  std::function<bool(int day, int weekday, int hour, int minute, int second)> matches;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"30 2 * * *", false, [](int, int, int h, int m, int) { return h == 2 && m == 30; }},
      {"0 0 * * *", false, [](int, int, int h, int m, int) { return h == 0 && m == 0; }},
      {"59 23 * * *", false, [](int, int, int h, int m, int) { return h == 23 && m == 59; }},
      {"15,45 0,1,2,3 * * *", false,
       [](int, int, int h, int m, int) { return h < 4 && (m == 15 || m == 45); }},
      {"0 3 * * 0", false, [](int, int w, int h, int m, int) { return w == 0 && h == 3 && m == 0; }},
      {"* * * * *", true, [](int, int, int, int, int) { return true; }},
      {"*/20 * * * *", true, [](int, int, int, int m, int) { return m % 20 == 0; }},
      {"30 * * * *", true, [](int, int, int, int m, int) { return m == 30; }},
      {"10 1-3 * * *", true, [](int, int, int h, int m, int) { return h >= 1 && h <= 3 && m == 10; }},
      {"0 */2 * * *", true, [](int, int, int h, int m, int) { return h % 2 == 0 && m == 0; }},
      {"*/15 22-4 * * 6,0", true,
       [](int, int w, int h, int m, int) {
         return (h >= 22 || h <= 4) && m % 15 == 0 && (w == 6 || w == 0);
       }},
      {"45 1 25-31 * *", false, [](int d, int, int h, int m, int) { return d >= 25 && h == 1 && m == 45; }},
  };
  return kCases;
}

bool matches(const Case& one, Local local) {
  const auto day = date::floor<date::days>(local);
  const auto second = static_cast<int>((local - day).count());
  const date::year_month_day date{day};
  return one.matches(static_cast<int>(static_cast<unsigned>(date.day())),
                     static_cast<int>(date::weekday(day).c_encoding()), second / 3600, second / 60 % 60,
                     second % 60);
}

// Steps of `step` from `from` to before `to`; both lie on the step's grid.
std::vector<sys_seconds> reference(const Case& one, const date::time_zone* zone, sys_seconds from,
                                   sys_seconds to, std::chrono::seconds step) {
  std::vector<sys_seconds> out;
  Local before = zone->to_local(from - step);
  // The furthest the wall clock has shown: what it shows again is the second pass.
  Local furthest = zone->to_local(from - std::chrono::hours(30));
  for (sys_seconds at = from - std::chrono::hours(30); at < from; at += step)
    furthest = std::max(furthest, zone->to_local(at));
  for (sys_seconds now = from; now < to; now += step) {
    const Local local = zone->to_local(now);
    bool fires = matches(one, local) && (one.interval || local > furthest);
    for (Local skipped = before + step; skipped < local && !fires; skipped += step)
      fires = matches(one, skipped);
    furthest = std::max(furthest, local);
    before = local;
    if (fires) out.push_back(now);
  }
  return out;
}

std::vector<sys_seconds> backwards(const Schedule& schedule, sys_seconds from, sys_seconds to) {
  std::vector<sys_seconds> out;
  auto time = schedule.previous(to);
  while (time && *time >= from) {
    out.push_back(*time);
    time = schedule.previous(*time);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Schedule compiled(const std::string& cron, const std::string& zone) {
  const auto translation = translate(cron, {.zone = zone, .anchor = {}});
  EXPECT_TRUE(translation) << cron;
  return *Schedule::compile(*translation);
}

// The instants at which the offset changes within a span of years.
std::vector<sys_seconds> changes(const date::time_zone* zone, int from_year, int to_year) {
  std::vector<sys_seconds> out;
  const sys_seconds stop{std::chrono::sys_days(std::chrono::year(to_year + 1) / 1 / 1)};
  sys_seconds at{std::chrono::sys_days(std::chrono::year(from_year) / 1 / 1)};
  for (;;) {
    const date::sys_info info = zone->get_info(at);
    if (info.end >= stop) return out;
    out.push_back(info.end);
    at = info.end;
  }
}

struct ZoneYears {
  const char* zone;
  int from, to;
};
// Two past and two coming years; years of rare changes for the zones that no longer change.
constexpr ZoneYears kZones[] = {
    {"Europe/Zurich", 2024, 2028},       {"America/New_York", 2024, 2028},
    {"America/Los_Angeles", 2024, 2028}, {"America/St_Johns", 2024, 2028},
    {"America/Santiago", 2024, 2028},    {"America/Havana", 2024, 2028},
    {"Australia/Lord_Howe", 2024, 2028}, {"Pacific/Auckland", 2024, 2028},
    {"Pacific/Chatham", 2024, 2028},     {"Africa/Casablanca", 2024, 2028},
    {"Asia/Beirut", 2024, 2028},         {"America/Sao_Paulo", 2016, 2019},
    {"Asia/Amman", 2019, 2022},          {"Pacific/Apia", 2010, 2013},
    {"Asia/Pyongyang", 2014, 2019},      {"Antarctica/Troll", 2024, 2028},
    {"Europe/Dublin", 2024, 2028},       {"Asia/Tehran", 2020, 2022},
};

TEST(Transitions, every_occurrence_equals_a_minute_by_minute_reference) {
  int seen = 0;
  for (const ZoneYears& zone : kZones) {
    const date::time_zone* rules = date::locate_zone(zone.zone);
    for (const sys_seconds change : changes(rules, zone.from, zone.to)) {
      const auto day = std::chrono::floor<std::chrono::days>(change);
      const sys_seconds from{day - std::chrono::days(2)};
      const sys_seconds to{day + std::chrono::days(3)};
      for (const Case& one : cases()) {
        SCOPED_TRACE(std::string(zone.zone) + " " + format_local(change, zone.zone) + " " + one.cron);
        const auto expected = reference(one, rules, from, to, std::chrono::minutes(1));
        const Schedule schedule = compiled(one.cron, zone.zone);
        ASSERT_EQ(schedule.between(from, to - std::chrono::seconds(1), 100000), expected);
        ASSERT_EQ(backwards(schedule, from, to), expected);
        ++seen;
      }
    }
  }
  EXPECT_GE(seen, 1200) << "the zone files of this machine know fewer changes than expected";
}

TEST(Transitions, seconds_equal_a_second_by_second_reference) {
  const Case seconds{"*/20 30 1-3 * * *", true, [](int, int, int h, int m, int s) {
                       return h >= 1 && h <= 3 && m == 30 && s % 20 == 0;
                     }};
  const Case fixed{"7 30 2 * * *", false,
                   [](int, int, int h, int m, int s) { return h == 2 && m == 30 && s == 7; }};
  for (const char* zone : {"Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham"}) {
    const date::time_zone* rules = date::locate_zone(zone);
    for (const sys_seconds change : changes(rules, 2026, 2026)) {
      const sys_seconds from = change - std::chrono::hours(6);
      const sys_seconds to = change + std::chrono::hours(6);
      for (const Case* one : {&seconds, &fixed}) {
        SCOPED_TRACE(std::string(zone) + " " + format_local(change, zone) + " " + one->cron);
        const auto expected = reference(*one, rules, from, to, std::chrono::seconds(1));
        const Schedule schedule = compiled(one->cron, zone);
        EXPECT_EQ(schedule.between(from, to - std::chrono::seconds(1), 100000), expected);
        EXPECT_EQ(backwards(schedule, from, to), expected);
      }
    }
  }
}

TEST(Transitions, a_whole_year_equals_the_reference) {
  const std::vector<std::pair<const char*, const char*>> spans{{"Europe/Zurich", "30 2 * * *"},
                                                               {"America/New_York", "0 */2 * * *"},
                                                               {"Pacific/Chatham", "45 1 25-31 * *"}};
  const sys_seconds from{std::chrono::sys_days(std::chrono::year(2027) / 1 / 1)};
  const sys_seconds to{std::chrono::sys_days(std::chrono::year(2028) / 1 / 1)};
  for (const auto& [zone, cron] : spans) {
    SCOPED_TRACE(std::string(zone) + " " + cron);
    const auto one = std::find_if(cases().begin(), cases().end(),
                                  [&cron = cron](const Case& c) { return std::string(c.cron) == cron; });
    ASSERT_NE(one, cases().end());
    const auto expected = reference(*one, date::locate_zone(zone), from, to, std::chrono::minutes(1));
    const Schedule schedule = compiled(cron, zone);
    EXPECT_EQ(schedule.between(from, to - std::chrono::seconds(1), 100000), expected);
    EXPECT_EQ(backwards(schedule, from, to), expected);
  }
}

}  // namespace
}  // namespace english_cron::test
