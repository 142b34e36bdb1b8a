// What a handler is given and what it gives back.
#pragma once

#include "base/error.h"
#include "jobs/job.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace sluice::jobs {

struct JobOutcome {
  JobState state = JobState::succeeded;  // or held
  std::string result;                    // JSON; empty = none, or what set_result() left
  std::string reason;                    // held: why
  std::int64_t amount = 0;               // how much was done, in the kind's own unit; summed over each minute
};

// Why the stop token of an attempt was signalled.
enum class StopReason { none, cancelled, shutdown, timeout };

// Lives as long as the attempt; used by the thread of the handler, and by threads it starts and joins.
class JobContext {
 public:
  virtual ~JobContext() = default;
  virtual const Job& job() const = 0;
  virtual int attempt() const = 0;  // 1 = the first
  // Cheap enough to be called for every batch; written at most once a second.
  virtual void progress(const Progress& progress) = 0;
  // At most 10,000 lines a job are kept, each cut at 4 KiB.
  virtual void log(LogLevel level, std::string_view text) = 0;
  // The JSON kept with the job however the attempt ends: a receipt with "applied": false, say.
  virtual void set_result(std::string json) = 0;
  virtual StopReason stop_reason() const = 0;
  // The job that this one followed, with its state and result as they are now; nothing when it has none, or
  // when it was forgotten. Read when it is asked for first, then kept.
  virtual Result<std::optional<Job>> parent() = 0;
};

// Runs on a worker thread. An error that is retryable is tried again by the job's retry policy, any other
// fails the job. When the token was signalled, an error means "I stopped": the job ends deleted (cancelled)
// goes back to the head of its queue (shut-down), or has failed with code "timeout" and is tried again by its
// retry policy (time-out). Must not throw; what it throws fails the job (internal).
using Handler = std::function<Result<JobOutcome>(JobContext&, std::stop_token)>;

}  // namespace sluice::jobs
