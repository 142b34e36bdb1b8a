// The rules by which jobs follow one another, without a database.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/flow.h"
#include "jobs/job.h"
#include "jobs/store/rows.h"

#include <optional>
#include <string>

namespace sluice::jobs {

// What a new job needs to know of its parent.
struct ParentSeen {
  JobState state = JobState::enqueued;
  std::optional<Timestamp> finished_at;
};

inline std::chrono::milliseconds delay_of(const NewJob& job) {
  return job.delay.value_or(std::chrono::milliseconds(0));
}
// How a job without a parent comes to be.
InsertedJob born(const NewJob& job, Timestamp now);
// How one with a parent comes to be. No parent seen = an error (not_found) that tells what to do.
Result<InsertedJob> born_after(const NewJob& job, const std::optional<ParentSeen>& parent, Timestamp now);
// Why it goes on or ends, for its history.
std::string ended_text(JobId parent, JobState state);

}  // namespace sluice::jobs
