#include "jobs/store/batching.h"

#include <fmt/format.h>

namespace sluice::jobs {

JobState batch_state(const Batch& counts) {
  if (counts.pending() > 0) return JobState::awaiting;
  if (counts.failed > 0) return JobState::failed;
  return counts.succeeded == counts.total ? JobState::succeeded : JobState::deleted;
}

Result<NewJob> standing_for(const NewBatch& batch) {
  if (batch.jobs.empty()) {
    return fail(ErrorCode::invalid_argument, "a batch needs one job at least", "batch " + batch.name);
  }
  NewJob job;
  job.kind = kBatchKind;
  job.name = batch.name;
  job.started_by = batch.started_by;
  job.batch = batch.batch;
  return job;
}

Result<void> may_join(JobId batch, const std::optional<JobState>& found) {
  if (!found) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no batch {}; create one, or enqueue without a batch", batch.value()));
  }
  if (*found == JobState::awaiting) return {};
  return fail(ErrorCode::conflict,
              fmt::format("batch {} is {} already; only while a member is pending can others join it",
                          batch.value(), to_string(*found)));
}

std::string ended_text(const Batch& counts) {
  return fmt::format("its {} jobs have ended: {} succeeded, {} failed, {} deleted", counts.total,
                     counts.succeeded, counts.failed, counts.deleted);
}
std::string reopened_text() { return "one of its jobs is run again"; }

Batch read_batch(const Row& row) {
  Batch batch;
  int i = 0;
  batch.id = JobId(row.integer(i++));
  batch.name = row.text(i++);
  batch.started_by = row.text(i++);
  batch.state = static_cast<JobState>(row.integer(i++));
  batch.created_at = row.time(i++);
  batch.finished_at = row.maybe_time(i++);
  batch.batch = JobId(row.integer(i++));
  batch.total = row.integer(i++);
  batch.succeeded = row.integer(i++);
  batch.failed = row.integer(i++);
  batch.deleted = row.integer(i++);
  return batch;
}

}  // namespace sluice::jobs
