// Clocks that jump: set back, set forward, years off, a machine that slept, summer time.
#include "jobs/engine_fixture.h"

#include <algorithm>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

class ClockTest : public EngineTest {
 protected:
  ClockTest() {
    clock_.set(at(9, 0));
    spec_.missed = Missed::once;
  }
  static Timestamp at(int hour, int minute, int year = 2026) {
    return sys_days(std::chrono::year(year) / 3 / 10) + std::chrono::hours(hour) +
           std::chrono::minutes(minute);
  }
  std::unique_ptr<Engine> started() {
    auto engine = make();
    engine->register_handler("load", succeeds());
    start(*engine);
    EXPECT_TRUE(engine->upsert_recurring(std::span(&spec_, 1)));
    tick(*engine);
    return engine;
  }
  // Lets time pass in steps, with a tick and the end of what it began at each.
  void pass(Engine& engine, Timestamp until, std::chrono::minutes step = 10min) {
    while (clock_.now() < until) {
      clock_.advance(step);
      tick(engine);
      for (const Job& job : all()) wait(engine, job.id);
    }
  }
  std::vector<Timestamp> fired() {
    std::vector<Timestamp> times;
    for (const Job& job : all()) {
      if (job.fire_at) times.push_back(*job.fire_at);
    }
    return times;
  }
  using Times = std::vector<Timestamp>;

  RecurringSpec spec_ = recurring("*/10 * * * *");
};

TEST_F(ClockTest, set_back_an_hour_fires_no_time_twice_and_is_not_silent_for_an_hour) {
  const auto engine = started();
  pass(*engine, at(9, 30));
  EXPECT_EQ(fired(), (Times{at(9, 10), at(9, 20), at(9, 30)}));
  clock_.set(at(8, 35));
  tick(*engine);
  pass(*engine, at(9, 45));
  EXPECT_EQ(fired(), (Times{at(9, 10), at(9, 20), at(9, 30), at(8, 40), at(8, 50), at(9, 0), at(9, 40)}));
}

TEST_F(ClockTest, set_forward_an_hour_is_like_a_machine_that_slept) {
  const auto engine = started();
  pass(*engine, at(9, 10));
  clock_.set(at(10, 15));
  tick(*engine);
  pass(*engine, at(10, 30), 5min);
  EXPECT_EQ(fired(), (Times{at(9, 10), at(10, 10), at(10, 20), at(10, 30)})) << "the newest missed one, once";
}

TEST_F(ClockTest, years_ahead_and_put_right_the_schedule_goes_on) {
  clock_.set(at(9, 0, 2030));
  auto engine = started();
  pass(*engine, at(9, 10, 2030));
  clock_.set(at(9, 0));
  tick(*engine);
  pass(*engine, at(9, 10));
  EXPECT_EQ(fired(), (Times{at(9, 10, 2030), at(9, 10)}));
}

TEST_F(ClockTest, a_run_that_jitter_put_off_comes_soon_after_the_clock_was_set_back) {
  clock_.set(at(9, 0, 2030));
  spec_.jitter = 5min;
  const auto engine = started();
  clock_.set(at(9, 10, 2030));
  tick(*engine);
  const Job fired = all().at(0);
  ASSERT_EQ(fired.state, JobState::scheduled);
  // One that somebody put off by hand keeps its date.
  NewJob later = job("by hand");
  later.run_at = at(9, 0, 2031);
  const JobId by_hand = engine->enqueue(later).value();
  clock_.set(at(9, 0));
  tick(*engine);
  EXPECT_LE(get(fired.id).run_at, clock_.now() + 5min);
  EXPECT_EQ(get(by_hand).run_at, at(9, 0, 2031));
}

TEST_F(ClockTest, years_ahead_and_put_right_while_nobody_ran) {
  clock_.set(at(9, 0, 2030));
  started().reset();
  clock_.set(at(9, 0));
  auto engine = make();
  engine->register_handler("load", succeeds());
  start(*engine);
  tick(*engine);
  pass(*engine, at(9, 10));
  EXPECT_EQ(fired(), (Times{at(9, 10)}));
}

TEST_F(ClockTest, a_retry_of_a_clock_ahead_waits_no_longer_than_its_policy) {
  clock_.set(at(9, 0, 2030));
  auto engine = make();
  engine->register_handler("load", [](JobContext&, std::stop_token) -> Result<JobOutcome> {
    return fail_transient(ErrorCode::timeout, "slow");
  });
  start(*engine);
  NewJob retried = job();
  retried.retry = {.limit = 3, .delay = 60s, .max_delay = 15min, .jitter = 0};
  const JobId id = engine->enqueue(retried).value();
  NewJob later = job("Later");
  later.run_at = at(12, 0, 2030);
  const JobId by_date = engine->enqueue(later).value();
  tick(*engine);
  EXPECT_EQ(after_attempt(*engine, id, 1).run_at, at(9, 1, 2030));
  clock_.set(at(9, 0));
  tick(*engine);
  EXPECT_EQ(get(id).run_at, at(9, 15));
  EXPECT_EQ(get(by_date).run_at, at(12, 0, 2030)) << "a date is a date";
  clock_.set(at(9, 15));
  EXPECT_EQ(after_attempt(*engine, id, 2).attempt, 2);
}

TEST_F(ClockTest, what_was_paused_or_never_ticks_stays_so) {
  const auto engine = started();
  EXPECT_TRUE(engine->pause_recurring(spec_.id, "ada", "holiday"));
  RecurringSpec never = recurring("never");
  never.id = "load:Never";
  EXPECT_TRUE(engine->upsert_recurring(std::span(&never, 1)));
  clock_.set(at(8, 0));
  tick(*engine);
  const auto all = engine->list_recurring().value();
  EXPECT_EQ(all.size(), 2u);
  for (const Recurring& one : all) EXPECT_FALSE(one.next_fire_at) << one.spec.id;
}

TEST_F(ClockTest, a_time_that_summer_time_leaves_out_or_repeats_fires_once) {
  spec_ = recurring("30 2 * * *");
  spec_.zone = "Europe/Zurich";
  const auto summer = sys_days(std::chrono::year(2026) / 3 / 29);
  clock_.set(summer - 12h);
  const auto engine = started();
  pass(*engine, summer + 36h, 30min);
  EXPECT_EQ(fired(), (Times{summer + 1h, summer + 24h + 30min})) << "at 3:00, the end of the gap";

  const auto winter = sys_days(std::chrono::year(2026) / 10 / 25);
  ASSERT_TRUE(engine->pause_recurring(spec_.id, "ada", "until autumn"));
  clock_.set(winter - 12h);
  ASSERT_TRUE(engine->resume_recurring(spec_.id));
  tick(*engine);
  pass(*engine, winter + 36h, 30min);
  auto times = fired();
  times.erase(times.begin(), std::lower_bound(times.begin(), times.end(), Timestamp(winter)));
  EXPECT_EQ(times, (Times{winter + 30min, winter + 25h + 30min})) << "at the first 2:30";
}

}  // namespace
}  // namespace sluice::jobs
