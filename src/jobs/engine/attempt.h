// One try of one job: what its handler sees, and how its end becomes a completion.
#pragma once

#include "base/clock.h"
#include "jobs/context.h"
#include "jobs/engine/listeners.h"
#include "jobs/store.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

class Attempt final : public JobContext {
 public:
  Attempt(Claimed claimed, Store& store, Clock& clock, std::shared_ptr<const Listeners> listeners);

  const Job& job() const override { return claimed_.job; }
  const Lease& lease() const { return claimed_.lease; }
  int attempt() const override { return claimed_.job.attempt; }
  void progress(const Progress& progress) override;
  void log(LogLevel level, std::string_view text) override;
  void set_result(std::string json) override;
  StopReason stop_reason() const override { return stop_reason_.load(); }
  Result<std::optional<Job>> parent() override;

  // The first request counts. From any thread.
  void request_stop(StopReason why, std::string_view reason);

  // Calls the handler and says what became of the job. `random` yields a number in [0, 1), for the retry's
  // jitter.
  using Random = std::function<double()>;
  Completion run(const Handler& handler, const Random& random);
  // As if it had never been claimed.
  Completion give_back(std::string_view reason) const;

  // When its time-out is over; none while it has not begun, or has none. From any thread.
  std::optional<std::chrono::steady_clock::time_point> deadline() const;

  // Writes what was logged and reported since the last time. From any thread.
  Result<void> flush();

 private:
  // Drops a result that is too large or no JSON, and says so in the log.
  void keep_result_short(std::string& result);
  Completion finish(JobOutcome outcome);
  Completion finish(const Error& error, const Random& random);
  std::string take_result(std::string from_outcome);

  const Claimed claimed_;
  JobStore& store_;
  JobQueries& queries_;
  Clock& clock_;
  const std::shared_ptr<const Listeners> listeners_;
  std::stop_source stop_;
  std::atomic<StopReason> stop_reason_{StopReason::none};

  std::mutex flush_mutex_;  // one flush at a time, so that lines keep their order
  mutable std::mutex mutex_;
  std::vector<LogLine> lines_;
  std::optional<Progress> unsaved_;
  std::optional<std::chrono::steady_clock::time_point> told_at_;
  std::string result_;
  std::string cancel_reason_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;

  std::mutex parent_mutex_;  // read once, whoever asks
  std::optional<Job> parent_;
};

// Text that a store and a JSON writer can take: valid UTF-8, line by line, cut at `limit` bytes.
std::string clean_text(std::string_view text, std::size_t limit);

}  // namespace sluice::jobs
