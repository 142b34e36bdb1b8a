// The history of a job as both stores keep it: a JSON array a line, in one text beside the job.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "jobs/job.h"
#include "jobs/state.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// One line, its end included: [state, at, attempt, "node", "reason"]. The time is in microseconds of UTC.
std::string history_line(JobState state, Timestamp at, int attempt, std::string_view node,
                         std::string_view reason);
// An error (malformed) names the job whose history this program does not know.
Result<std::vector<StateChange>> read_history(JobId job, std::string_view lines);

}  // namespace sluice::jobs
