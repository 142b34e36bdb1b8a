// How jobs follow one another: what a parent's end means for those that wait for it.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "jobs/batch.h"
#include "jobs/job.h"
#include "jobs/state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::jobs {

struct JobFilter;

// What becomes of an awaiting job. The one table; docs/job-states.md draws it, and
// tests/jobs/conformance_flow_test.cpp holds both stores to every pair of it.
enum class Consequence : std::uint8_t {
  waits,  // the parent has not ended, or failed and may yet be run again
  runs,
  ends,  // deleted: what it waits for cannot come any more
};
Consequence consequence_of(JobState parent, Follows follows);

// What somebody asks to become of a job.
struct StateRequest {
  // enqueued: runs as soon as it can. scheduled: at `run_at`, which is then given. deleted: it is over; one
  // that runs is asked to stop, as by JobStore::cancel().
  JobState to = JobState::enqueued;
  std::optional<Timestamp> run_at;
  std::optional<JobState> expected;  // only if it is in this state
  std::string reason;                // for its history
};

struct BulkChange {
  int changed = 0;
  int refused = 0;  // in a state, or with a key or schedule, that does not allow it; they stay as they were
  std::optional<JobId> next;  // JobFilter::before of the next call; none = all jobs were looked at
};

class FlowStore {
 public:
  virtual ~FlowStore() = default;
  // The children of a job settle with its end, in the same transaction: the first kSettleAtOnce of them, and
  // of their own children that end with them. Goes on with those left over, up to `limit`; returns how many
  // it settled. Call again while it equals `limit`.
  virtual Result<int> settle(int limit, Timestamp now) = 0;
  // The jobs that follow it or followed it, oldest first. `after`: only larger ids. `limit`: 1 to 1000.
  virtual Result<std::vector<Job>> children(JobId parent, JobId after, int limit) = 0;
  // The state it has now (processing: it was asked to stop). A conflict that names the state found, when that
  // is not the expected one or does not allow it; then nothing was written. A job at rest counts its attempts
  // anew; failed jobs can be deleted, other final ones cannot.
  virtual Result<JobState> change(JobId job, const StateRequest& request, Timestamp now) = 0;
  // change() for the jobs of the filter, newest first, up to its limit, in one transaction. Looks at each job
  // once: go on with `next`, also after a crash.
  virtual Result<BulkChange> change_all(const JobFilter& filter, const StateRequest& request,
                                        Timestamp now) = 0;
  // The batch with all its jobs, or nothing. It ends in the transaction of its last member's end or, on
  // PostgreSQL, right after it or with the next settle(): its counts do not make completions wait.
  virtual Result<JobId> create_batch(const NewBatch& batch, Timestamp now) = 0;
  virtual Result<std::optional<Batch>> batch(JobId id) = 0;
  // Newest first. `before`: only smaller ids. `limit`: 1 to 1000.
  virtual Result<std::vector<Batch>> batches(std::optional<JobId> before, int limit) = 0;
};

inline constexpr int kSettleAtOnce = 1000;

}  // namespace sluice::jobs
