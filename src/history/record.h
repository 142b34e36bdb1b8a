// What a run leaves behind in the target database. Written in the transaction that writes the data, so that
// a run is recorded exactly when it happened.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "model/receipt.h"
#include "sql/connection.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::history {

// Creates the tables of this folder where they are missing, and makes anew what somebody dropped. Cheap when
// they are there.
Result<void> prepare_history(sql::Connection& connection);

// The receipt under which this job was applied: an attempt that finds one has nothing left to do. Nothing
// when the job was not applied, or before prepare_history.
Result<std::optional<Receipt>> adopt(sql::Connection& connection, JobId job);

// Records a run under its key (history/run_key.h). Error `conflict` when the job has been applied before:
// roll back and adopt. A run that was not applied (receipt.applied false) is replaced by the next attempt's.
// `changes_logged`: entries that its ChangeWriter wrote.
Result<void> insert_run(sql::Connection& connection, const Receipt& receipt, JobId key, Timestamp finished_at,
                        std::int64_t changes_logged = 0);

}  // namespace sluice::history
