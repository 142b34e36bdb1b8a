// Claiming more than the free workers can begin: only where jobs are short, and never for good.
#include "jobs/engine/pace.h"
#include "jobs/engine/worker_pool.h"
#include "jobs/engine_fixture.h"
#include "sql/sqlite.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class PaceTest : public testing::Test {
 protected:
  // So many attempts, each as long as said.
  void ended(int count, std::chrono::nanoseconds took) {
    for (int i = 0; i < count; ++i) pace_.ended(took, now_);
  }
  Pace pace_{4};
  Pace::Steady now_{10h};
};

TEST_F(PaceTest, claims_nothing_ahead_before_it_knows_that_jobs_are_short) {
  pace_.claimed(true, now_);
  EXPECT_EQ(pace_.ahead(now_), 0);
  ended(15, 1us);
  pace_.claimed(true, now_);
  EXPECT_EQ(pace_.ahead(now_), 0);
  ended(1, 1us);
  pace_.claimed(true, now_);
  EXPECT_EQ(pace_.ahead(now_), 4) << "as many as there are workers";
}

TEST_F(PaceTest, doubles_while_there_is_more_up_to_what_the_workers_do_in_a_moment) {
  ended(16, 1ms);
  for (int i = 0; i < 10; ++i) pace_.claimed(true, now_);
  EXPECT_EQ(pace_.ahead(now_), 40);
  ended(200, 1us);
  for (int i = 0; i < 10; ++i) pace_.claimed(true, now_);
  EXPECT_EQ(pace_.ahead(now_), 1000);
  pace_.claimed(false, now_);
  EXPECT_EQ(pace_.ahead(now_), 1000) << "an empty queue says nothing of their length";
}

TEST_F(PaceTest, one_long_job_ends_it) {
  ended(100, 1us);
  for (int i = 0; i < 10; ++i) pace_.claimed(true, now_);
  ended(1, 1s);
  EXPECT_EQ(pace_.ahead(now_), 0);
}

TEST_F(PaceTest, silence_ends_it_too) {
  ended(100, 1us);
  for (int i = 0; i < 10; ++i) pace_.claimed(true, now_);
  EXPECT_EQ(pace_.ahead(now_ + 101ms), 0) << "those under way are long";
  EXPECT_EQ(pace_.surplus(900, now_ + 1s), 0);
  EXPECT_EQ(pace_.surplus(900, now_ + 1001ms), 900);
  pace_.claimed(true, now_ + 1001ms);
  EXPECT_EQ(pace_.surplus(900, now_ + 1002ms), 0) << "what was claimed just now may begin yet";
  pace_.handed_over(now_ + 3s);
  EXPECT_EQ(pace_.surplus(1, now_ + 4s), 0) << "as may what was handed over";
}

TEST_F(PaceTest, what_waits_goes_back_when_the_pace_drops_though_it_goes_on) {
  ended(100, 1us);
  for (int i = 0; i < 10; ++i) pace_.claimed(true, now_);
  now_ += 2s;
  ended(200, 5ms);
  EXPECT_EQ(pace_.ahead(now_), 8);
  EXPECT_EQ(pace_.surplus(900, now_), 892);
  EXPECT_EQ(pace_.surplus(5, now_), 0);
  ended(200, 1s);
  EXPECT_EQ(pace_.surplus(900, now_), 900);
}

class PrefetchTest : public EngineTest {
 protected:
  // Of one worker, which has found jobs to be short; a "long" one then opens `busy_` and waits for `free_`.
  std::unique_ptr<Engine> quick_engine() {
    auto engine = make({.workers = 1});
    engine->register_handler("load", [this](JobContext& context, std::stop_token) -> Result<JobOutcome> {
      if (context.job().subject == "long") {
        busy_.open();
        free_.wait();
      }
      return JobOutcome{};
    });
    start(*engine);
    for (int i = 0; i < 20; ++i) engine->enqueue(job("short")).value();
    while (std::ranges::any_of(all(), [](const Job& one) { return !is_final(one.state); })) {
      tick(*engine);
      std::this_thread::yield();
    }
    return engine;
  }
  Gate busy_, free_;
};

TEST_F(PrefetchTest, jobs_claimed_ahead_go_back_when_the_workers_turn_out_to_be_busy) {
  const auto engine = quick_engine();
  // While the first is run, the two others wait here for the only worker.
  NewJob first = job("long");
  first.priority = 1;
  std::vector<NewJob> jobs = {first, job("short"), job("short")};
  const auto ids = engine->enqueue_all(jobs).value();
  tick(*engine);
  busy_.wait();
  EXPECT_EQ(get(ids[0].id).state, JobState::processing);
  EXPECT_EQ(get(ids[1].id).state, JobState::processing) << "claimed ahead";
  clock_.advance(1s);
  tick(*engine);
  EXPECT_EQ(get(ids[1].id).state, JobState::processing) << "they may have their turn within a second";
  clock_.advance(1s);
  tick(*engine);
  EXPECT_EQ(get(ids[0].id).state, JobState::processing);
  for (const auto& one : {ids[1], ids[2]})  // written beside the tick
    while (get(one.id).state != JobState::enqueued) std::this_thread::yield();
  EXPECT_EQ(get(ids[1].id).attempt, 0);
  const auto other_store = open_store(scratch_.path());
  Engine other(*other_store, clock_, {.workers = 1, .own_thread = false});
  other.register_handler("load", succeeds());
  start(other);
  EXPECT_EQ(wait(other, ids[1].id).node, other.node_id());
  free_.open();
  EXPECT_EQ(wait(*engine, ids[0].id).state, JobState::succeeded);
}

TEST_F(PrefetchTest, what_cannot_be_given_back_now_is_given_back_later) {
  const auto engine = quick_engine();
  NewJob first = job("long");
  first.priority = 1;
  std::vector<NewJob> jobs = {first, job("short")};
  const auto ids = engine->enqueue_all(jobs).value();
  tick(*engine);
  busy_.wait();
  ASSERT_EQ(get(ids[1].id).state, JobState::processing) << "claimed ahead";
  const auto by_hand = [&](const char* sql) {
    ASSERT_TRUE((*sql::open_sqlite(scratch_.path() / "jobs.db"))->execute(sql));
  };
  by_hand("create trigger no_ends before delete on lease begin select raise(abort, 'no'); end");
  for (int i = 0; i < 3; ++i) {
    clock_.advance(1s);
    tick(*engine);
  }
  EXPECT_EQ(get(ids[1].id).state, JobState::processing);
  by_hand("drop trigger no_ends");
  while (get(ids[1].id).state != JobState::enqueued) {
    clock_.advance(1s);  // what the completer's pauses are measured by
    std::this_thread::yield();
  }
  free_.open();
  EXPECT_EQ(wait(*engine, ids[0].id).state, JobState::succeeded);
}

// An engine of one worker that claims ahead, and whose worker is busy until `free_` opens.
class BusyTest : public EngineTest {
 protected:
  ~BusyTest() override { free_.open(); }
  std::vector<Enqueued> enqueue_behind_a_long_one(std::vector<NewJob> jobs) {
    engine_->register_handler("load", [&](JobContext& context, std::stop_token) -> Result<JobOutcome> {
      if (context.job().subject == "long") {
        busy_.open();
        free_.wait();
      }
      return JobOutcome{};
    });
    start(*engine_);
    for (int i = 0; i < 20; ++i) engine_->enqueue(job("short")).value();
    while (std::ranges::any_of(all(), [](const Job& one) { return !is_final(one.state); })) {
      tick(*engine_);
      std::this_thread::yield();
    }
    NewJob first = job("long");
    first.priority = 1;
    jobs.insert(jobs.begin(), first);
    const auto made = engine_->enqueue_all(jobs).value();
    tick(*engine_);
    busy_.wait();
    return made;
  }
  Gate busy_, free_;
  std::unique_ptr<Engine> engine_ = make({.workers = 1});
};

TEST_F(BusyTest, a_job_cancelled_while_it_waits_for_a_worker_ends_at_once) {
  const auto ids = enqueue_behind_a_long_one({job("short"), job("short")});
  ASSERT_EQ(get(ids[1].id).state, JobState::processing) << "claimed ahead";
  EXPECT_EQ(engine_->cancel(ids[1].id, "not wanted any more").value(), Cancelled::requested);
  const Job ended = wait(*engine_, ids[1].id);
  EXPECT_EQ(ended.state, JobState::deleted);
  EXPECT_EQ(ended.reason, "not wanted any more");
  EXPECT_EQ(get(ids[0].id).state, JobState::processing) << "the only worker is still busy";
}

TEST_F(BusyTest, those_with_keys_begin_before_others_of_their_claim_but_not_of_earlier_ones) {
  WorkerPool pool(1, [](const std::shared_ptr<Attempt>&) {}, [](int) {});
  const auto attempt = [&](std::int64_t id, std::string key) {
    Claimed claimed;
    claimed.job.id = JobId(id);
    claimed.job.exclusive_key = std::move(key);
    return std::make_shared<Attempt>(std::move(claimed), *store_, clock_, std::make_shared<Listeners>());
  };
  pool.submit({attempt(1, "")});
  pool.submit({attempt(2, ""), attempt(3, "key")});
  std::vector<std::int64_t> order;
  for (const auto& one : pool.close()) order.push_back(one->job().id.value());
  EXPECT_EQ(order, (std::vector<std::int64_t>{1, 3, 2}));
}

TEST_F(BusyTest, jobs_with_keys_are_not_claimed_ahead_of_their_turn) {
  std::vector<NewJob> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(job("short"));
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(job("short"));
    jobs.back().exclusive_key = fmt::format("key {}", i);
  }
  const auto ids = enqueue_behind_a_long_one(jobs);
  const auto processing = [&](std::size_t from) {
    return std::ranges::count_if(std::span(ids).subspan(from, 3), [&](const Enqueued& one) {
      return get(one.id).state == JobState::processing;
    });
  };
  EXPECT_EQ(processing(1), 3) << "claimed ahead";
  EXPECT_LE(processing(4), 1) << "no more than there are workers";
  free_.open();
  for (const Enqueued& one : ids) EXPECT_EQ(wait(*engine_, one.id).state, JobState::succeeded);
}

TEST_F(PrefetchTest, a_job_tells_how_long_its_handler_ran_not_how_long_it_waited) {
  auto engine = make({.workers = 1});
  engine->register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    clock_.advance(250ms);
    return JobOutcome{};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  EXPECT_EQ(wait(*engine, id).duration_ms, 250);
}

}  // namespace
}  // namespace sluice::jobs
