// The schedule of a loader or a job as the job engine wants it, and whether a start of the service runs it at
// once.
#pragma once

#include "base/clock.h"
#include "definition/catalog.h"
#include "jobs/recurring.h"

#include <optional>

namespace sluice::service {

inline constexpr std::string_view kLoadKind = "load";
inline constexpr std::string_view kPlanKind = "plan";
inline constexpr std::string_view kUndoKind = "undo";

// "load:Country": stable however the schedule or the file's name changes.
std::string recurring_id(std::string_view loader);
// "job:PurgeSessions".
std::string task_recurring_id(std::string_view task);
std::string recurring_id(const definition::Runnable& runnable);

jobs::RetryPolicy retry_policy(const JobRetrySpec& spec);
jobs::RecurringSpec recurring_spec(const definition::LoaderDefinition& loader);
jobs::RecurringSpec recurring_spec(const definition::TaskDefinition& task);

// What is known of a loader when the service starts or its definition appears.
struct LoaderPast {
  bool ever_loaded = false;                // its table has been loaded by it
  std::optional<Timestamp> last_finished;  // newest job of it that ran, whatever the outcome
};
// runOnStartup, decided. `starting` = the service starts; otherwise a definition was added to a running
// service.
bool runs_now(const definition::LoaderDefinition& loader, const LoaderPast& past, bool starting,
              Timestamp now);
// A job counts as one that has loaded: only a start of the service can run it at once.
bool runs_now(const definition::TaskDefinition& task, const std::optional<Timestamp>& last_finished,
              Timestamp now);

}  // namespace sluice::service
