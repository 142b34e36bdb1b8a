// The time-out of an attempt, and what an engine lets its workers do.
#include "jobs/engine_fixture.h"

#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class Timeout : public EngineTest {
 protected:
  // Lets the job begin, then the clock run for so long.
  void run_for(Engine& engine, Gate& begun, std::chrono::milliseconds time) {
    tick(engine);
    begun.wait();
    clock_.advance(time);
    tick(engine);
  }
};

Handler listens(Gate& begun) {
  return [&](JobContext& context, std::stop_token stop) -> Result<JobOutcome> {
    begun.open();
    Gate never;
    never.wait(stop);
    EXPECT_EQ(context.stop_reason(), StopReason::timeout);
    return fail(ErrorCode::cancelled, "stopped in the middle");
  };
}

TEST_F(Timeout, an_attempt_is_stopped_and_fails_with_the_code) {
  const auto engine = make();
  Gate begun;
  engine->register_handler("load", listens(begun));
  start(*engine);
  NewJob given = job();
  given.timeout = 5s;
  const JobId id = engine->enqueue(given).value();
  run_for(*engine, begun, 5s);
  const Job done = wait(*engine, id);
  EXPECT_EQ(done.state, JobState::failed);
  ASSERT_TRUE(done.error);
  EXPECT_EQ(done.error->code, "timeout");
  EXPECT_NE(done.error->message.find("time-out of 5000 ms"), std::string::npos) << done.error->message;
  EXPECT_NE(done.error->message.find("stopped in the middle"), std::string::npos) << done.error->message;
}

TEST_F(Timeout, it_is_tried_again_by_the_retry_policy) {
  const auto engine = make();
  Gate begun;
  engine->register_handler("load", listens(begun));
  start(*engine);
  NewJob given = job();
  given.timeout = 5s;
  given.retry = {.limit = 1, .delay = 1h};
  const JobId id = engine->enqueue(given).value();
  run_for(*engine, begun, 6s);
  const Job retried = after_attempt(*engine, id, 1);
  EXPECT_EQ(retried.state, JobState::scheduled);
  EXPECT_EQ(retried.error->code, "timeout");
}

TEST_F(Timeout, what_ends_in_time_or_well_all_the_same_succeeds) {
  const auto engine = make();
  Gate begun;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    begun.open();
    Gate never;
    never.wait(stop);
    return JobOutcome{};  // it was at its end anyway
  });
  start(*engine);
  NewJob given = job();
  given.timeout = 5s;
  const JobId id = engine->enqueue(given).value();
  run_for(*engine, begun, 5s);
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
}

TEST_F(Timeout, the_next_tick_comes_when_it_is_over) {
  const auto engine = make({.poll = 10min});
  Gate begun, end;
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    begun.open();
    end.wait();  // it never listens
    return fail(ErrorCode::io, "too late");
  });
  start(*engine);
  NewJob given = job();
  given.timeout = 5s;
  const JobId id = engine->enqueue(given).value();
  tick(*engine);
  begun.wait();
  EXPECT_LE(tick(*engine), 5s);
  clock_.advance(6s);
  tick(*engine);
  EXPECT_EQ(get(id).state, JobState::processing);  // shown as overdue; nobody kills a thread
  EXPECT_EQ(get(id).timeout, 5s);
  end.open();
  const Job done = wait(*engine, id);
  EXPECT_EQ(done.error->code, "timeout");
}

TEST_F(Timeout, queues_of_an_engine_are_checked_and_served) {
  EXPECT_FALSE(make({.queues = {{"No Queue", 1}}})->start());
  const auto engine = make({.queues = {{"mail", 1}}});
  engine->register_handler("load", succeeds());
  start(*engine);
  NewJob mail = job();
  mail.queue = "mail";
  const JobId other = engine->enqueue(job()).value();
  const JobId mine = engine->enqueue(mail).value();
  EXPECT_EQ(wait(*engine, mine).state, JobState::succeeded);
  EXPECT_EQ(get(other).state, JobState::enqueued);
  mail.queue = "Mail!";
  EXPECT_EQ(engine->enqueue(mail).error().code, ErrorCode::invalid_argument);
  mail = job();
  mail.limit_key = "api";
  EXPECT_EQ(engine->enqueue(mail).error().code, ErrorCode::invalid_argument);
}

TEST_F(Timeout, a_node_that_does_not_work_fires_and_leaves_jobs_to_others) {
  const auto page = make({.workers = 3, .work = false});
  page->register_handler("load", succeeds());
  start(*page);
  EXPECT_EQ(store_->nodes().nodes().value().at(0).workers, 0);
  const std::vector<RecurringSpec> specs = {recurring()};
  ASSERT_TRUE(page->upsert_recurring(specs));
  clock_.advance(10min);
  tick(*page);
  ASSERT_EQ(all().size(), 1u);
  tick(*page);
  EXPECT_EQ(all()[0].state, JobState::enqueued);
  const auto worker = make();
  worker->register_handler("load", succeeds());
  start(*worker);
  EXPECT_EQ(wait(*worker, all()[0].id).state, JobState::succeeded);
}

TEST_F(Timeout, a_queue_is_paused_resumed_and_limited_through_the_engine) {
  const auto engine = make();
  engine->register_handler("load", succeeds());
  start(*engine);
  ASSERT_TRUE(engine->pause_queue("default", "ann", "later"));
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  EXPECT_EQ(get(id).state, JobState::enqueued);
  EXPECT_EQ(store_->queues().list().value().at(0).oldest_waiting, clock_.now());
  ASSERT_TRUE(engine->resume_queue("default"));
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
  ASSERT_TRUE(engine->limit_queue("default", 3));
  EXPECT_EQ(store_->queues().list().value().at(0).max_running, 3);
}

}  // namespace
}  // namespace sluice::jobs
