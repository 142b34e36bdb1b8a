// The history of a job as both stores keep it: a JSON array a line, in one text beside the job.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "jobs/job.h"
#include "jobs/state.h"
#include "jobs/store/database.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// One line, its end included: [state, at, attempt, "node", "reason"]. The time is in microseconds of UTC.
std::string history_line(JobState state, Timestamp at, int attempt, std::string_view node,
                         std::string_view reason);
// A line that this program does not know is passed over with its number.
std::vector<StateChange> read_history(JobId job, std::string_view lines);

// A history is kept to its first and its newest lines, and a reason to so many bytes: what is tried again for
// months does not grow without end. Lines that were left out leave a gap in StateChange::seq.
inline constexpr std::size_t kFirstLines = 100, kNewestLines = 300, kMostReason = 1024;
std::string cut_history(std::string_view lines);
// Of a job that goes on, in the transaction that makes it so.
Result<void> cut_history(Database& database, JobId job);

}  // namespace sluice::jobs
