// Under which key a job's record stands in this database. Job ids are unique in one job store only, and a
// database may be loaded from several (another --data folder): two jobs of one number must never be taken for
// each other, or a load would be skipped as "applied already".
#pragma once

#include "base/error.h"
#include "base/id.h"
#include "sql/connection.h"

#include <optional>
#include <string_view>

namespace sluice::history {

// The bits of a run key that hold the job's id; above them stands the number of the job store.
inline constexpr int kStoreShift = 40;

// The key is the job's id for the first store that wrote here, and (n << 40) | id for the n-th further one.
// Registers a store that is new (a write of its own). `store` is jobs::Store::identity().
Result<JobId> run_key(sql::Connection& connection, std::string_view store, JobId job);

// The same for reading: nothing when the store has never written here.
Result<std::optional<JobId>> find_run_key(sql::Connection& connection, std::string_view store, JobId job);

}  // namespace sluice::history
