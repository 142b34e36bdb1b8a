// Enqueue, cancel, requeue, progress and log on PostgreSQL.
#include "jobs/postgres/parts.h"
#include "jobs/store/following.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>

namespace sluice::jobs {
namespace {

constexpr std::int64_t kMostLogLines = 10'000;

// Whether it depends on what else is there.
bool is_plain(const NewJob& job) {
  return !job.unless_live && !job.parent && !job.batch && job.unique_key.empty() && job.limit_key.empty();
}

}  // namespace

Result<std::vector<Enqueued>> PostgresJobStore::enqueue(std::span<const NewJob> jobs, Timestamp now) {
  std::vector<Enqueued> made;
  if (jobs.empty()) return made;
  for (const NewJob& job : jobs) forget_mark_after(job.priority, now);
  if (!std::ranges::all_of(jobs, is_plain)) {
    SLUICE_TRY(made, pool_.write([&](Database& database) {
      return sluice::jobs::enqueue_in(pool_, database, jobs, now);
    }));
    static_cast<void>(release(keys_of(jobs), now));
    return made;
  }
  std::vector<PostgresNewJob> plain;
  plain.reserve(jobs.size());
  for (const NewJob& job : jobs) plain.push_back({&job, born(job, now)});
  SLUICE_TRY(const auto ids,
             pool_.once([&](Database& database) { return insert_jobs(pool_, database, plain, now, true); }));
  made.reserve(jobs.size());
  for (std::size_t i = 0; i < ids.size(); ++i) made.push_back({ids[i], true, plain[i].more.state});
  // Who was in their way may have gone meanwhile; a look that fails is made up for by release_waiting().
  static_cast<void>(release(keys_of(jobs), now));
  return made;
}

Result<std::vector<bool>> PostgresJobStore::held_elsewhere(std::span<const Completion> completions) {
  std::vector<std::string> ids;
  for (const Completion& one : completions) ids.push_back(std::to_string(one.lease.job.value()));
  // The locks that complete() takes; let go of with the statement.
  std::set<std::int64_t> there, free;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    there.clear();
    free.clear();
    const auto note = [](std::set<std::int64_t>& set) {
      return [&set](const Row& row) -> Result<void> {
        set.insert(row.integer(0));
        return {};
      };
    };
    SLUICE_CHECK(
        database.each("select job from lease where job = any(?::bigint[])", note(there), array_text(ids)));
    return database.each(
        "with l as materialized (select job from lease where job = any(?1::bigint[]) for update skip locked) "
        "select j.id from l join job j on j.id = l.job for no key update of j skip locked",
        note(free), array_text(ids));
  }));
  std::vector<bool> held;
  held.reserve(completions.size());
  for (const Completion& one : completions) {
    const std::int64_t id = one.lease.job.value();
    held.push_back(there.contains(id) && !free.contains(id));
  }
  return held;
}

void PostgresJobStore::forget_mark_after(std::int64_t priority, Timestamp run_at) {
  std::lock_guard lock(mutex_);
  const std::int64_t time = run_at.time_since_epoch().count();
  if (mark_ && std::pair(priority, time) <= std::pair(mark_->priority, mark_->run_at)) mark_.reset();
}

Result<void> PostgresJobStore::save_progress(Lease lease, const Progress& progress) {
  std::optional<std::int64_t> change;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    return database.each(
        fmt::format("update lease set progress_rows = ?, progress_bytes = ?, progress_total = ?, "
                    "progress_phase = ?, progress_total_rows = ? where job = ? and token = ? returning {}",
                    pool_.touching()),
        [&](const Row& row) -> Result<void> {
          change = row.integer(0);
          return {};
        },
        progress.rows, progress.bytes, progress.total_bytes, progress.phase, progress.total_rows, lease.job,
        lease.token);
  }));
  if (change) pool_.touched(*change);
  return {};
}

Result<void> PostgresJobStore::append_log(Lease lease, std::span<const LogLine> lines) {
  if (lines.empty()) return {};
  return pool_.write([&](Database& database) -> Result<void> {
    bool mine = false;
    std::int64_t last = 0;
    SLUICE_CHECK(database.each(
        "select (select coalesce(max(seq), 0) from job_log where job = ?1) from lease where job = ?1 and "
        "token = ?2 for share",
        [&](const Row& row) -> Result<void> {
          mine = true;
          last = row.integer(0);
          return {};
        },
        lease.job, lease.token));
    if (!mine) return {};
    nlohmann::json rows = nlohmann::json::array();
    for (const LogLine& line : lines) {
      if (last >= kMostLogLines) break;
      const bool full = ++last == kMostLogLines;
      rows.push_back({{"seq", last},
                      {"at", line.at.time_since_epoch().count()},
                      {"attempt", line.attempt},
                      {"level", static_cast<int>(full ? LogLevel::warning : line.level)},
                      {"text", full ? "further lines are not kept" : storable(line.text)}});
    }
    SLUICE_CHECK(
        database.run("insert into job_log (job, seq, at, attempt, level, text) select ?1::bigint, seq, at, "
                     "attempt, level, text "
                     "from json_to_recordset(?2::json) as x(seq bigint, at bigint, attempt int, level "
                     "smallint, text text)",
                     lease.job, rows.dump()));
    return {};
  });
}

Result<std::optional<Timestamp>> PostgresJobStore::next_due() {
  return pool_.once([&](Database& database) -> Result<std::optional<Timestamp>> {
    std::optional<Timestamp> due;
    SLUICE_CHECK(database.each(
        "select least((select run_at from job where state = 0 order by run_at limit 1), (select "
        "wake_at from limit_rule where wake_at is not null order by wake_at limit 1))",
        [&](const Row& row) -> Result<void> {
          due = row.maybe_time(0);
          return {};
        }));
    return due;
  });
}

}  // namespace sluice::jobs
