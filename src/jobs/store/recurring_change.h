// Recurring jobs as a store keeps them: what an upsert changes, and the job that a tick fires.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/recurring.h"
#include "jobs/store.h"
#include "jobs/store/database.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sluice::jobs {

// How long a fired nominal time is remembered beyond the window in which it could be caught up.
inline constexpr std::chrono::hours kRememberFired{7 * 24};

// What `given` makes of what is there; nothing when that stays as it is.
std::optional<Recurring> changed_by(const std::optional<Recurring>& found, const RecurringSpec& given,
                                    const FirePlanner& first_fire);
// Writes the spec with its next time, error and no retirement: a new row or the row of its id.
Result<void> write_recurring(Database& database, const Recurring& recurring, Timestamp now);

// A run of a recurring job has succeeded, or failed for good: failures in a row are counted, and too many of
// them pause it.
struct CountedRun {
  JobId job;
  bool failed = false;
  std::string_view code;  // of the error
};
Result<void> count_run(Database& database, std::string_view recurring_id, const CountedRun& run,
                       Timestamp now);
// Follows their number.
std::string failures_reason(JobId job, std::string_view code);
inline constexpr std::string_view kPausedByItself = "sluice";

// The job that fires for a tick of it.
NewJob run_of(const RecurringSpec& spec);
// Not before then: the nominal time, moved by what the spec's jitter makes of it, the same on every node.
Timestamp jittered(const RecurringSpec& spec, Timestamp fire_at);

// A job of the same key that is not done.
struct Live {
  JobId id;
  JobState state = JobState::enqueued;
  int attempt = 0;
  Timestamp run_at{};
};
// What a tick does about them.
struct Encounter {
  std::optional<Live> blocking;  // the tick is skipped for it
  std::string reason;
  bool cancels = false;  // all of them are cancelled, and the tick fires
};
// `live`: oldest first.
Encounter meet(const RecurringSpec& spec, const Tick& tick, const std::vector<Live>& live);

}  // namespace sluice::jobs
