// Enqueue, claim, complete, cancel on SQLite.
#include "jobs/sqlite/batching.h"
#include "jobs/sqlite/finish.h"
#include "jobs/sqlite/following.h"
#include "jobs/sqlite/parts.h"
#include "jobs/sqlite/unique.h"
#include "jobs/store/following.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace sluice::jobs {
namespace {

constexpr int kPromoteAtOnce = 1000;
constexpr std::int64_t kMostLogLines = 10'000;

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
    InsertedJob more = born(job, account.now());
    if (job.parent) {
      SLUICE_TRY(more, follow(database, job, account.now()));
    }
    if (job.batch) SLUICE_CHECK(join_batch(database, job.batch, more.state));
    SLUICE_TRY(const JobId id, account.insert_job(job, more));
    if (!job.unique_key.empty()) SLUICE_CHECK(take_key(database, job, id, account.now()));
    made.push_back({id, true, more.state});
  }
  return made;
}

Result<std::vector<Enqueued>> SqliteJobStore::enqueue(std::span<const NewJob> jobs, Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<Enqueued>> {
    Account account(database, now);
    SLUICE_TRY(auto made, sluice::jobs::enqueue_in(database, account, jobs));
    SLUICE_CHECK(account.close());
    return made;
  });
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
