// Writing the rows of data/jobs.db, and the account kept of every step.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/job.h"
#include "jobs/recurring.h"
#include "jobs/sqlite/database.h"
#include "jobs/store.h"
#include "jobs/store/history.h"
#include "jobs/store/rows.h"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::jobs {

// Why the recurring job that this one is a run of fires no more; nothing while it does, or when there is
// none.
Result<std::optional<std::string>> retired_reason(Database& database, JobId job);

// The job of this key that is enqueued, processing or waiting for a retry.
Result<std::optional<JobId>> find_live(Database& database, std::string_view exclusive_key);

// A job whose row says `enqueued` is in `ready` while it waits and in `lease` while it runs. Puts it where
// workers find it, and takes it away from there; a job that is not there is left as it is.
Result<void> enter_ready(Database& database, JobId job);
Result<void> leave_ready(Database& database, JobId job);

// The account of one transaction: checks each step against the one table, writes the history, and sums the
// counts so that each changes once.
class Account {
 public:
  Account(Database& database, Timestamp now) : database_(database), now_(now) {}

  // `waits`: an enqueued job is put where workers find it.
  Result<JobId> insert_job(const NewJob& job, const InsertedJob& more, bool waits = true);

  struct Step {
    JobId job;
    JobState from, to;
    int attempt = 0;
    std::string_view node = {};
    std::string_view reason = {};
    std::int64_t duration_ms = 0;
    std::int64_t amount = 0;
  };
  // An error (internal) when the table does not allow it. The job's row is the caller's to update.
  Result<void> step(const Step& step);
  // The same, where the caller writes the history too.
  Result<void> count(const Step& step);
  void forgotten(JobState state, std::int64_t jobs) { count(state, -jobs); }
  // A line of its history without a change of state.
  Result<void> note(JobId job, JobState state, int attempt, std::string_view reason) {
    return add_history(job, history_line(state, now_, attempt, {}, reason));
  }
  // Jobs that ended in this transaction, for those that wait for them.
  struct Ended {
    JobId job;
    JobState state = JobState::succeeded;
    Timestamp at{};
  };
  std::vector<Ended> take_ended() { return std::exchange(ended_, {}); }
  // Jobs that ended, or that go on after their end, for the batches they are members of.
  struct Moved {
    JobId job;
    JobState from = JobState::enqueued, to = JobState::enqueued;
  };
  Timestamp now() const { return now_; }
  // Settles what waited for the jobs that ended, and writes the counts; last thing in the transaction.
  Result<void> close();

 private:
  void count(JobState state, std::int64_t by) { counts_[static_cast<std::size_t>(state)] += by; }
  void finished(JobState state, std::int64_t duration_ms, std::int64_t amount);
  Result<void> add_history(JobId job, std::string_view lines);

  struct Finished {
    std::int64_t jobs = 0, ms = 0, amount = 0;
  };
  Database& database_;
  const Timestamp now_;
  std::array<std::int64_t, kJobStateCount> counts_{};
  std::map<JobState, Finished> finished_;
  std::vector<Ended> ended_;
  std::vector<Moved> moved_;
};

}  // namespace sluice::jobs
