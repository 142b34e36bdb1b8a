// Keys that only one job holds, on SQLite.
#pragma once

#include "jobs/sqlite/database.h"
#include "jobs/sqlite/rows.h"

#include <optional>

namespace sluice::jobs {

// What enqueueing comes to when another job holds the job's unique key; none = the key is free.
Result<std::optional<Enqueued>> holder_of(Database& database, Account& account, const NewJob& job);
Result<void> take_key(Database& database, const NewJob& job, JobId id, Timestamp now);
// For a job at rest that is to live again. A conflict while another one that lives holds its key.
Result<void> take_key_again(Database& database, JobId id);

}  // namespace sluice::jobs
