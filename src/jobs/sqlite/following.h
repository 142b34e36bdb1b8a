// Jobs that follow others, on SQLite.
#pragma once

#include "jobs/sqlite/database.h"
#include "jobs/sqlite/rows.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::jobs {

// How a job that has a parent comes to be. An error when there is no such parent.
Result<InsertedJob> follow(Database& database, const NewJob& job, Timestamp now);

// JobStore::enqueue() in the caller's transaction.
Result<std::vector<Enqueued>> enqueue_in(Database& database, Account& account, std::span<const NewJob> jobs);

// Settles what waits for the jobs that ended in this transaction. `new_awaiting`: how the number of awaiting
// jobs has changed in it; with none at all, nothing but their count is read.
Result<void> settle_ended(Database& database, Account& account, std::int64_t new_awaiting);

}  // namespace sluice::jobs
