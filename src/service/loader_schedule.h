// A loader's schedule as the job engine wants it, and whether a start of the service runs it at once.
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

jobs::RetryPolicy retry_policy(const JobRetrySpec& spec);
jobs::RecurringSpec recurring_spec(const definition::LoaderDefinition& loader);

// What is known of a loader when the service starts or its definition appears.
struct LoaderPast {
  bool ever_loaded = false;                // its table has been loaded by it
  std::optional<Timestamp> last_finished;  // newest job of it that ran, whatever the outcome
};
// runOnStartup, decided. `starting` = the service starts; otherwise a definition was added to a running
// service.
bool runs_now(const definition::LoaderDefinition& loader, const LoaderPast& past, bool starting,
              Timestamp now);

}  // namespace sluice::service
