// Batches: jobs that belong together, created at once and counted together.
#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "jobs/job.h"
#include "jobs/state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// The kind of the job that stands for a batch. No worker runs it: it awaits its members, then ends succeeded
// (all did), failed (one or more did) or deleted (none failed, not all succeeded). So whatever can follow a
// job can follow a batch, and a batch can be a member of another. A failed batch goes on when a member is run
// again.
inline constexpr std::string_view kBatchKind = "batch";

struct NewBatch {
  std::string name;          // what people read
  std::string started_by;    // a person or token; empty for the machine
  std::vector<NewJob> jobs;  // one or more; NewJob::batch is set for them
  JobId batch;               // the batch that this one is a member of; none = it stands alone
};

struct Batch {
  JobId id;  // the job that stands for it; NewJob::parent and NewJob::batch take it
  std::string name, started_by;
  JobState state = JobState::awaiting;
  Timestamp created_at{};
  std::optional<Timestamp> finished_at;
  JobId batch;  // that it is a member of
  // Of its own members; a batch among them counts as one.
  std::int64_t total = 0, succeeded = 0, failed = 0, deleted = 0;  // skipped ones count as deleted
  std::int64_t pending() const { return total - succeeded - failed - deleted; }
};

// What its members make of it; awaiting while some are pending.
JobState batch_state(const Batch& counts);

}  // namespace sluice::jobs
