// How an attempt's end is written on SQLite: what the attempt says, unless others decided meanwhile.
#pragma once

#include "jobs/sqlite/database.h"
#include "jobs/sqlite/rows.h"
#include "jobs/store.h"
#include "jobs/store/ending.h"

#include <optional>

namespace sluice::jobs {

Result<std::optional<Held>> look_up(Database& database, JobId id);

// JobStore::complete() for one of them, in the caller's transaction.
Result<std::optional<JobState>> finish(Database& database, Account& account, const Completion& completion,
                                       Timestamp now);

}  // namespace sluice::jobs
