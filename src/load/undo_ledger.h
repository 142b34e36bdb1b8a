// Which runs wrote into the table after the one that is to be taken back, and which of its rows they touched.
#pragma once

#include "base/id.h"
#include "history/query.h"
#include "sql/connection.h"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::load {

// Every entry of the run's change log, in order.
using OnEntry = std::function<Result<void>(const history::LoggedEntry& entry)>;
Result<void> each_change(sql::Connection& connection, JobId run, const OnEntry& visit, std::stop_token stop);

// The number of a job as people know it, from the key under which it is recorded.
std::int64_t job_of(JobId key);

struct LaterRuns {
  std::vector<JobId> keys;         // whose changes stand; runs that were taken back are not among them
  std::optional<JobId> undone_by;  // the run itself has been taken back by this one
};
Result<LaterRuns> later_runs(sql::Connection& connection, const history::Run& run);

// The first of the run's rows that any of the later runs has changed, each in words; nothing when there is
// none.
Result<std::vector<std::string>> touched_since(sql::Connection& connection, JobId run, const LaterRuns& later,
                                               std::size_t most, std::stop_token stop);

}  // namespace sluice::load
