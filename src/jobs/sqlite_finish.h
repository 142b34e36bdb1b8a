// How an attempt's end is written on SQLite: what the attempt says, unless others decided meanwhile.
#pragma once

#include "jobs/sqlite_database.h"
#include "jobs/sqlite_rows.h"
#include "jobs/store.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::jobs {

// What a step needs to know of a job.
struct Held {
  JobState state = JobState::enqueued;
  std::int64_t lease = 0;
  int attempt = 0;
  std::optional<Timestamp> started_at;
  std::string node, exclusive_key;
  bool cancelled = false;  // somebody asked for it; `reason` says who
  std::string reason;
};
Result<std::optional<Held>> look_up(Database& database, JobId id);

// JobStore::complete() for one of them, in the caller's transaction.
Result<std::optional<JobState>> finish(Database& database, Account& account, const Completion& completion,
                                       Timestamp now);

}  // namespace sluice::jobs
