// Recurring jobs as a store keeps them: what an upsert changes, and the job that a tick fires.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/recurring.h"
#include "jobs/store.h"
#include "jobs/store/database.h"

#include <chrono>
#include <optional>

namespace sluice::jobs {

// How long a fired nominal time is remembered beyond the window in which it could be caught up.
inline constexpr std::chrono::hours kRememberFired{7 * 24};

// What `given` makes of what is there; nothing when that stays as it is.
std::optional<Recurring> changed_by(const std::optional<Recurring>& found, const RecurringSpec& given,
                                    const FirePlanner& first_fire);
// Writes the spec with its next time, error and no retirement: a new row or the row of its id.
Result<void> write_recurring(Database& database, const Recurring& recurring, Timestamp now);

// The job that fires for a tick of it.
NewJob run_of(const RecurringSpec& spec);

}  // namespace sluice::jobs
