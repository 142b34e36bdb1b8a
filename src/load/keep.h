// What a run leaves behind besides the data: its rejects, and a receipt also when a guard has stopped it.
#pragma once

#include "load/pass.h"
#include "load/run.h"
#include "model/receipt.h"
#include "sql/connection.h"

namespace sluice::load {

// Within the caller's transaction; the run is to be recorded in it afterwards. `applied`: only a run that
// counts says which open rejects did not come again.
Result<void> write_rejects(sql::Connection& connection, JobId key, const LoaderSpec& loader,
                           const PassResult& pass, Timestamp now, bool applied);

// The rejects and the receipt of a run that was stopped, in a transaction of their own.
Result<void> keep_failed(sql::Connection& connection, JobId key, const LoaderSpec& loader,
                         const PassResult& pass, const Receipt& receipt, Timestamp now);

}  // namespace sluice::load
