// Cancelling within a transaction, on SQLite.
#pragma once

#include "jobs/sqlite/database.h"
#include "jobs/sqlite/rows.h"
#include "jobs/store.h"

#include <string_view>

namespace sluice::jobs {

inline constexpr std::string_view kCancelledByTick = "its schedule fired again (overlap: cancelOld)";

// JobStore::cancel() in the caller's transaction.
Result<Cancelled> cancel_one(Database& database, Account& account, JobId id, std::string_view reason);

}  // namespace sluice::jobs
