#include "jobs/postgres/unique.h"

#include "jobs/store/following.h"

namespace sluice::jobs {
namespace {

// False: it has begun meanwhile, and stays as it is.
Result<bool> replace(Database& database, Tally& tally, JobId id, const NewJob& job, Timestamp now) {
  KeyHolder holder{.job = id, .until = {}, .state = {}, .attempt = 0};
  for (;;) {
    // First out of the workers' reach; with an attempt behind it, it is left there.
    SLUICE_TRY(const int taken, database.run("delete from ready where job = ? and attempt = 0", id));
    bool runs = false;
    SLUICE_CHECK(database.each(
        "select state, attempt, exists (select 1 from lease where lease.job = job.id) from job where id = ? "
        "for update",
        [&](const Row& row) -> Result<void> {
          holder.state = static_cast<JobState>(row.integer(0));
          holder.attempt = static_cast<int>(row.integer(1));
          runs = row.integer(2) != 0;
          return {};
        },
        id));
    if (runs || !has_not_begun(holder)) return false;
    // Neither with the workers nor waiting for one when we looked: it has become ready since, or was taken.
    if (holder.state != JobState::enqueued || taken > 0) break;
  }
  const InsertedJob wanted = born(job, now);
  const JobState to = *holder.state == JobState::awaiting ? JobState::awaiting : wanted.state;
  SLUICE_CHECK(database.run(
      "update job set state = ?, args = ?, name = ?, priority = ?, run_at = ?, delay_ms = ?, history = "
      "history || ? where id = ?",
      to, job.args, name_of(job), job.priority, *wanted.run_at,
      job.delay ? std::optional(job.delay->count()) : std::nullopt,
      history_line(to, now, 0, {}, kReplacedText), id));
  if (to == JobState::enqueued) SLUICE_CHECK(make_ready(database, id));
  if (to != *holder.state) SLUICE_CHECK(tally.step(id, *holder.state, to));
  return true;
}

}  // namespace

Result<KeyHolder> lock_unique_key(Database& database, std::string_view key) {
  KeyHolder holder;
  SLUICE_CHECK(database.each(
      "insert into unique_key as k (key, job, until) values (?, 0, 0) on conflict (key) do update set job = "
      "k.job returning job, until",
      [&](const Row& row) -> Result<void> {
        holder.job = JobId(row.integer(0));
        holder.until = row.time(1);
        return {};
      },
      key));
  SLUICE_CHECK(database.each(
      "select case when l.job is null then j.state else 2 end, j.attempt from job j left join lease l on "
      "l.job = j.id where j.id = ?",
      [&](const Row& row) -> Result<void> {
        holder.state = static_cast<JobState>(row.integer(0));
        holder.attempt = static_cast<int>(row.integer(1));
        return {};
      },
      holder.job));
  return holder;
}

Result<std::optional<Enqueued>> holder_of(Database& database, Tally& tally, const NewJob& job,
                                          Timestamp now) {
  SLUICE_TRY(const KeyHolder holder, lock_unique_key(database, job.unique_key));
  if (!holds(holder, now)) return std::nullopt;
  Enqueued found{.id = holder.job, .created = false};
  if (job.on_collision == Collision::replace && has_not_begun(holder)) {
    SLUICE_TRY(found.replaced, replace(database, tally, holder.job, job, now));
  }
  return found;
}

Result<void> give_key(Database& database, const NewJob& job, JobId id, Timestamp now) {
  SLUICE_CHECK(database.run("update unique_key set job = ?, until = ? where key = ?", id,
                            now + job.unique_for, job.unique_key));
  return {};
}

}  // namespace sluice::jobs
