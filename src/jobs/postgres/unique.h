// Keys that only one job holds, on PostgreSQL.
#pragma once

#include "jobs/postgres/rows.h"
#include "jobs/store/unique.h"

#include <optional>
#include <string_view>

namespace sluice::jobs {

// The key's row is this transaction's until its end, whoever else wants it, and even when it is new.
Result<KeyHolder> lock_unique_key(Database& database, std::string_view key);
// What enqueueing comes to when another job holds the job's unique key, which is locked; none = it is free.
Result<std::optional<Enqueued>> holder_of(Database& database, Tally& tally, const NewJob& job, Timestamp now);
Result<void> give_key(Database& database, const NewJob& job, JobId id, Timestamp now);

}  // namespace sluice::jobs
