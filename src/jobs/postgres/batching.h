// Batches on PostgreSQL. Ends of members are noted by a trigger, each for itself; folding sums the notes, so
// that completions never wait for a counter.
#pragma once

#include "jobs/postgres/rows.h"

#include <map>

namespace sluice::jobs {

// Holds up the end of the batch until this transaction is over. A conflict when it takes no members any more.
Result<void> lock_batch(Database& database, JobId batch);
// How many members of each batch are new, by state.
using NewMembers = std::map<JobId, std::map<JobState, int>>;
Result<void> note_members(Database& database, const NewMembers& members);
// Sums the notes of up to `most` batches, ends and reopens them. Returns how many there were.
Result<int> fold_batches(PostgresPool& pool, int most, Timestamp now);

}  // namespace sluice::jobs
