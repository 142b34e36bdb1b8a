// What somebody may ask to become of a job: the rules, without a database.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/flow.h"
#include "jobs/job.h"

#include <string_view>

namespace sluice::jobs {

std::unexpected<Error> no_such_job(JobId id);

// The request as it is carried out: a time that has come means now.
StateRequest settled(StateRequest request, Timestamp now);
// A conflict that says what the job is. One that runs may be asked to stop.
Result<void> may_change(JobId id, JobState found, std::string_view kind, const StateRequest& request);
// Whether it counts its attempts anew: it was at rest.
bool counts_anew(JobState found);

// Most jobs of one change_all(): as many as a list has.
inline constexpr int kMostChanged = 1000;
// The jobs that refuse are counted; any other error ends the whole batch.
bool is_refusal(const Error& error);

}  // namespace sluice::jobs
