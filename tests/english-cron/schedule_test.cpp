#include "english_cron/schedule.h"

#include "tables.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <set>

namespace english_cron::test {
namespace {

using std::chrono::sys_seconds;

Schedule schedule(const std::string& phrase, const std::string& zone = "UTC") {
  const auto translation = translate(phrase, {.zone = zone, .anchor = {}});
  EXPECT_TRUE(translation) << phrase;
  auto compiled = Schedule::compile(*translation);
  EXPECT_TRUE(compiled) << phrase;
  return *compiled;
}

sys_seconds at(const std::string& utc) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  EXPECT_EQ(std::sscanf(utc.c_str(), "%d-%d-%dT%d:%d:%d", &y, &mo, &d, &h, &mi, &s), 6) << utc;
  return std::chrono::sys_days(std::chrono::year(y) / mo / d) + std::chrono::hours(h) +
         std::chrono::minutes(mi) + std::chrono::seconds(s);
}

std::string shown(const std::optional<sys_seconds>& time, const std::string& zone) {
  return time ? format_local(*time, zone) : "none";
}

TEST(Schedule, every_row_of_the_table_fires_as_stated) {
  // expression, zone, from (UTC), then the next occurrences in local time
  for (const Row& row : read_table("occurrences.tsv", 4)) {
    SCOPED_TRACE("occurrences.tsv:" + std::to_string(row.line));
    const std::string& zone = row.cells[1];
    const Schedule compiled = schedule(row.cells[0], zone);
    std::string got;
    auto time = compiled.next(at(row.cells[2]));
    const auto wanted = static_cast<int>(std::count(row.cells[3].begin(), row.cells[3].end(), ' ')) + 1;
    for (int i = 0; i < wanted; ++i) {
      got += (i > 0 ? " " : "") + shown(time, zone);
      if (time) time = compiled.next(*time);
    }
    EXPECT_EQ(got, row.cells[3]);
  }
}

// The reference: walks every minute, asks date/tz what the wall shows, and applies the promises literally.
struct Reference {
  std::set<int> minutes, hours;  // of a daily expression
  bool interval;
  bool matches(date::local_seconds local) const {
    const auto second = (local - date::floor<date::days>(local)).count();
    return minutes.contains(static_cast<int>(second / 60 % 60)) &&
           hours.contains(static_cast<int>(second / 3600));
  }
  std::vector<sys_seconds> occurrences(const std::string& zone_name, sys_seconds from, sys_seconds to) const {
    const date::time_zone* zone = date::locate_zone(zone_name);
    std::vector<sys_seconds> out;
    date::local_seconds latest =
        zone->to_local(from - std::chrono::minutes(1));  // the furthest the wall clock has been
    for (sys_seconds now = from; now < to; now += std::chrono::minutes(1)) {
      const auto before = zone->to_local(now - std::chrono::minutes(1));
      const auto local = zone->to_local(now);
      bool fires = matches(local) && (interval || local > latest);
      for (auto skipped = before + std::chrono::minutes(1); skipped < local;
           skipped += std::chrono::minutes(1)) {
        fires = fires || matches(skipped);
      }
      latest = std::max(latest, local);
      if (fires) out.push_back(now);
    }
    return out;
  }
};

std::set<int> range(int from, int to, int step = 1) {
  std::set<int> out;
  for (int v = from; v <= to; v += step) out.insert(v);
  return out;
}

TEST(Schedule, equals_a_minute_by_minute_reference_around_transitions) {
  struct Case {
    const char* cron;
    Reference reference;
  };
  const std::vector<Case> cases{{"30 2 * * *", {{30}, {2}, false}},
                                {"0 0 * * *", {{0}, {0}, false}},
                                {"15,45 1,2,3 * * *", {{15, 45}, {1, 2, 3}, false}},
                                {"*/20 * * * *", {{0, 20, 40}, range(0, 23), true}},
                                {"30 * * * *", {{30}, range(0, 23), true}},
                                {"10 1-3 * * *", {{10}, {1, 2, 3}, true}},
                                {"0 */2 * * *", {{0}, range(0, 23, 2), true}}};
  struct Span {
    const char* zone;
    const char* from;
    const char* to;
  };
  const std::vector<Span> spans{
      {"Europe/Zurich", "2026-03-27T00:00:00", "2026-03-31T00:00:00"},
      {"Europe/Zurich", "2026-10-23T00:00:00", "2026-10-27T00:00:00"},
      {"America/New_York", "2027-03-12T00:00:00", "2027-03-16T00:00:00"},
      {"America/New_York", "2027-11-05T00:00:00", "2027-11-09T00:00:00"},
      {"Australia/Lord_Howe", "2026-04-03T00:00:00", "2026-04-07T00:00:00"},
      {"Australia/Lord_Howe", "2026-10-02T00:00:00", "2026-10-06T00:00:00"},
      {"Pacific/Apia", "2011-12-27T00:00:00", "2012-01-02T00:00:00"},
      {"America/Sao_Paulo", "2018-11-02T00:00:00", "2018-11-06T00:00:00"},
      {"Asia/Kolkata", "2026-01-01T00:00:00", "2026-01-03T00:00:00"},
  };
  for (const Span& span : spans) {
    for (const Case& one : cases) {
      SCOPED_TRACE(std::string(span.zone) + " " + span.from + " " + one.cron);
      const auto expected = one.reference.occurrences(span.zone, at(span.from), at(span.to));
      const Schedule compiled = schedule(one.cron, span.zone);
      EXPECT_EQ(compiled.between(at(span.from), at(span.to) - std::chrono::seconds(1), 100000), expected);
      std::vector<sys_seconds> backwards;
      auto time = compiled.previous(at(span.to));
      while (time && *time >= at(span.from)) {
        backwards.insert(backwards.begin(), *time);
        time = compiled.previous(*time);
      }
      EXPECT_EQ(backwards, expected);
    }
  }
}

TEST(Schedule, daylight_saving_time_goes_on_after_the_zone_files_end) {
  const Schedule compiled = schedule("0 9 * * *", "Europe/Zurich");
  EXPECT_EQ(shown(compiled.next(at("2050-07-01T00:00:00")), "Europe/Zurich"), "2050-07-01T09:00:00+02:00");
  EXPECT_EQ(shown(compiled.next(at("2050-03-27T00:00:00")), "Europe/Zurich"), "2050-03-27T09:00:00+02:00");
  EXPECT_EQ(shown(compiled.next(at("2050-12-01T00:00:00")), "Europe/Zurich"), "2050-12-01T09:00:00+01:00");
}

TEST(Schedule, impossible_dates_never_fire) {
  for (const char* cron : {"0 0 30 2 *", "0 0 31 4 *", "* * LW * 1#5 ", "0 0 31 2 0"}) {
    const Schedule compiled = schedule(cron);
    if (std::string(cron).find("LW") == std::string::npos) {
      EXPECT_TRUE(compiled.never()) << cron;
      EXPECT_FALSE(compiled.next(at("2026-01-01T00:00:00"))) << cron;
      EXPECT_FALSE(compiled.previous(at("2026-01-01T00:00:00"))) << cron;
    }
  }
  EXPECT_TRUE(schedule("never").never());
  EXPECT_FALSE(schedule("0 0 29 2 *").never());
}

TEST(Schedule, inclusive_and_fractions_of_a_second) {
  const Schedule compiled = schedule("0 9 * * *");
  const auto nine = at("2026-01-05T09:00:00");
  EXPECT_EQ(compiled.next(nine, true), nine);
  EXPECT_EQ(compiled.next(nine), nine + std::chrono::days(1));
  EXPECT_EQ(compiled.next(nine - std::chrono::microseconds(1)), nine);
  EXPECT_EQ(compiled.next(nine + std::chrono::microseconds(1), true), nine + std::chrono::days(1));
  EXPECT_EQ(compiled.previous(nine, true), nine);
  EXPECT_EQ(compiled.previous(nine + std::chrono::microseconds(1)), nine);
}

TEST(Intervals, next_and_previous_agree) {
  for (const char* phrase :
       {"every 7 hours", "every 25 minutes", "every 17 seconds", "every 2 weeks on monday at 2:30",
        "every 3 days starting 2026-01-05 at 2:30", "every month starting 2026-01-31 at 9:00",
        "every 2 weeks on monday and thursday at 2:30 and 17:00"}) {
    const Schedule compiled = schedule(phrase, "Europe/Zurich");
    const auto forward = compiled.between(at("2026-03-01T00:00:00"), at("2027-04-01T00:00:00"), 2000);
    ASSERT_GT(forward.size(), 10U) << phrase;
    std::vector<sys_seconds> backwards{forward.back()};
    while (backwards.size() < forward.size()) {
      const auto before = compiled.previous(backwards.back());
      ASSERT_TRUE(before) << phrase;
      backwards.push_back(*before);
    }
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_EQ(backwards, forward) << phrase;
  }
}

TEST(Intervals, nothing_happens_before_a_start_date) {
  const Schedule compiled = schedule("every 3 days starting 2026-01-05 at 9:00");
  EXPECT_EQ(compiled.next(at("2020-01-01T00:00:00")), at("2026-01-05T09:00:00"));
  EXPECT_FALSE(compiled.previous(at("2026-01-05T09:00:00")));
}

TEST(Schedule, compile_names_what_is_wrong) {
  Translation broken;
  broken.zone = "Nowhere/Land";
  broken.crons = {"0 9 * * *"};
  EXPECT_FALSE(Schedule::compile(broken));
  broken.zone = "UTC";
  broken.crons = {"0 99 * * *"};
  const auto got = Schedule::compile(broken);
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("hour"), std::string::npos);
}

}  // namespace
}  // namespace english_cron::test
