// Writing jobs into PostgreSQL: new ones, their history, and the account of every step.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/postgres/database.h"
#include "jobs/state.h"
#include "jobs/store.h"
#include "jobs/store/database.h"
#include "jobs/store/history.h"
#include "jobs/store/rows.h"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// How a job comes to be, with what NewJob does not say.
struct PostgresNewJob {
  const NewJob* job = nullptr;
  InsertedJob more;
};
// In the order given; `tally` counts them. One statement, however many. `first_of_key`: nobody is known to be
// in their way (which a claim finds out for itself).
Result<std::vector<JobId>> insert_jobs(PostgresPool& pool, Database& database,
                                       std::span<const PostgresNewJob> jobs, Timestamp now, bool touch,
                                       bool first_of_key = false);

// Until the end of the transaction nobody else asks whether a job of the key is live. Other stores (schemas)
// of the database have the same keys, and are not meant.
Result<void> lock_key(Database& database, std::string_view exclusive_key);
// As lock_key() for each, but of what somebody else holds only that it is missing from the answer.
Result<std::set<std::string>> try_lock_keys(Database& database, const std::set<std::string>& exclusive_keys);
// The job of this key that is enqueued, processing or waiting for a retry.
Result<std::optional<JobId>> find_live_job(Database& database, std::string_view exclusive_key);

// Why the recurring job fires no more, if so. Until the end of the transaction it stays as it is.
Result<std::optional<std::string>> retired_for(Database& database, std::string_view recurring_id);

// JobStore::enqueue() in the caller's transaction, for jobs that depend on others: on a parent, a key, a
// batch or a live job.
Result<std::vector<Enqueued>> enqueue_in(PostgresPool& pool, Database& database, std::span<const NewJob> jobs,
                                         Timestamp now);

// Puts a job whose row says `enqueued` where workers find it.
Result<void> make_ready(Database& database, JobId job);

// The counts of one transaction; checks each step against the one table.
class Tally {
 public:
  Tally(Database& database, Timestamp now) : database_(database), now_(now) {}
  Result<void> step(JobId job, JobState from, JobState to, std::int64_t duration_ms = 0,
                    std::int64_t amount = 0);
  void forgotten(JobState state, std::int64_t jobs) { counts_[static_cast<std::size_t>(state)].n -= jobs; }
  // Last thing in the transaction.
  Result<void> close();

 private:
  struct Count {
    std::int64_t n = 0, finished = 0, ms = 0, amount = 0;
  };
  Database& database_;
  const Timestamp now_;
  std::array<Count, kJobStateCount> counts_{};
};

inline Timestamp minute_of(Timestamp now) { return std::chrono::floor<std::chrono::minutes>(now); }

}  // namespace sluice::jobs
