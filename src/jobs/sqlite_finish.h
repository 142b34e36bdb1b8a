// How an attempt's end is written on SQLite: what the attempt says, unless others decided meanwhile.
#pragma once

#include "jobs/ending.h"
#include "jobs/sqlite_database.h"
#include "jobs/sqlite_rows.h"
#include "jobs/store.h"

#include <optional>

namespace sluice::jobs {

Result<std::optional<Held>> look_up(Database& database, JobId id);

// JobStore::complete() for one of them, in the caller's transaction.
Result<std::optional<JobState>> finish(Database& database, Account& account, const Completion& completion,
                                       Timestamp now);

}  // namespace sluice::jobs
