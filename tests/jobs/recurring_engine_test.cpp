// Recurring jobs through the engine: nominal times, missed ones, edits, two engines on one file.
#include "jobs/engine_fixture.h"

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class RecurringEngineTest : public EngineTest {
 protected:
  // 09:00; the schedules of these tests tick every ten minutes.
  Timestamp at(int hour, int minute) const {
    return std::chrono::floor<std::chrono::days>(clock_.now()) + std::chrono::hours(hour) +
           std::chrono::minutes(minute);
  }
  void upsert(Engine& engine, RecurringSpec spec) {
    const auto done = engine.upsert_recurring(std::span(&spec, 1));
    ASSERT_TRUE(done) << done.error().describe();
  }
  std::vector<Timestamp> fired_times() {
    std::vector<Timestamp> times;
    for (const Job& job : all()) {
      if (job.fire_at) times.push_back(*job.fire_at);
    }
    return times;
  }
  using Times = std::vector<Timestamp>;
};

TEST_F(RecurringEngineTest, fires_at_its_nominal_times_and_no_sooner) {
  auto engine = make();
  engine->register_handler("load", succeeds());
  start(*engine);
  upsert(*engine, recurring());
  EXPECT_LE(tick(*engine), 250ms);
  EXPECT_TRUE(all().empty());
  clock_.set(at(9, 10) - 100ms);
  EXPECT_EQ(tick(*engine), 100ms) << "sleeps until just then";
  clock_.set(at(9, 10) + 3ms);
  tick(*engine);
  EXPECT_EQ(fired_times(), Times{at(9, 10)});
  EXPECT_EQ(wait(*engine, all().at(0).id).state, JobState::succeeded);
  tick(*engine);
  EXPECT_EQ(fired_times().size(), 1u);
  clock_.set(at(9, 20));
  tick(*engine);
  EXPECT_EQ(fired_times(), (Times{at(9, 10), at(9, 20)}));
}

TEST_F(RecurringEngineTest, a_refused_schedule_changes_nothing) {
  auto engine = make();
  start(*engine);
  std::vector<RecurringSpec> specs = {recurring(), recurring("every blue moon")};
  specs[1].id = "load:Moon";
  const auto done = engine->upsert_recurring(specs);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::invalid_definition);
  EXPECT_NE(done.error().describe().find("load:Moon"), std::string::npos);
  EXPECT_TRUE(engine->list_recurring().value().empty());
}

TEST_F(RecurringEngineTest, after_downtime_each_rule_does_what_it_says) {
  const std::vector<std::pair<Missed, int>> cases = {{Missed::skip, 0}, {Missed::once, 1}, {Missed::all, 6}};
  for (const auto& [missed, jobs] : cases) {
    RecurringSpec spec = recurring();
    spec.id = std::string("r-") + std::string(to_string(missed));
    spec.subject = spec.id;
    spec.missed = missed;
    auto engine = make();
    start(*engine);
    upsert(*engine, spec);
    engine->stop();
  }
  clock_.set(at(10, 5));
  auto engine = make({.workers = 1});
  start(*engine);
  for (const auto& [missed, jobs] : cases) {
    tick(*engine);
    const std::string id = std::string("r-") + std::string(to_string(missed));
    EXPECT_EQ(static_cast<int>(store_->queries().list({.recurring_id = id}).value().size()), jobs) << id;
    EXPECT_EQ(store_->recurring().get(id).value()->next_fire_at, at(10, 10)) << id;
  }
  EXPECT_EQ(store_->queries().list({.recurring_id = "r-once"}).value().at(0).fire_at, at(10, 0))
      << "the newest";
  const auto caught_up = store_->queries().list({.recurring_id = "r-all"}).value();
  for (const Job& job : caught_up) EXPECT_EQ(job.state, JobState::enqueued);
}

TEST_F(RecurringEngineTest, what_was_missed_under_all_runs_in_order_one_at_a_time) {
  auto engine = make({.workers = 4});
  std::mutex mutex;
  Times ran;
  engine->register_handler("load", [&](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    std::lock_guard lock(mutex);
    ran.push_back(context.job().fire_at.value());
    return JobOutcome{};
  });
  start(*engine);
  RecurringSpec spec = recurring();
  spec.missed = Missed::all;
  upsert(*engine, spec);
  clock_.set(at(9, 35));
  tick(*engine);
  for (const Job& job : all()) {
    EXPECT_EQ(wait(*engine, job.id).state, JobState::succeeded);
    tick(*engine);
  }
  EXPECT_EQ(ran, (Times{at(9, 10), at(9, 20), at(9, 30)}));
}

TEST_F(RecurringEngineTest, an_edited_phrase_counts_from_now) {
  auto engine = make();
  start(*engine);
  upsert(*engine, recurring("*/10 * * * *"));
  clock_.set(at(9, 35));  // 09:10, 09:20 and 09:30 have passed unfired
  upsert(*engine, recurring("*/15 * * * *"));
  tick(*engine);
  EXPECT_TRUE(all().empty());
  EXPECT_EQ(engine->list_recurring().value().at(0).next_fire_at, at(9, 45));
}

TEST_F(RecurringEngineTest, a_tick_over_a_running_job_is_skipped) {
  auto engine = make();
  Gate running, finish;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    running.open();
    finish.wait();
    return JobOutcome{};
  });
  start(*engine);
  upsert(*engine, recurring());
  clock_.set(at(9, 10));
  tick(*engine);
  running.wait();
  clock_.set(at(9, 20));
  tick(*engine);
  const auto jobs = all();
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[1].state, JobState::skipped);
  EXPECT_EQ(jobs[1].blocking_job, jobs[0].id);
  EXPECT_EQ(jobs[1].fire_at, at(9, 20));
  finish.open();
  EXPECT_EQ(wait(*engine, jobs[0].id).state, JobState::succeeded);
}

TEST_F(RecurringEngineTest, a_run_by_hand_waits_for_the_running_one_and_leaves_the_schedule_alone) {
  auto engine = make();
  Gate running, finish;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    running.open();
    finish.wait();
    return JobOutcome{};
  });
  start(*engine);
  RecurringSpec spec = recurring();
  spec.retry = {.limit = 2};
  upsert(*engine, spec);
  clock_.set(at(9, 10));
  tick(*engine);
  running.wait();
  const JobId by_hand = engine->run_now("load:Country", Origin::manual, "ada").value();
  tick(*engine);
  const Job waiting = get(by_hand);
  EXPECT_EQ(waiting.state, JobState::enqueued);
  EXPECT_EQ(waiting.origin, Origin::manual);
  EXPECT_EQ(waiting.started_by, "ada");
  EXPECT_EQ(waiting.recurring_id, "load:Country");
  EXPECT_EQ(waiting.max_attempts, 3);
  EXPECT_FALSE(waiting.fire_at);
  EXPECT_EQ(engine->list_recurring().value().at(0).next_fire_at, at(9, 20));
  finish.open();
  wait(*engine, all().at(0).id);
  tick(*engine);
  EXPECT_EQ(wait(*engine, by_hand).state, JobState::succeeded);
  EXPECT_EQ(engine->run_now("nobody", Origin::manual).error().code, ErrorCode::not_found);
}

TEST_F(RecurringEngineTest, pause_resume_and_retire) {
  auto engine = make();
  start(*engine);
  upsert(*engine, recurring());
  ASSERT_TRUE(engine->pause_recurring("load:Country", "ada", "source is down"));
  clock_.set(at(9, 30));
  tick(*engine);
  EXPECT_TRUE(all().empty());
  ASSERT_TRUE(engine->resume_recurring("load:Country"));
  tick(*engine);
  EXPECT_TRUE(all().empty()) << "what passed during the pause is not caught up";
  clock_.set(at(9, 40));
  tick(*engine);
  EXPECT_EQ(fired_times(), Times{at(9, 40)});
  ASSERT_TRUE(engine->retire_recurring("load:Country", "its file is gone"));
  EXPECT_EQ(all().at(0).state, JobState::deleted);
  clock_.set(at(9, 50));
  tick(*engine);
  EXPECT_EQ(all().size(), 1u);
}

TEST_F(RecurringEngineTest, a_source_that_says_tomorrow_does_not_silence_the_schedule) {
  auto engine = make();
  std::atomic<int> tries = 0;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    if (++tries > 1) return JobOutcome{};
    auto error = fail_transient(ErrorCode::rate_limited, "429").error();
    error.retry_after = 24h;
    return std::unexpected(error);
  });
  start(*engine);
  RecurringSpec spec = recurring("*/10 * * * *");
  spec.retry = {.limit = 3, .delay = 60s, .max_delay = 15min};
  upsert(*engine, spec);
  clock_.set(at(9, 10));
  tick(*engine);
  const JobId id = all().at(0).id;
  EXPECT_EQ(after_attempt(*engine, id, 1).run_at, at(9, 20)) << "with the next tick";
  clock_.set(at(9, 20));
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
  EXPECT_EQ(tries, 2);
  clock_.set(at(9, 30));
  tick(*engine);
  EXPECT_EQ(wait(*engine, all().back().id).state, JobState::succeeded);
  EXPECT_EQ(fired_times(), (Times{at(9, 10), at(9, 20), at(9, 30)}));
}

TEST_F(RecurringEngineTest, two_engines_on_one_file_fire_each_time_once) {
  const auto other_store = open_store(scratch_.path());
  auto first = make();
  Engine second(*other_store, clock_, {.workers = 2, .own_thread = false});
  start(*first);
  start(second);
  RecurringSpec spec = recurring();
  spec.missed = Missed::all;
  upsert(*first, spec);
  // No handlers: the ticks alone are looked at. Both engines tick at once, thirty times.
  for (int i = 1; i <= 30; ++i) {
    clock_.set(at(9, 0) + i * 10min);
    std::jthread beside([&] { EXPECT_TRUE(second.tick()); });
    EXPECT_TRUE(first->tick());
  }
  const Times times = fired_times();
  Times expected;
  for (int i = 1; i <= 30; ++i) expected.push_back(at(9, 0) + i * 10min);
  EXPECT_EQ(times, expected);
}

}  // namespace
}  // namespace sluice::jobs
