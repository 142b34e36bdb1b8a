// Cancelling within a transaction, on PostgreSQL.
#pragma once

#include "jobs/postgres/rows.h"
#include "jobs/store.h"

#include <string_view>

namespace sluice::jobs {

inline constexpr std::string_view kCancelledByTick = "its schedule fired again (overlap: cancelOld)";

// JobStore::cancel() in the caller's transaction.
Result<Cancelled> cancel_one(Database& database, JobId id, std::string_view reason, Timestamp now);

}  // namespace sluice::jobs
