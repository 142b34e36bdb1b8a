#include "jobs/engine/planner.h"

#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp at(int hour, int minute, int second = 0) {
  return std::chrono::sys_days(std::chrono::year(2026) / 3 / 10) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

Recurring every_ten_minutes(Missed missed, Timestamp next) {
  Recurring recurring;
  recurring.spec.id = "r";
  recurring.spec.kind = "k";
  recurring.spec.phrase = "*/10 * * * *";
  recurring.spec.missed = missed;
  recurring.next_fire_at = next;
  return recurring;
}

std::vector<Timestamp> times(const FirePlan& plan) {
  std::vector<Timestamp> result;
  for (const Tick& tick : plan.ticks) result.push_back(tick.fire_at);
  return result;
}

using Times = std::vector<Timestamp>;

TEST(Planner, a_tick_on_time_fires_under_every_rule) {
  for (const Missed missed : {Missed::skip, Missed::once, Missed::all}) {
    Planner planner;
    const FirePlan plan = planner.due(every_ten_minutes(missed, at(9, 0)), at(9, 0, 2));
    EXPECT_EQ(times(plan), Times{at(9, 0)}) << to_string(missed);
    EXPECT_FALSE(plan.ticks.at(0).catch_up_all);
    EXPECT_EQ(plan.next_fire_at, at(9, 10));
  }
}

TEST(Planner, a_tick_on_time_fires_even_with_no_window) {
  for (const Missed missed : {Missed::skip, Missed::once, Missed::all}) {
    Planner planner;
    Recurring recurring = every_ten_minutes(missed, at(9, 0));
    recurring.spec.catch_up_window = 0ms;
    EXPECT_EQ(times(planner.due(recurring, at(9, 0, 1))), Times{at(9, 0)}) << to_string(missed);
    EXPECT_EQ(times(planner.due(recurring, at(9, 5))), Times{}) << to_string(missed);
  }
}

TEST(Planner, missed_skip_fires_nothing_late) {
  Planner planner;
  const FirePlan plan = planner.due(every_ten_minutes(Missed::skip, at(9, 0)), at(9, 35));
  EXPECT_EQ(times(plan), Times{});
  EXPECT_EQ(plan.next_fire_at, at(9, 40));
}

TEST(Planner, missed_once_fires_the_newest) {
  Planner planner;
  const FirePlan plan = planner.due(every_ten_minutes(Missed::once, at(9, 0)), at(9, 35));
  EXPECT_EQ(times(plan), Times{at(9, 30)});
  EXPECT_EQ(plan.next_fire_at, at(9, 40));
}

TEST(Planner, missed_all_fires_each_oldest_first_and_marks_the_late_ones) {
  Planner planner;
  const FirePlan plan = planner.due(every_ten_minutes(Missed::all, at(9, 0)), at(9, 30, 1));
  EXPECT_EQ(times(plan), (Times{at(9, 0), at(9, 10), at(9, 20), at(9, 30)}));
  EXPECT_TRUE(plan.ticks[0].catch_up_all);
  EXPECT_FALSE(plan.ticks[3].catch_up_all);
}

TEST(Planner, the_window_bounds_what_is_caught_up) {
  Planner planner;
  Recurring recurring = every_ten_minutes(Missed::all, at(9, 0));
  recurring.spec.catch_up_window = 15min;
  EXPECT_EQ(times(planner.due(recurring, at(9, 35))), (Times{at(9, 20), at(9, 30)}));
  recurring.spec.missed = Missed::once;
  recurring.spec.catch_up_window = 2min;
  EXPECT_EQ(times(planner.due(recurring, at(9, 35))), Times{});
}

TEST(Planner, a_long_absence_under_all_is_capped_at_the_newest) {
  Planner planner;
  Recurring recurring = every_ten_minutes(Missed::all, at(0, 0));
  recurring.spec.phrase = "* * * * * *";  // each second
  const FirePlan plan = planner.due(recurring, at(9, 0));
  ASSERT_EQ(plan.ticks.size(), static_cast<std::size_t>(kMaxCatchUp));
  EXPECT_EQ(plan.ticks.back().fire_at, at(9, 0));
  EXPECT_EQ(plan.ticks.front().fire_at, at(9, 0) - std::chrono::seconds(kMaxCatchUp - 1));
}

TEST(Planner, nothing_before_the_stored_next_time_fires_again) {
  Planner planner;
  EXPECT_EQ(times(planner.due(every_ten_minutes(Missed::all, at(9, 10)), at(9, 15))), Times{at(9, 10)});
  EXPECT_EQ(times(planner.due(every_ten_minutes(Missed::all, at(9, 20)), at(9, 15))), Times{});
}

TEST(Planner, the_first_time_counts_from_now) {
  Planner planner;
  const FirePlan plan = planner.first(every_ten_minutes(Missed::all, at(1, 0)), at(9, 5));
  EXPECT_TRUE(plan.ticks.empty());
  EXPECT_EQ(plan.next_fire_at, at(9, 10));
}

TEST(Planner, never_has_no_next_time) {
  Planner planner;
  Recurring recurring = every_ten_minutes(Missed::once, at(9, 0));
  recurring.spec.phrase = "never";
  EXPECT_EQ(planner.first(recurring, at(9, 0)).next_fire_at, std::nullopt);
  EXPECT_TRUE(planner.check(recurring.spec));
}

TEST(Planner, refuses_what_it_cannot_fire_and_says_which) {
  Planner planner;
  RecurringSpec spec;
  spec.id = "load:Country";
  spec.kind = "load";
  spec.phrase = "every blue moon";
  const auto refused = planner.check(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_definition);
  EXPECT_NE(refused.error().describe().find("load:Country"), std::string::npos);
  EXPECT_NE(refused.error().describe().find("every blue moon"), std::string::npos);

  spec.phrase = "every hour";
  EXPECT_TRUE(planner.check(spec));
  for (const Overlap overlap : {Overlap::queue_one, Overlap::allow, Overlap::cancel_old}) {
    spec.overlap = overlap;
    EXPECT_TRUE(planner.check(spec));
  }
  for (const auto jitter : {std::chrono::milliseconds(-1), std::chrono::milliseconds(24h + 1ms)}) {
    spec.jitter = jitter;
    EXPECT_EQ(planner.check(spec).error().code, ErrorCode::invalid_definition);
  }
  spec.jitter = 24h;
  EXPECT_TRUE(planner.check(spec));
  spec.zone = "Mars/Olympus";
  EXPECT_FALSE(planner.check(spec));
}

}  // namespace
}  // namespace sluice::jobs
