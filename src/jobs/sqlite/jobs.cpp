// Enqueue, complete, cancel on SQLite.
#include "jobs/sqlite/batching.h"
#include "jobs/sqlite/finish.h"
#include "jobs/sqlite/following.h"
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"
#include "jobs/sqlite/unique.h"
#include "jobs/store/following.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

constexpr std::int64_t kMostLogLines = 10'000;
// So many jobs are written in one transaction with what others write.
constexpr std::size_t kFew = 20;

}  // namespace

Result<std::vector<Enqueued>> enqueue_in(Database& database, Account& account, std::span<const NewJob> jobs) {
  std::vector<Enqueued> made;
  made.reserve(jobs.size());
  for (const NewJob& job : jobs) {
    if (job.unless_live && !job.exclusive_key.empty()) {
      SLUICE_TRY(const auto live, find_live(database, job.exclusive_key));
      if (live) {
        made.push_back({*live, false});
        continue;
      }
    }
    if (!job.unique_key.empty()) {
      SLUICE_TRY(const auto holder, holder_of(database, account, job));
      if (holder) {
        made.push_back(*holder);
        continue;
      }
    }
    if (!job.limit_key.empty()) SLUICE_CHECK(save_rule(database, job.limit_key, job.limit));
    InsertedJob more = born(job, account.now());
    if (job.parent) {
      SLUICE_TRY(more, follow(database, job, account.now()));
    }
    if (job.batch) SLUICE_CHECK(join_batch(database, job.batch, more.state));
    SLUICE_TRY(const JobId id, account.insert_job(job, more));
    if (!job.unique_key.empty()) SLUICE_CHECK(take_key(database, job, id, account.now()));
    if (more.state == JobState::enqueued)
      SLUICE_CHECK(put_aside_if_blocked(database, id, job, account.now()));
    made.push_back({id, true, more.state});
  }
  return made;
}

Result<std::vector<Enqueued>> SqliteJobStore::enqueue(std::span<const NewJob> jobs, Timestamp now) {
  const auto work = [&](Database& database) -> Result<std::vector<Enqueued>> {
    Account account(database, now);
    SLUICE_TRY(auto made, sluice::jobs::enqueue_in(database, account, jobs));
    SLUICE_CHECK(account.close());
    return made;
  };
  return jobs.size() <= kFew ? file_.write_together(work) : file_.write(work);
}

Result<std::vector<std::optional<JobState>>> SqliteJobStore::complete(std::span<const Completion> completions,
                                                                      Timestamp now) {
  const auto work = [&](Database& database) -> Result<std::vector<std::optional<JobState>>> {
    Account account(database, now);
    SLUICE_TRY(auto ended, finish(database, account, completions, now));
    SLUICE_CHECK(account.close());
    return ended;
  };
  return completions.size() <= kFew ? file_.write_together(work) : file_.write(work);
}

Result<void> SqliteJobStore::save_progress(Lease lease, const Progress& progress) {
  return file_.write_together([&](Database& database) -> Result<void> {
    SLUICE_CHECK(
        database.run("update lease set progress_rows = ?, progress_bytes = ?, progress_total = ?, "
                     "progress_phase = ?, progress_total_rows = ? where job = ? and token = ?",
                     progress.rows, progress.bytes, progress.total_bytes, progress.phase, progress.total_rows,
                     lease.job, lease.token));
    return {};
  });
}

Result<void> SqliteJobStore::append_log(Lease lease, std::span<const LogLine> lines) {
  return file_.write_together([&](Database& database) -> Result<void> {
    SLUICE_TRY(const auto held, look_up(database, lease.job));
    if (!held || held->state != JobState::processing || held->lease != lease.token) return {};
    std::int64_t last = 0;
    SLUICE_CHECK(database.each(
        "select coalesce(max(seq), 0) from job_log where job = ?",
        [&](const Row& row) -> Result<void> {
          last = row.integer(0);
          return {};
        },
        lease.job));
    for (const LogLine& line : lines) {
      if (last >= kMostLogLines) break;
      ++last;
      const bool full = last == kMostLogLines;
      SLUICE_CHECK(
          database.run("insert into job_log (job, seq, at, attempt, level, text) values (?, ?, ?, ?, ?, ?)",
                       lease.job, last, line.at, line.attempt, full ? LogLevel::warning : line.level,
                       full ? std::string_view("further lines are not kept") : std::string_view(line.text)));
    }
    return {};
  });
}

Result<std::optional<Timestamp>> SqliteJobStore::next_due() {
  return file_.read([&](Database& database) -> Result<std::optional<Timestamp>> {
    std::optional<Timestamp> due;
    SLUICE_CHECK(database.each(
        "select min(at) from (select min(run_at) as at from job indexed by job_due where state = 0 union all "
        "select min(wake_at) from limit_rule indexed by limit_rule_wake where wake_at is not null)",
        [&](const Row& row) -> Result<void> {
          due = row.maybe_time(0);
          return {};
        }));
    return due;
  });
}

}  // namespace sluice::jobs
