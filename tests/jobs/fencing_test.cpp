// A node that is taken for dead, and is not, stops what it runs: another one runs it already.
#include "jobs/engine_fixture.h"

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

TEST_F(EngineTest, a_job_taken_from_this_node_is_stopped_within_a_second) {
  auto engine = make({.workers = 1});
  Gate running, stopped, over;
  std::atomic<int> runs = 0;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    if (++runs > 1) return JobOutcome{.result = R"({"run":2})"};
    running.open();
    Gate never;
    never.wait(stop);
    stopped.open();
    over.wait();
    return JobOutcome{.result = R"({"run":1})"};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  running.wait();
  clock_.advance(1s);
  tick(*engine);
  EXPECT_EQ(get(id).state, JobState::processing) << "as long as it is ours, nothing happens";
  ASSERT_TRUE(store_->nodes().leave(engine->node_id(), clock_.now()));  // what a rescuer does
  EXPECT_EQ(get(id).state, JobState::enqueued);
  clock_.advance(1s);
  tick(*engine);
  stopped.wait();
  over.open();
  EXPECT_EQ(wait(*engine, id).result, R"({"run":2})") << "what the lost one gave is refused";
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace sluice::jobs
