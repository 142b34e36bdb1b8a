// A job enqueued beside an idle worker is that worker's at once; all others go over the queue.
#include "jobs/engine_fixture.h"

#include <latch>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class HandOverTest : public EngineTest {
 protected:
  // Its thread would look for work in an hour; its jobs wait for the gate.
  std::unique_ptr<Engine> make_live(int workers) {
    auto engine =
        std::make_unique<Engine>(*store_, system_clock_, EngineOptions{.workers = workers, .poll = 1h});
    engine->register_handler("load", [this](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
      if (!gate_.wait(stop)) return fail(ErrorCode::cancelled, "stopped");
      return JobOutcome{};
    });
    return engine;
  }
  SystemClock system_clock_;
  Gate gate_;
};

TEST_F(HandOverTest, a_job_enqueued_beside_an_idle_worker_is_its_own_before_the_call_returns) {
  const auto engine = make_live(2);
  start(*engine);
  const std::vector<NewJob> two(2, job());
  const auto made = engine->enqueue_all(two).value();
  for (const Enqueued& one : made) {
    EXPECT_TRUE(one.created);
    EXPECT_EQ(get(one.id).state, JobState::processing);
    EXPECT_EQ(get(one.id).node, engine->node_id());
  }
  gate_.open();
  for (const Enqueued& one : made) EXPECT_EQ(engine->wait(one.id).value().state, JobState::succeeded);
}

TEST_F(HandOverTest, what_finds_no_idle_worker_waits_in_the_queue_and_runs_in_its_turn) {
  const auto engine = make_live(1);
  start(*engine);
  const JobId first = engine->enqueue(job()).value();
  EXPECT_EQ(get(first).state, JobState::processing);
  const JobId second = engine->enqueue(job()).value();
  EXPECT_EQ(get(second).state, JobState::enqueued);
  gate_.open();
  EXPECT_EQ(engine->wait(second).value().state, JobState::succeeded);
  EXPECT_EQ(get(first).state, JobState::succeeded);
}

TEST_F(HandOverTest, jobs_with_a_key_and_kinds_of_other_nodes_go_over_the_queue) {
  const auto engine = make_live(4);
  start(*engine);
  gate_.open();
  NewJob exclusive = job();
  exclusive.exclusive_key = "Country";
  EXPECT_EQ(engine->wait(engine->enqueue(exclusive).value()).value().state, JobState::succeeded);
  NewJob foreign = job();
  foreign.kind = "mail";
  const JobId id = engine->enqueue(foreign).value();
  EXPECT_EQ(get(id).state, JobState::enqueued);
}

TEST_F(HandOverTest, filters_hear_of_jobs_that_start_at_once) {
  struct Hears : Filter {
    explicit Hears(std::vector<JobId>& ids) : heard(ids) {}
    void enqueued(const NewJob&, const Enqueued& made) override { heard.push_back(made.id); }
    std::vector<JobId>& heard;
  };
  std::vector<JobId> ids;
  const auto engine = make_live(1);
  engine->add_filter(std::make_shared<Hears>(ids));
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  EXPECT_EQ(get(id).state, JobState::processing);
  EXPECT_EQ(ids, std::vector{id});
  gate_.open();
}

TEST_F(HandOverTest, an_engine_that_stops_or_does_not_work_by_itself_takes_nothing_at_once) {
  const auto manual = make();
  manual->register_handler("load", succeeds());
  start(*manual);
  EXPECT_EQ(get(manual->enqueue(job()).value()).state, JobState::enqueued);
  const auto engine = make_live(1);
  start(*engine);
  gate_.open();
  engine->stop();
  const JobId id = engine->enqueue(job()).value();
  EXPECT_EQ(get(id).state, JobState::enqueued) << "left to others";
}

TEST_F(HandOverTest, a_listener_may_enqueue_while_the_engine_is_stopped) {
  const auto engine = make_live(4);
  start(*engine);
  gate_.open();
  std::jthread stopper;
  std::atomic<bool> first = true;
  const auto subscription = engine->subscribe([&](const Change& change) {
    const auto* changed = std::get_if<JobChanged>(&change);
    if (changed == nullptr || changed->state != JobState::enqueued || !first.exchange(false)) return;
    stopper = std::jthread([&] { engine->stop(); });
    EXPECT_TRUE(engine->enqueue(job("Second")));
  });
  ASSERT_TRUE(engine->enqueue(job("First")));
  stopper.join();
  EXPECT_EQ(all().size(), 2u);
}

TEST_F(HandOverTest, stopping_waits_for_what_is_being_handed_over) {
  const auto engine = make_live(8);
  start(*engine);
  gate_.open();
  std::latch under_way(4);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        ASSERT_TRUE(engine->enqueue(job()));
        under_way.count_down();
        for (int n = 1; n < 25; ++n) ASSERT_TRUE(engine->enqueue(job()));
      });
    }
    under_way.wait();
    engine->stop();
  }
  EXPECT_EQ(all().size(), 100u);
  for (const Job& one : all()) {
    EXPECT_TRUE(one.state == JobState::succeeded || one.state == JobState::enqueued);
    EXPECT_EQ(one.crashes, 0);
  }
}

}  // namespace
}  // namespace sluice::jobs
