// Batches on SQLite.
#pragma once

#include "jobs/sqlite/rows.h"

#include <span>

namespace sluice::jobs {

// Counts what happened to members in this transaction, and ends or reopens their batches, which may be
// members themselves. With no batch in the store, nothing but that is read.
Result<void> count_members(Database& database, Account& account, std::span<const Account::Moved> moved);

// A conflict when the batch takes no members any more. Counts the new member.
Result<void> join_batch(Database& database, JobId batch, JobState state);

}  // namespace sluice::jobs
