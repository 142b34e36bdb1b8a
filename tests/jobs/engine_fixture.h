// An engine over a fresh SQLite store, a clock that stands still, and no thread of its own: a test says
// tick().
#pragma once

#include "base/clock.h"
#include "jobs/engine.h"
#include "jobs/scratch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace sluice::jobs {

// One side waits until the other opens.
class Gate {
 public:
  void open() {
    {
      std::lock_guard lock(mutex_);
      open_ = true;
    }
    wake_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return open_; });
  }
  // False: stop was requested first.
  bool wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    return wake_.wait(lock, std::move(stop), [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool open_ = false;
};

class EngineTest : public testing::Test {
 protected:
  std::unique_ptr<Engine> make(EngineOptions options = {}) {
    options.own_thread = false;
    options.workers = options.workers == 0 ? 2 : options.workers;
    return std::make_unique<Engine>(*store_, clock_, options);
  }
  void start(Engine& engine) {
    const auto started = engine.start();
    ASSERT_TRUE(started) << started.error().describe();
  }
  std::chrono::milliseconds tick(Engine& engine) {
    const auto ticked = engine.tick();
    EXPECT_TRUE(ticked) << ticked.error().describe();
    return ticked.value_or(std::chrono::milliseconds(0));
  }
  // Ticks until the job rests: a worker may be free only a moment after its job has ended.
  Job wait(Engine& engine, JobId id) {
    for (Job job = get(id);; job = get(id)) {
      if (is_at_rest(job.state)) return job;
      tick(engine);
      std::this_thread::yield();
    }
  }
  // Ticks until its nth attempt is over.
  Job after_attempt(Engine& engine, JobId id, int attempt) {
    for (Job job = get(id);; job = get(id)) {
      const bool under_way = job.state == JobState::enqueued || job.state == JobState::processing;
      if (job.attempt >= attempt && !under_way) return job;
      tick(engine);
      std::this_thread::yield();
    }
  }
  Job get(JobId id) { return store_->queries().get(id).value().value(); }
  static NewJob job(std::string subject = "Country") {
    NewJob job;
    job.kind = "load";
    job.subject = std::move(subject);
    return job;
  }
  static RecurringSpec recurring(std::string phrase = "*/10 * * * *") {
    RecurringSpec spec;
    spec.id = "load:Country";
    spec.kind = "load";
    spec.subject = "Country";
    spec.phrase = std::move(phrase);
    return spec;
  }
  // All jobs, oldest first.
  std::vector<Job> all() {
    auto jobs = store_->queries().list({.limit = 1000}).value();
    std::reverse(jobs.begin(), jobs.end());
    return jobs;
  }

  Scratch scratch_;
  std::unique_ptr<Store> store_ = open_store(scratch_.path());
  ManualClock clock_{std::chrono::sys_days(std::chrono::year(2026) / 3 / 10) + std::chrono::hours(9)};
};

inline Handler succeeds() {
  return [](JobContext&, std::stop_token) -> Result<JobOutcome> { return JobOutcome{}; };
}

}  // namespace sluice::jobs
