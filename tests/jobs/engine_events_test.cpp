// What listeners are told: every change of a job carries its subject, so that the page need not ask.
#include "jobs/engine_fixture.h"

#include <map>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class EngineEventsTest : public EngineTest {
 protected:
  // From now on, what is heard of each job.
  Subscription listen(Engine& engine) {
    return engine.subscribe([this](const Change& change) {
      const auto* changed = std::get_if<JobChanged>(&change);
      if (changed == nullptr) return;
      std::lock_guard lock(mutex_);
      heard_[changed->job].push_back(std::string(to_string(changed->state)) + " " + changed->subject);
    });
  }
  std::vector<std::string> heard(JobId id) {
    std::lock_guard lock(mutex_);
    return heard_[id];
  }
  using Lines = std::vector<std::string>;

  std::mutex mutex_;
  std::map<JobId, Lines> heard_;
};

TEST_F(EngineEventsTest, cancel_and_requeue_name_the_subject) {
  auto engine = make();
  start(*engine);
  const auto subscription = listen(*engine);
  const JobId id = engine->enqueue(job()).value();
  EXPECT_EQ(engine->cancel(id, "enough").value(), Cancelled::deleted);
  EXPECT_TRUE(engine->requeue(id, "again"));
  EXPECT_EQ(heard(id), (Lines{"enqueued Country", "deleted Country", "enqueued Country"}));
}

TEST_F(EngineEventsTest, cancelling_a_running_job_names_the_subject) {
  auto engine = make();
  Gate running;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    running.open();
    Gate never;
    never.wait(stop);
    return fail(ErrorCode::cancelled, "stopped");
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  running.wait();
  {
    const auto subscription = listen(*engine);
    EXPECT_EQ(engine->cancel(id, "enough").value(), Cancelled::requested);
    wait(*engine, id);
    engine->stop();
  }
  EXPECT_EQ(heard(id).size(), 2u);
  for (const auto& line : heard(id)) EXPECT_NE(line.find(" Country"), std::string::npos) << line;
}

TEST_F(EngineEventsTest, ticks_and_retiring_name_the_subject) {
  auto engine = make();
  start(*engine);
  const auto subscription = listen(*engine);
  RecurringSpec spec = recurring("*/10 * * * *");
  ASSERT_TRUE(engine->upsert_recurring(std::span(&spec, 1)));
  clock_.advance(10min);
  tick(*engine);
  const JobId first = all().at(0).id;
  clock_.advance(10min);
  tick(*engine);
  const JobId second = all().at(1).id;
  ASSERT_TRUE(engine->retire_recurring("load:Country", "its file is gone"));
  EXPECT_EQ(heard(first), (Lines{"enqueued Country", "deleted Country"}));
  EXPECT_EQ(heard(second), (Lines{"skipped Country"}));
}

TEST_F(EngineEventsTest, a_cancel_that_meets_the_end_of_an_attempt_is_told_as_it_came_out) {
  auto engine = make();
  const auto other_store = open_store(scratch_.path());
  engine->register_handler("load", [&](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    // Asked for in another process, after this attempt has failed and before its end is written.
    EXPECT_EQ(other_store->jobs().cancel(context.job().id, "enough", clock_.now()).value(),
              Cancelled::requested);
    return fail_transient(ErrorCode::timeout, "slow");
  });
  start(*engine);
  NewJob retried = job();
  retried.retry.limit = 9;
  const JobId id = engine->enqueue(retried).value();
  {
    const auto subscription = listen(*engine);
    tick(*engine);
    EXPECT_EQ(after_attempt(*engine, id, 1).state, JobState::deleted);
    engine->stop();
  }
  EXPECT_EQ(heard(id), (Lines{"processing Country", "deleted Country"}));
}

}  // namespace
}  // namespace sluice::jobs
