// How long the record is kept. What is past its time goes in small batches inside the transactions of later
// runs of the same loader: no run waits for a clean-up, and no other process is needed for one.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "sql/connection.h"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace sluice::history {

// Per loader. Of the records, the newest `newest_runs` are kept whatever their age, and the newest of each
// job store for a year at least: a job that was cut off before its store knew of the commit finds it there
// when it is run again. Of the changes, those of the newest `runs_with_changes` that have any are always
// kept: to take back a run, the changes of all later ones are needed too.
struct Retention {
  std::chrono::hours runs{90 * 24};  // as long as the job store keeps failed jobs
  std::int64_t newest_runs = 100;
  std::int64_t most_runs = 10'000;
  std::chrono::hours store_runs{365 * 24};  // the newest record of each job store
  std::chrono::hours changes{30 * 24};
  std::int64_t runs_with_changes = 10;
  std::int64_t most_changes = 1'000'000;
  std::int64_t most_rejects = 20'000;
  // At most so much is removed by one run. Changes: so many, or twice of what the run itself has written, so
  // that what is removed keeps up with what is added.
  std::int64_t batch_runs = 50;
  std::int64_t batch_changes = 5'000;
  std::int64_t batch_rejects = 1'000;
};

// Removes a batch of records and changes past their time, within the caller's transaction. `written`: changes
// that this run has logged.
Result<void> trim_runs(sql::Connection& connection, std::string_view loader, std::int64_t written,
                       Timestamp now, const Retention& retention = {});

// Removes a batch of rejects that were last seen before `cut`, and of the oldest where there are too many.
Result<void> trim_rejects(sql::Connection& connection, std::string_view loader, Timestamp cut,
                          const Retention& retention = {});

}  // namespace sluice::history
