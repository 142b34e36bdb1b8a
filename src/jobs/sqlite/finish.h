// How attempts end on SQLite: as each says itself, unless others decided meanwhile.
#pragma once

#include "jobs/sqlite/database.h"
#include "jobs/sqlite/rows.h"
#include "jobs/store.h"
#include "jobs/store/ending.h"

#include <optional>
#include <span>
#include <vector>

namespace sluice::jobs {

// A job wherever it is; none = there is no such job.
Result<std::optional<Held>> look_up(Database& database, JobId id);

// JobStore::complete() in the caller's transaction.
Result<std::vector<std::optional<JobState>>> finish(Database& database, Account& account,
                                                    std::span<const Completion> completions, Timestamp now);

// The job's own row takes over how far its attempt had come, from the lease.
Result<void> keep_progress(Database& database, JobId id);

}  // namespace sluice::jobs
