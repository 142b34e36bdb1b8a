// Jobs that follow others, as the engine runs them.
#include "jobs/engine.h"
#include "jobs/engine_fixture.h"

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

TEST_F(EngineTest, a_child_is_given_its_parents_state_and_result) {
  auto engine = make();
  engine->register_handler("load", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    EXPECT_FALSE(context.parent().value()) << "it follows nobody";
    if (context.job().subject == "bad") return fail(ErrorCode::malformed, "not a table");
    return JobOutcome{.result = R"({"read":3})"};
  });
  engine->register_handler("tell", [](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    const auto parent = context.parent().value();
    if (!parent) return fail(ErrorCode::not_found, "the parent is not there");
    EXPECT_EQ(parent->id, context.job().parent);
    if (parent->state == JobState::failed) return JobOutcome{.result = '"' + parent->error->code + '"'};
    return JobOutcome{.result = parent->result};
  });
  start(*engine);
  const auto told = [&](const char* subject, Follows follows) {
    NewJob child;
    child.kind = "tell";
    child.parent = engine->enqueue(job(subject)).value();
    child.follows = follows;
    return wait(*engine, engine->enqueue(child).value()).result;
  };
  EXPECT_EQ(told("good", Follows::succeeded), R"({"read":3})");
  EXPECT_EQ(told("bad", Follows::not_succeeded), R"("malformed")");
}

TEST_F(EngineTest, a_waiting_child_is_told_of_as_waiting) {
  auto engine = make();
  start(*engine);
  std::vector<JobState> told;
  const auto heard = engine->subscribe([&](const Change& change) {
    if (const auto* job = std::get_if<JobChanged>(&change)) told.push_back(job->state);
  });
  NewJob child = job("child");
  child.parent = engine->enqueue(job()).value();
  ASSERT_TRUE(engine->enqueue(child));
  EXPECT_EQ(told, (std::vector{JobState::enqueued, JobState::awaiting}));
}

TEST_F(EngineTest, goes_on_settling_what_a_job_with_very_many_children_left) {
  auto engine = make();
  start(*engine);
  const JobId parent = engine->enqueue(job()).value();
  NewJob child = job("child");
  child.parent = parent;
  ASSERT_TRUE(engine->enqueue_all(std::vector<NewJob>(2 * kSettleAtOnce + 10, child)));
  EXPECT_EQ(engine->cancel(parent, "no more").value(), Cancelled::deleted);
  tick(*engine);
  tick(*engine);
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::awaiting)], 0);
}

TEST_F(EngineTest, cancelling_a_batch_ends_its_jobs_and_those_of_batches_inside) {
  auto engine = make();
  Gate begun;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    begun.open();
    Gate never;
    never.wait(stop);
    return fail(ErrorCode::cancelled, "stopped");
  });
  start(*engine);
  const JobId outer = engine->create_batch({.name = "all", .jobs = {job("runs")}}).value();
  NewJob waits = job("waits");
  waits.run_at = clock_.now() + 1h;
  NewBatch inside{.name = "inside", .jobs = {waits, waits}};
  inside.batch = outer;
  ASSERT_TRUE(engine->create_batch(inside));
  tick(*engine);
  begun.wait();
  EXPECT_EQ(engine->cancel_batch(outer, "not today").value(), 3);
  EXPECT_EQ(wait(*engine, outer).state, JobState::deleted);
  EXPECT_EQ(store_->flow().batch(outer).value()->deleted, 2);
  EXPECT_EQ(engine->cancel_batch(JobId(4711), "x").error().code, ErrorCode::not_found);
}

TEST_F(EngineTest, the_kind_of_batches_is_no_ones_own) {
  auto engine = make();
  start(*engine);
  NewJob bad = job();
  bad.kind = kBatchKind;
  EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(engine->create_batch({.name = "b", .jobs = {bad}}).error().code, ErrorCode::invalid_argument);
}

TEST_F(EngineTest, refuses_times_that_cannot_be_right) {
  auto engine = make();
  start(*engine);
  NewJob bad = job();
  bad.delay = -1s;
  EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::invalid_argument);
  bad = job();
  bad.unique_for = 1s;
  EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::invalid_argument);
  bad.unique_key = "k";
  bad.unique_for = std::chrono::milliseconds::max();
  EXPECT_EQ(engine->enqueue(bad).error().code, ErrorCode::invalid_argument);
  bad.unique_for = 1s;
  EXPECT_TRUE(engine->enqueue(bad));
}

}  // namespace
}  // namespace sluice::jobs
