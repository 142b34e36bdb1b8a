#include "jobs/engine.h"

#include "jobs/engine_fixture.h"

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

TEST_F(EngineTest, runs_a_job_and_keeps_its_result) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    EXPECT_EQ(context.job().subject, "Country");
    EXPECT_EQ(context.job().args, R"({"loader":"Country"})");
    EXPECT_EQ(context.attempt(), 1);
    context.log(LogLevel::info, "read 3 rows");
    context.progress({.phase = "read", .rows = 3, .total_rows = 3, .bytes = 30, .total_bytes = 30});
    return JobOutcome{.result = R"({"read":3})"};
  });
  start(*engine);
  NewJob given = job();
  given.args = R"({"loader":"Country"})";
  const JobId id = engine->enqueue(given).value();
  tick(*engine);
  const Job done = wait(*engine, id);
  EXPECT_EQ(done.state, JobState::succeeded);
  EXPECT_EQ(done.result, R"({"read":3})");
  EXPECT_EQ(done.node, engine->node_id());
  EXPECT_EQ(done.progress,
            (Progress{.phase = "read", .rows = 3, .total_rows = 3, .bytes = 30, .total_bytes = 30}));
  const auto log = store_->queries().log(id, 0, 10).value();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].text, "read 3 rows");
}

TEST_F(EngineTest, refuses_a_job_that_cannot_be_right) {
  auto engine = make();
  start(*engine);
  NewJob bad = job();
  for (const char* args : {"", "[1]", "{", "3"}) {
    bad.args = args;
    EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::invalid_argument) << args;
  }
  bad.args = "{\"x\":\"" + std::string(kMaxJobText, 'x') + "\"}";
  EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::too_large);
  bad = job();
  bad.kind = "";
  EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(all().empty());
}

TEST_F(EngineTest, an_error_worth_a_retry_is_tried_again_after_its_pause) {
  auto engine = make();
  std::atomic<int> tries = 0;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    if (++tries < 3) return fail_transient(ErrorCode::timeout, "the source is slow");
    return JobOutcome{};
  });
  start(*engine);
  NewJob retried = job();
  retried.retry = {.limit = 3, .delay = 60s, .jitter = 0};
  const JobId id = engine->enqueue(retried).value();
  tick(*engine);
  Job found = after_attempt(*engine, id, 1);
  EXPECT_EQ(found.state, JobState::scheduled);
  ASSERT_TRUE(found.error);
  EXPECT_EQ(found.error->code, "timeout");
  EXPECT_EQ(found.error->message, "the source is slow");
  EXPECT_EQ(found.run_at, clock_.now() + 60s);

  clock_.advance(59s);
  tick(*engine);
  EXPECT_EQ(get(id).state, JobState::scheduled) << "not yet";
  clock_.advance(1s);
  tick(*engine);
  found = after_attempt(*engine, id, 2);
  EXPECT_EQ(found.state, JobState::scheduled);
  EXPECT_EQ(found.run_at, clock_.now() + 120s) << "doubled";
  clock_.advance(120s);
  found = wait(*engine, id);
  EXPECT_EQ(found.state, JobState::succeeded);
  EXPECT_EQ(found.attempt, 3);
  EXPECT_EQ(tries, 3);
}

TEST_F(EngineTest, retries_end_and_other_errors_are_not_retried) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    context.set_result(R"({"applied":false})");
    if (context.job().subject == "transient") return fail_transient(ErrorCode::timeout, "slow");
    return fail(ErrorCode::malformed, "not JSON");
  });
  start(*engine);
  NewJob transient = job("transient");
  NewJob fatal = job("fatal");
  fatal.retry = {.limit = 5};
  for (const NewJob& one : {transient, fatal}) {
    const JobId id = engine->enqueue(one).value();
    tick(*engine);
    const Job done = wait(*engine, id);
    EXPECT_EQ(done.state, JobState::failed);
    EXPECT_EQ(done.attempt, 1);
    EXPECT_TRUE(done.error);
    EXPECT_EQ(done.result, R"({"applied":false})");
  }
}

TEST_F(EngineTest, the_sources_own_wish_sets_the_pause) {
  auto engine = make();
  engine->register_handler("load", [](JobContext&, std::stop_token) -> Result<JobOutcome> {
    auto error = fail_transient(ErrorCode::rate_limited, "429").error();
    error.retry_after = 10min;
    return std::unexpected(error);
  });
  start(*engine);
  NewJob retried = job();
  retried.retry = {.limit = 3, .delay = 1s};
  const JobId id = engine->enqueue(retried).value();
  tick(*engine);
  EXPECT_EQ(after_attempt(*engine, id, 1).run_at, clock_.now() + 10min);
  retried.retry.max_delay = 5min;
  const JobId impatient = engine->enqueue(retried).value();
  tick(*engine);
  EXPECT_EQ(after_attempt(*engine, impatient, 1).run_at, clock_.now() + 5min) << "no longer than maxDelay";
}

TEST_F(EngineTest, a_handler_that_throws_fails_the_job) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    if (context.job().subject == "odd") throw 3;
    throw std::runtime_error("boom");
  });
  start(*engine);
  for (const char* subject : {"odd", "even"}) {
    const JobId id = engine->enqueue(job(subject)).value();
    tick(*engine);
    const Job done = wait(*engine, id);
    EXPECT_EQ(done.state, JobState::failed);
    EXPECT_EQ(done.error->code, "internal");
  }
  EXPECT_NE(all().back().error->message.find("boom"), std::string::npos);
}

TEST_F(EngineTest, a_held_job_rests_with_its_reason_and_runs_when_approved) {
  auto engine = make();
  std::atomic<bool> approved = false;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    if (approved) return JobOutcome{};
    return JobOutcome{
        .state = JobState::held, .result = R"({"deleted":90})", .reason = "90 % would be deleted"};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  const Job held = wait(*engine, id);
  EXPECT_EQ(held.state, JobState::held);
  EXPECT_EQ(held.reason, "90 % would be deleted");
  EXPECT_EQ(held.result, R"({"deleted":90})");
  approved = true;
  ASSERT_TRUE(engine->requeue(id, "approved by ada"));
  tick(*engine);
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
}

TEST_F(EngineTest, an_outcome_that_is_not_the_handlers_to_give_fails_the_job) {
  auto engine = make();
  engine->register_handler("load", [](JobContext&, std::stop_token) -> Result<JobOutcome> {
    return JobOutcome{.state = JobState::scheduled};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  EXPECT_EQ(wait(*engine, id).error->code, "internal");
}

TEST_F(EngineTest, a_result_too_large_or_no_json_is_dropped_with_a_note) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    if (context.job().subject == "large")
      return JobOutcome{.result = '"' + std::string(kMaxJobText, 'x') + '"'};
    return JobOutcome{.result = "{broken"};
  });
  start(*engine);
  for (const char* subject : {"large", "broken"}) {
    const JobId id = engine->enqueue(job(subject)).value();
    tick(*engine);
    const Job done = wait(*engine, id);
    EXPECT_EQ(done.state, JobState::succeeded);
    EXPECT_EQ(done.result, "");
    EXPECT_EQ(store_->queries().log(id, 0, 10).value().size(), 1u);
  }
}

TEST_F(EngineTest, errors_and_lines_are_valid_text_whatever_the_source_says) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    context.log(LogLevel::error, "bad \xff\x01 bytes");
    return fail(ErrorCode::malformed, "line one\nbad \xfe byte");
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  EXPECT_EQ(wait(*engine, id).error->message, "line one\nbad \xEF\xBF\xBD byte");
  EXPECT_EQ(store_->queries().log(id, 0, 1).value().at(0).text, "bad \xEF\xBF\xBD  bytes");
}

TEST_F(EngineTest, a_running_job_is_cancelled_by_its_stop_token) {
  auto engine = make();
  Gate running;
  engine->register_handler("load", [&](JobContext& context, std::stop_token stop) -> Result<JobOutcome> {
    running.open();
    Gate never;
    never.wait(stop);
    EXPECT_EQ(context.stop_reason(), StopReason::cancelled);
    return fail_transient(ErrorCode::cancelled, "stopped");
  });
  start(*engine);
  NewJob retried = job();
  retried.retry = {.limit = 9};
  const JobId id = engine->enqueue(retried).value();
  tick(*engine);
  running.wait();
  EXPECT_EQ(engine->cancel(id, "wrong file").value(), Cancelled::requested);
  const Job done = wait(*engine, id);
  EXPECT_EQ(done.state, JobState::deleted);
  EXPECT_EQ(done.reason, "wrong file");
  EXPECT_EQ(engine->cancel(id, "again").value(), Cancelled::too_late);
}

TEST_F(EngineTest, another_engine_can_cancel_it) {
  auto runner = make();
  Gate running;
  runner->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    running.open();
    Gate never;
    never.wait(stop);
    return fail(ErrorCode::cancelled, "stopped");
  });
  start(*runner);
  const auto other_store = open_store(scratch_.path());
  Engine other(*other_store, clock_, {.own_thread = false});
  start(other);
  const JobId id = runner->enqueue(job()).value();
  tick(*runner);
  running.wait();
  EXPECT_EQ(other.cancel(id, "from afar").value(), Cancelled::requested);
  tick(*runner);
  EXPECT_EQ(wait(*runner, id).reason, "from afar");
  EXPECT_EQ(wait(other, id).state, JobState::deleted);
}

TEST_F(EngineTest, jobs_of_one_key_run_one_after_the_other) {
  auto engine = make();
  std::atomic<int> now_running = 0, most = 0, ran = 0;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    most = std::max(most.load(), ++now_running);
    ++ran;
    --now_running;
    return JobOutcome{};
  });
  start(*engine);
  NewJob exclusive = job();
  exclusive.exclusive_key = "Country";
  std::vector<JobId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(engine->enqueue(exclusive).value());
  for (const JobId id : ids) {
    tick(*engine);
    wait(*engine, id);
  }
  EXPECT_EQ(ran, 5);
  EXPECT_EQ(most, 1);
}

TEST_F(EngineTest, shut_down_stops_what_runs_and_does_not_count_it) {
  auto engine = make({.workers = 1});
  Gate running;
  engine->register_handler("load", [&](JobContext& context, std::stop_token stop) -> Result<JobOutcome> {
    running.open();
    Gate never;
    never.wait(stop);
    EXPECT_EQ(context.stop_reason(), StopReason::shutdown);
    return fail(ErrorCode::cancelled, "stopped");
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  running.wait();
  engine->stop(0ms);
  const Job found = get(id);
  EXPECT_EQ(found.state, JobState::enqueued);
  EXPECT_EQ(found.attempt, 0);
  EXPECT_EQ(found.crashes, 0);
  EXPECT_TRUE(store_->nodes().nodes().value().empty());
}

TEST_F(EngineTest, shut_down_lets_jobs_end_in_their_time) {
  auto engine = make();
  Gate running, finish;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    running.open();
    if (!finish.wait(stop)) return fail(ErrorCode::cancelled, "stopped");
    return JobOutcome{};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  running.wait();
  std::jthread stopper([&] { engine->stop(1h); });
  finish.open();
  stopper.join();
  EXPECT_EQ(get(id).state, JobState::succeeded);
}

TEST_F(EngineTest, starts_once_and_stops_twice) {
  auto engine = make();
  start(*engine);
  EXPECT_EQ(engine->start().error().code, ErrorCode::conflict);
  engine->stop();
  engine->stop();
  EXPECT_FALSE(engine->start());
  EXPECT_FALSE(engine->tick());
  make()->stop();  // never started
}

TEST_F(EngineTest, waiting_can_be_stopped) {
  auto engine = make();
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(engine->wait(id, stop.get_token()).error().code, ErrorCode::cancelled);
  EXPECT_EQ(engine->wait(JobId(77)).error().code, ErrorCode::not_found);
}

TEST_F(EngineTest, a_job_of_this_process_alone_runs_beside_a_service) {
  auto service = make();
  std::atomic<int> in_service = 0, here = 0;
  service->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    ++in_service;
    return JobOutcome{};
  });
  start(*service);
  const auto my_store = open_store(scratch_.path());
  Engine mine(*my_store, clock_,
              {.workers = 1, .fire_recurring = false, .only_pinned = true, .own_thread = false});
  mine.register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    ++here;
    return JobOutcome{};
  });
  start(mine);
  const JobId theirs = service->enqueue(job()).value();
  const JobId ours = mine.run_here(job()).value();
  tick(mine);
  tick(*service);
  EXPECT_EQ(wait(mine, ours).node, mine.node_id());
  EXPECT_EQ(wait(*service, theirs).node, service->node_id());
  EXPECT_EQ(in_service, 1);
  EXPECT_EQ(here, 1);
}

TEST_F(EngineTest, a_due_job_that_no_worker_is_free_for_does_not_keep_the_engine_busy) {
  const auto engine = make({.workers = 1});
  Gate gate;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    gate.wait(stop);
    return JobOutcome{};
  });
  start(*engine);
  NewJob job;
  job.kind = "load";
  ASSERT_TRUE(engine->enqueue(job));
  tick(*engine);
  NewJob later = job;
  later.run_at = clock_.now() + std::chrono::seconds(1);
  const JobId waits = engine->enqueue(later).value();
  clock_.advance(std::chrono::seconds(2));
  tick(*engine);
  EXPECT_GT(tick(*engine), std::chrono::milliseconds(0));
  EXPECT_GT(tick(*engine), std::chrono::milliseconds(0));
  gate.open();
  EXPECT_EQ(wait(*engine, waits).state, JobState::succeeded);
}

TEST_F(EngineTest, listeners_hear_of_each_step_until_they_leave) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    context.progress({.rows = 1});
    context.progress({.rows = 2});  // within a tenth of a second: not told
    return JobOutcome{};
  });
  start(*engine);
  std::mutex mutex;
  std::vector<std::string> heard;
  Gate done;
  {
    const auto subscription = engine->subscribe([&](const Change& change) {
      std::lock_guard lock(mutex);
      if (const auto* changed = std::get_if<JobChanged>(&change)) {
        heard.emplace_back(to_string(changed->state));
        if (is_final(changed->state)) done.open();
      }
      if (const auto* progress = std::get_if<ProgressChanged>(&change))
        heard.push_back(std::to_string(progress->progress.rows));
    });
    engine->enqueue(job()).value();
    tick(*engine);
    done.wait();
  }
  EXPECT_EQ(heard, (std::vector<std::string>{"enqueued", "processing", "1", "succeeded"}));
  engine->enqueue(job()).value();
  EXPECT_EQ(heard.size(), 4u);
}

TEST_F(EngineTest, its_own_thread_does_all_this_by_itself) {
  SystemClock clock;
  Engine engine(*store_, clock, {.workers = 2});
  engine.register_handler("load", succeeds());
  start(engine);
  RecurringSpec each_second = recurring("* * * * * *");
  ASSERT_TRUE(engine.upsert_recurring(std::span(&each_second, 1)));
  Gate fired;
  const auto subscription = engine.subscribe([&](const Change& change) {
    const auto* job = std::get_if<JobChanged>(&change);
    if (job && job->state == JobState::succeeded && job->subject == "Country") fired.open();
  });
  const JobId id = engine.enqueue(job("now")).value();
  EXPECT_EQ(engine.wait(id).value().state, JobState::succeeded);
  fired.wait();
}

TEST_F(EngineTest, old_jobs_are_forgotten) {
  auto engine = make({.retention = {.deleted = 1h}});
  engine->register_handler("load", succeeds());
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  engine->cancel(id, "x").value();
  tick(*engine);
  EXPECT_EQ(all().size(), 1u);
  clock_.advance(2h);
  tick(*engine);
  EXPECT_TRUE(all().empty());
}

}  // namespace
}  // namespace sluice::jobs
