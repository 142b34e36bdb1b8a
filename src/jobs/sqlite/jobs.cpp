// Enqueue, claim, complete, cancel on SQLite.
#include "jobs/sqlite/enqueue.h"
#include "jobs/sqlite/finish.h"
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace sluice::jobs {
namespace {

constexpr int kPromoteAtOnce = 1000;
constexpr std::int64_t kMostLogLines = 10'000;

std::unexpected<Error> no_such_job(JobId id) {
  return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
}

Result<void> promote_due(Database& database, Account& account, Timestamp now) {
  struct Due {
    JobId id;
    int attempt;
  };
  std::vector<Due> due;
  SLUICE_CHECK(database.each(
      "select id, attempt from job indexed by job_due where state = 0 and run_at <= ? order by run_at limit "
      "?",
      [&](const Row& row) -> Result<void> {
        due.push_back({JobId(row.integer(0)), static_cast<int>(row.integer(1))});
        return {};
      },
      now, kPromoteAtOnce));
  for (const Due& one : due) {
    SLUICE_CHECK(database.run("update job set state = ? where id = ?", JobState::enqueued, one.id));
    SLUICE_CHECK(account.step(
        {.job = one.id, .from = JobState::scheduled, .to = JobState::enqueued, .attempt = one.attempt}));
  }
  return {};
}

// The jobs to take, best first. A job whose key is being processed, or is taken in this batch, waits.
Result<std::vector<JobId>> choose(Database& database, const ClaimRequest& request) {
  std::vector<JobId> chosen;
  std::unordered_set<std::string> keys;
  const auto consider = [&](const Row& row) -> Result<bool> {  // false = enough
    const std::string kind = row.text(1), key = row.text(2), pin = row.text(3);
    if (std::ranges::find(request.kinds, kind) == request.kinds.end()) return true;
    if (pin.empty() ? request.only_pinned : pin != request.node) return true;
    if (!key.empty()) {
      if (keys.contains(key)) return true;
      bool processing = false;
      SLUICE_CHECK(database.each(
          "select 1 from job indexed by job_live_key where exclusive_key = ?1 and exclusive_key is not null "
          "and state in (0, 1, 2) and state = 2 limit 1",
          [&](const Row&) -> Result<void> {
            processing = true;
            return {};
          },
          key));
      if (processing) return true;
      keys.insert(key);
    }
    chosen.emplace_back(row.integer(0));
    return static_cast<int>(chosen.size()) < request.limit;
  };
  SLUICE_CHECK(database.each_until(
      "select id, kind, exclusive_key, pinned_node from job indexed by job_ready where state = 1 "
      "order by priority, run_at, id",
      consider));
  return chosen;
}

}  // namespace

Result<std::vector<Enqueued>> enqueue_jobs(Database& database, std::span<const NewJob> jobs, Timestamp now) {
  Account account(database, now);
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
    const bool later = job.run_at && *job.run_at > now;
    SLUICE_TRY(const JobId id,
               account.insert_job(job, {.state = later ? JobState::scheduled : JobState::enqueued}));
    made.push_back({id, true});
  }
  SLUICE_CHECK(account.close());
  return made;
}

Result<std::vector<Enqueued>> SqliteJobStore::enqueue(std::span<const NewJob> jobs, Timestamp now) {
  return file_.write([&](Database& database) { return enqueue_jobs(database, jobs, now); });
}

Result<std::vector<Claimed>> SqliteJobStore::claim(const ClaimRequest& request, Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<Claimed>> {
    Account account(database, now);
    SLUICE_CHECK(promote_due(database, account, now));
    SLUICE_TRY(const auto chosen, choose(database, request));
    std::vector<Claimed> claimed;
    claimed.reserve(chosen.size());
    for (const JobId id : chosen) {
      SLUICE_TRY(auto one, take(database, account, id, request.node, now));
      claimed.push_back(std::move(one));
    }
    SLUICE_CHECK(account.close());
    return claimed;
  });
}

Result<std::vector<std::optional<JobState>>> SqliteJobStore::complete(std::span<const Completion> completions,
                                                                      Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<std::optional<JobState>>> {
    Account account(database, now);
    std::vector<std::optional<JobState>> ended;
    for (const Completion& completion : completions) {
      SLUICE_TRY(const auto state, finish(database, account, completion, now));
      ended.push_back(state);
    }
    SLUICE_CHECK(account.close());
    return ended;
  });
}

Result<Cancelled> SqliteJobStore::cancel(JobId job, std::string_view reason, Timestamp now) {
  return file_.write([&](Database& database) -> Result<Cancelled> {
    SLUICE_TRY(const auto held, look_up(database, job));
    if (!held) return no_such_job(job);
    if (held->state == JobState::processing) {
      SLUICE_CHECK(database.run(
          "update job set cancel_requested_at = ?, reason = ? where id = ? and cancel_requested_at is null",
          now, reason, job));
      return Cancelled::requested;
    }
    if (!transition_allowed(held->state, JobState::deleted)) return Cancelled::too_late;
    Account account(database, now);
    SLUICE_CHECK(database.run("update job set state = ?, finished_at = ?, reason = ? where id = ?",
                              JobState::deleted, now, reason, job));
    SLUICE_CHECK(account.step({.job = job,
                               .from = held->state,
                               .to = JobState::deleted,
                               .attempt = held->attempt,
                               .reason = reason}));
    SLUICE_CHECK(account.close());
    return Cancelled::deleted;
  });
}

Result<void> SqliteJobStore::requeue(JobId job, std::string_view reason, Timestamp now) {
  return file_.write([&](Database& database) -> Result<void> {
    SLUICE_TRY(const auto held, look_up(database, job));
    if (!held) return no_such_job(job);
    if (!requeue_allowed(held->state)) {
      return fail(ErrorCode::conflict,
                  fmt::format("job {} is {}; only a scheduled, held, failed or deleted job can be run again",
                              job.value(), to_string(held->state)));
    }
    SLUICE_TRY(const auto retired, retired_reason(database, job));
    if (retired) {
      return fail(ErrorCode::conflict, fmt::format("job {} cannot run again: {}", job.value(), *retired));
    }
    Account account(database, now);
    SLUICE_CHECK(database.run(
        "update job set attempt = iif(state = ?, attempt, 0), crashes = iif(state = ?, crashes, 0), "
        "state = ?, run_at = ?, finished_at = null, duration_ms = null, "
        "error_code = null, error_message = null, reason = '', pinned_node = null, "
        "cancel_requested_at = null where id = ?",
        JobState::scheduled, JobState::scheduled, JobState::enqueued, now, job));
    SLUICE_CHECK(account.step({.job = job, .from = held->state, .to = JobState::enqueued, .reason = reason}));
    return account.close();
  });
}

Result<void> SqliteJobStore::save_progress(Lease lease, const Progress& progress) {
  return file_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(
        database.run("update job set progress_rows = ?, progress_bytes = ?, progress_total = ?, "
                     "progress_phase = ?, progress_total_rows = ? where id = ? and lease = ? and state = 2",
                     progress.rows, progress.bytes, progress.total_bytes, progress.phase, progress.total_rows,
                     lease.job, lease.token));
    return {};
  });
}

Result<void> SqliteJobStore::append_log(Lease lease, std::span<const LogLine> lines) {
  return file_.write([&](Database& database) -> Result<void> {
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
    SLUICE_CHECK(
        database.each("select run_at from job indexed by job_due where state = 0 order by run_at limit 1",
                      [&](const Row& row) -> Result<void> {
                        due = row.time(0);
                        return {};
                      }));
    return due;
  });
}

}  // namespace sluice::jobs
