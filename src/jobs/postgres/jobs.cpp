// Enqueue, cancel, requeue, progress and log on PostgreSQL.
#include "jobs/postgres/parts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr std::int64_t kMostLogLines = 10'000;

std::unexpected<Error> no_such_job(JobId id) {
  return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
}

PostgresNewJob new_job(const NewJob& job, Timestamp now) {
  const bool later = job.run_at && *job.run_at > now;
  return {&job,
          {.state = later ? JobState::scheduled : JobState::enqueued,
           .fire_at = {},
           .blocking_job = {},
           .reason = {}}};
}

bool asks_first(const NewJob& job) { return job.unless_live && !job.exclusive_key.empty(); }

Result<void> delete_waiting(Database& database, JobId job, JobState from, int attempt,
                            std::string_view reason, Timestamp now) {
  SLUICE_CHECK(database.run(
      "update job set state = ?, finished_at = ?, reason = ?, history = history || ? where id = ?",
      JobState::deleted, now, reason, history_line(JobState::deleted, now, attempt, {}, reason), job));
  Tally tally(database, now);
  SLUICE_CHECK(tally.step(job, from, JobState::deleted));
  return tally.close();
}

}  // namespace

Result<std::vector<Enqueued>> PostgresJobStore::enqueue(std::span<const NewJob> jobs, Timestamp now) {
  std::vector<Enqueued> made;
  if (jobs.empty()) return made;
  if (std::ranges::any_of(jobs, asks_first))
    return pool_.write([&](Database& database) { return insert_unless_live(database, jobs, now); });
  std::vector<PostgresNewJob> plain;
  plain.reserve(jobs.size());
  for (const NewJob& job : jobs) {
    plain.push_back(new_job(job, now));
    forget_mark_after(job.priority, now);
  }
  SLUICE_TRY(const auto ids,
             pool_.once([&](Database& database) { return insert_jobs(pool_, database, plain, now, true); }));
  made.reserve(jobs.size());
  for (const JobId id : ids) made.push_back({id, true});
  return made;
}

Result<std::vector<Enqueued>> PostgresJobStore::insert_unless_live(Database& database,
                                                                   std::span<const NewJob> jobs,
                                                                   Timestamp now) {
  std::vector<std::string> keys;
  for (const NewJob& job : jobs) {
    if (asks_first(job)) keys.push_back(job.exclusive_key);
    forget_mark_after(job.priority, now);
  }
  // All locks first and in one order: two that enqueue at once do not wait for each other in a circle.
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string& key : keys) SLUICE_CHECK(lock_key(database, key));
  std::vector<Enqueued> made;
  made.reserve(jobs.size());
  for (const NewJob& job : jobs) {
    if (asks_first(job)) {
      SLUICE_TRY(const auto live, find_live_job(database, job.exclusive_key));
      if (live) {
        made.push_back({*live, false});
        continue;
      }
    }
    const PostgresNewJob one = new_job(job, now);
    SLUICE_TRY(const auto ids, insert_jobs(pool_, database, std::span(&one, 1), now, false));
    made.push_back({ids.at(0), true});
  }
  return made;
}

void PostgresJobStore::forget_mark_after(std::int64_t priority, Timestamp run_at) {
  std::lock_guard lock(mutex_);
  const std::int64_t time = run_at.time_since_epoch().count();
  if (mark_ && std::pair(priority, time) <= std::pair(mark_->priority, mark_->run_at)) mark_.reset();
}

Result<Cancelled> PostgresJobStore::cancel(JobId job, std::string_view reason, Timestamp now) {
  return pool_.write([&](Database& database) -> Result<Cancelled> {
    // A job moves between the tables while we look; where it is not found in any, it is looked for again.
    for (;;) {
      SLUICE_TRY(const int asked,
                 database.run("update lease set reason = case when cancel_requested_at is null then ?2 else "
                              "reason end, cancel_requested_at = coalesce(cancel_requested_at, ?1) where job "
                              "= ?3",
                              now, reason, job));
      if (asked > 0) return Cancelled::requested;
      SLUICE_TRY(const int taken, database.run("delete from ready where job = ?", job));
      std::optional<JobState> state;
      int attempt = 0;
      SLUICE_CHECK(database.each(
          "select state, attempt from job where id = ? for update",
          [&](const Row& row) -> Result<void> {
            state = static_cast<JobState>(row.integer(0));
            attempt = static_cast<int>(row.integer(1));
            return {};
          },
          job));
      if (!state) return no_such_job(job);
      if (*state == JobState::enqueued && taken == 0) continue;
      if (!transition_allowed(*state, JobState::deleted)) return Cancelled::too_late;
      SLUICE_CHECK(delete_waiting(database, job, *state, attempt, reason, now));
      return Cancelled::deleted;
    }
  });
}

Result<void> PostgresJobStore::requeue(JobId job, std::string_view reason, Timestamp now) {
  forget_mark();
  return pool_.write([&](Database& database) -> Result<void> {
    std::optional<std::string> recurring_id;
    SLUICE_CHECK(database.each(
        "select recurring_id from job where id = ?",
        [&](const Row& row) -> Result<void> {
          recurring_id = row.text(0);
          return {};
        },
        job));
    if (!recurring_id) return no_such_job(job);
    SLUICE_TRY(const auto retired, retired_for(database, *recurring_id));
    // A job that waits or runs is not to be held up by our lock, so its lease comes first.
    JobState state{};
    SLUICE_CHECK(database.each(
        "select case when exists (select 1 from lease where job = ?1) then 2 else state end from job where "
        "id "
        "= ?1 for update",
        [&](const Row& row) -> Result<void> {
          state = static_cast<JobState>(row.integer(0));
          return {};
        },
        job));
    if (!requeue_allowed(state)) {
      return fail(ErrorCode::conflict,
                  fmt::format("job {} is {}; only a scheduled, held, failed or deleted job can be run again",
                              job.value(), to_string(state)));
    }
    if (retired)
      return fail(ErrorCode::conflict, fmt::format("job {} cannot run again: {}", job.value(), *retired));
    SLUICE_CHECK(database.run(
        "update job set state = ?1, attempt = case when ?2 = 1 then attempt else 0 end, crashes = case when "
        "?2 "
        "= 1 then crashes else 0 end, run_at = ?3, finished_at = null, duration_ms = null, error_code = "
        "null, "
        "error_message = null, reason = '', pinned_node = null, history = history || ?4 where id = ?5",
        JobState::enqueued, state == JobState::scheduled ? 1 : 0, now,
        history_line(JobState::enqueued, now, 0, {}, reason), job));
    SLUICE_CHECK(make_ready(database, job));
    Tally tally(database, now);
    SLUICE_CHECK(tally.step(job, state, JobState::enqueued));
    return tally.close();
  });
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
    SLUICE_CHECK(database.each("select run_at from job where state = 0 order by run_at limit 1",
                               [&](const Row& row) -> Result<void> {
                                 due = row.time(0);
                                 return {};
                               }));
    return due;
  });
}

}  // namespace sluice::jobs
