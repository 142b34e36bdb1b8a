// Batches: the rules, without a database.
#pragma once

#include "base/error.h"
#include "jobs/batch.h"
#include "jobs/store/database.h"

#include <optional>
#include <string>

namespace sluice::jobs {

// How a member's state counts: 0 pending, 1 succeeded, 2 failed, 3 deleted.
constexpr int class_of(JobState state) {
  switch (state) {
    case JobState::succeeded:
      return 1;
    case JobState::failed:
      return 2;
    case JobState::deleted:
    case JobState::skipped:
      return 3;
    default:
      return 0;
  }
}

// The job that stands for the batch.
Result<NewJob> standing_for(const NewBatch& batch);
// `found`: the state of the job that stands for it; none = there is no such batch.
Result<void> may_join(JobId batch, const std::optional<JobState>& found);
// For the history of the job that stands for it.
std::string ended_text(const Batch& counts);
std::string reopened_text();

// id, name, started_by, state, created_at, finished_at, batch, total, succeeded, failed, deleted
Batch read_batch(const Row& row);

}  // namespace sluice::jobs
