// How an attempt ends: what it says itself, unless others decided meanwhile. The rules, without a database.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/state.h"
#include "jobs/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::jobs {

// What a step needs to know of a job.
struct Held {
  JobState state = JobState::enqueued;
  std::int64_t lease = 0;
  int attempt = 0;
  std::optional<Timestamp> started_at;
  std::string node, exclusive_key;
  bool cancelled = false;  // somebody asked for it; `reason` says who
  std::string reason;
  std::string kind;
  std::string limit_key, recurring_id;
};

struct Ending {
  JobState to = JobState::succeeded;
  std::string reason;              // kept with the job; empty = none
  std::string why;                 // for the history
  std::optional<Timestamp> until;  // the new run_at
  std::int64_t duration_ms = 0;
};

// scheduled or enqueued: whether it may is for others to say too.
bool goes_on(JobState state);

// When a recurring job of the exclusive key fires next, but not at this very moment.
using NextTick = std::function<Result<std::optional<Timestamp>>(std::string_view exclusive_key)>;
// `retired`: why the recurring job it is a run of fires no more, if so; asked for only where it goes_on().
Result<Ending> end_of(const Completion& completion, const Held& held,
                      const std::optional<std::string>& retired, const NextTick& next_tick, Timestamp now);

// What becomes of a job whose node is gone: to the head of its queue, or to its end when it was cancelled or
// crashed too often.
struct TakenBack {
  JobState to = JobState::enqueued;
  std::string reason;
  int crashes = 0;
};
// Why a job is deleted that waited past its latency limit.
std::string late_reason(std::chrono::milliseconds latency_limit);

TakenBack take_back_of(const Held& held, int crashes, const std::optional<std::string>& retired,
                       bool crashed);

}  // namespace sluice::jobs
