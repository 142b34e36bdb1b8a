// How far the jobs of this process are, as their handlers say it: fresher than what the store keeps once a
// second, and with the rates of the last seconds.
#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "jobs/engine.h"
#include "jobs/job.h"

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace sluice::api {

struct ProgressNow {
  jobs::Progress progress;
  std::int64_t rows_per_second = 0;
  std::int64_t bytes_per_second = 0;
};

// Thread-safe. Engine and clock outlive it.
class LiveProgress {
 public:
  LiveProgress(jobs::Engine& engine, Clock& clock);
  LiveProgress(const LiveProgress&) = delete;
  LiveProgress& operator=(const LiveProgress&) = delete;

  // Nothing for a job that has said nothing yet, has ended, or runs in another process.
  std::optional<ProgressNow> of(JobId job) const;

 private:
  struct Sample {
    std::chrono::steady_clock::time_point at;
    jobs::Progress progress;
  };
  void hear(const jobs::Change& change);

  Clock& clock_;
  mutable std::mutex mutex_;
  std::map<JobId, std::deque<Sample>> samples_;  // of the present phase, the last few seconds
  jobs::Subscription subscription_;              // last: ends before what it writes to
};

}  // namespace sluice::api
