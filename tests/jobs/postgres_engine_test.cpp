// Engines on one PostgreSQL: they share the work and wake each other.
#include "jobs/engine.h"
#include "jobs/postgres_fixture.h"
#include "support/postgres_proxy.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class PostgresEngine : public testing::Test {
 protected:
  // Nothing but a notice wakes it: it would poll in an hour.
  std::unique_ptr<Engine> make(Store& store, Handler handler) {
    EngineOptions options;
    options.workers = 2;
    options.poll = 1h;
    auto engine = std::make_unique<Engine>(store, clock_, options);
    engine->register_handler("load", std::move(handler));
    return engine;
  }
  static NewJob job() {
    NewJob job;
    job.kind = "load";
    job.subject = "Country";
    return job;
  }

  PostgresSetting setting_;
  SystemClock clock_;
};

TEST_F(PostgresEngine, a_job_that_another_process_enqueues_runs_without_a_poll) {
  const auto store = setting_.open();
  std::mutex mutex;
  std::condition_variable ran;
  bool done = false;
  const auto engine = make(*store, [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    std::lock_guard lock(mutex);
    done = true;
    ran.notify_all();
    return JobOutcome{};
  });
  ASSERT_TRUE(engine->start());
  const auto elsewhere = setting_.open();
  ASSERT_TRUE(elsewhere->nodes().join({.id = "web", .name = "host", .started_at = clock_.now()}));
  const NewJob given = job();
  ASSERT_TRUE(elsewhere->jobs().enqueue(std::span(&given, 1), clock_.now()));
  std::unique_lock lock(mutex);
  ran.wait(lock, [&] { return done; });
}

TEST_F(PostgresEngine, two_engines_share_the_work_and_run_each_job_once) {
  constexpr int kJobs = 200;
  std::mutex mutex;
  std::condition_variable ran;
  std::multiset<std::int64_t> runs;
  const Handler handler = [&](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    std::lock_guard lock(mutex);
    runs.insert(context.job().id.value());
    ran.notify_all();
    return JobOutcome{};
  };
  const auto first_store = setting_.open(), second_store = setting_.open();
  const auto first = make(*first_store, handler), second = make(*second_store, handler);
  ASSERT_TRUE(first->start());
  ASSERT_TRUE(second->start());
  const std::vector<NewJob> jobs(kJobs, job());
  ASSERT_TRUE(first->enqueue_all(jobs));
  {
    std::unique_lock lock(mutex);
    ran.wait(lock, [&] { return runs.size() >= kJobs; });
  }
  first->stop();
  second->stop();
  EXPECT_EQ(runs.size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(std::set(runs.begin(), runs.end()).size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(first_store->queries().counts().value()[static_cast<std::size_t>(JobState::succeeded)], kJobs);
  EXPECT_TRUE(first_store->nodes().nodes().value().empty());
}

TEST_F(PostgresEngine, a_job_that_comes_back_to_the_node_that_lost_it_is_its_newer_attempt) {
  const auto store = setting_.open();
  std::mutex mutex;
  std::condition_variable_any changed;
  int begun = 0;
  bool first_may_end = false;
  const auto engine = make(*store, [&](JobContext& context, std::stop_token stop) -> Result<JobOutcome> {
    if (context.job().subject != "Country") return JobOutcome{};
    std::unique_lock lock(mutex);
    const int mine = ++begun;
    changed.notify_all();
    if (mine == 1) {
      changed.wait(lock, [&] { return first_may_end; });
    } else {
      changed.wait(lock, stop, [] { return false; });
    }
    return fail(ErrorCode::cancelled, "stopped");
  });
  ASSERT_TRUE(engine->start());
  const JobId id = engine->enqueue(job()).value();
  const auto wait_for = [&](int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return begun >= count; });
  };
  wait_for(1);
  // As after a silence of 30 s: others have taken it back.
  setting_.execute(
      "with l as (delete from lease returning *) insert into ready (job, priority, run_at, kind, token, "
      "attempt) select j.id, j.priority, j.run_at, j.kind, l.token + 1, 0 from l join job j on j.id = l.job");
  NewJob other = job();
  other.subject = "other";
  ASSERT_TRUE(engine->wait(engine->enqueue(other).value()));  // one worker is left, and looks around
  wait_for(2);
  {
    std::lock_guard lock(mutex);
    first_may_end = true;
  }
  changed.notify_all();
  ASSERT_TRUE(engine->wait(engine->enqueue(other).value()));  // written after the end of the first attempt
  ASSERT_EQ(engine->cancel(id, "enough").value(), Cancelled::requested);
  EXPECT_EQ(engine->wait(id).value().state, JobState::deleted);
}

// Counts runs, and lets the test wait for them.
class Runs {
 public:
  Handler handler() {
    return [this](JobContext&, std::stop_token) -> Result<JobOutcome> {
      std::lock_guard lock(mutex_);
      ++count_;
      ran_.notify_all();
      return JobOutcome{};
    };
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    ran_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ran_;
  int count_ = 0;
};

class BlackHole : public PostgresEngine {
 protected:
  // An engine whose way to the server may become a black hole, and a store beside it whose way does not.
  void start(std::chrono::milliseconds poll) {
    auto opened = open_postgres_store(Secret(proxy_.url()), {.schema = setting_.schema()});
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = *std::move(opened);
    EngineOptions options;
    options.workers = 2;
    options.poll = poll;
    engine_ = std::make_unique<Engine>(*store_, clock_, options);
    engine_->register_handler("load", runs_.handler());
    ASSERT_TRUE(engine_->start());
    elsewhere_ = setting_.open();
    ASSERT_TRUE(elsewhere_->nodes().join({.id = "web", .name = "host", .started_at = clock_.now()}));
  }
  void enqueue_elsewhere() {
    const NewJob given = job();
    ASSERT_TRUE(elsewhere_->jobs().enqueue(std::span(&given, 1), clock_.now()));
  }

  test::PostgresProxy proxy_{setting_.url()};
  Runs runs_;
  std::unique_ptr<Store> store_, elsewhere_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(BlackHole, a_listening_connection_that_hears_nothing_more_is_replaced) {
  start(1h);
  enqueue_elsewhere();
  runs_.wait_for(1);  // so it listens by now
  ASSERT_GE(proxy_.swallow_listeners(), 1);
  // The notice is swallowed. The next heartbeat is not answered, a new connection is made, and looks.
  enqueue_elsewhere();
  runs_.wait_for(2);
}

TEST_F(BlackHole, polling_goes_on_while_nothing_is_heard) {
  start(20ms);
  enqueue_elsewhere();
  runs_.wait_for(1);
  ASSERT_GE(proxy_.swallow_listeners(true), 1);
  enqueue_elsewhere();
  runs_.wait_for(2);
}

TEST_F(BlackHole, stopping_does_not_wait_for_a_connection_that_is_deaf) {
  auto opened = open_postgres_store(Secret(proxy_.url()), {.schema = setting_.schema()});
  ASSERT_TRUE(opened) << opened.error().describe();
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  (*opened)->nodes().on_change_elsewhere([&] {
    std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  });
  ASSERT_TRUE((*opened)->nodes().join({.id = "n1", .name = "host", .started_at = clock_.now()}));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return told > 0; });  // so it listens by now
  }
  ASSERT_GE(proxy_.swallow_listeners(true), 1);
  const NewJob given = job();
  ASSERT_TRUE(
      (*opened)->jobs().enqueue(std::span(&given, 1), clock_.now()));  // which is told, and not answered
  const auto begun = std::chrono::steady_clock::now();
  opened->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
}

}  // namespace
}  // namespace sluice::jobs
