#include "jobs/sqlite/unique.h"

#include "jobs/store/following.h"
#include "jobs/store/unique.h"

namespace sluice::jobs {
namespace {

Result<std::optional<KeyHolder>> find(Database& database, std::string_view key) {
  std::optional<KeyHolder> holder;
  SLUICE_CHECK(database.each(
      "select k.job, k.until, case when l.job is null then j.state else 2 end, coalesce(l.attempt, "
      "j.attempt) "
      "from unique_key k left join job j on j.id = k.job left join lease l on l.job = k.job where k.key = ?",
      [&](const Row& row) -> Result<void> {
        holder = KeyHolder{.job = JobId(row.integer(0)), .until = row.time(1), .state = {}, .attempt = 0};
        if (const auto state = row.maybe_integer(2)) holder->state = static_cast<JobState>(*state);
        holder->attempt = static_cast<int>(row.integer(3));
        return {};
      },
      key));
  return holder;
}

Result<void> replace(Database& database, Account& account, const KeyHolder& holder, const NewJob& job) {
  const InsertedJob wanted = born(job, account.now());
  const JobState to = *holder.state == JobState::awaiting ? JobState::awaiting : wanted.state;
  // Who has read it to claim it sees by the number of its lease that it is another one now.
  SLUICE_CHECK(
      database.run("update job set state = ?, args = ?, name = ?, priority = ?, run_at = ?, delay_ms = ?, "
                   "lease = lease + 1 "
                   "where id = ?",
                   to, job.args, name_of(job), job.priority, *wanted.run_at,
                   job.delay ? std::optional(job.delay->count()) : std::nullopt, holder.job));
  SLUICE_CHECK(leave_ready(database, holder.job));
  if (to == JobState::enqueued) SLUICE_CHECK(enter_ready(database, holder.job));
  if (to == *holder.state) return account.note(holder.job, to, 0, kReplacedText);
  return account.step({.job = holder.job, .from = *holder.state, .to = to, .reason = kReplacedText});
}

}  // namespace

Result<std::optional<Enqueued>> holder_of(Database& database, Account& account, const NewJob& job) {
  SLUICE_TRY(const auto holder, find(database, job.unique_key));
  if (!holder || !holds(*holder, account.now())) return std::nullopt;
  Enqueued found{.id = holder->job, .created = false};
  if (job.on_collision == Collision::replace && has_not_begun(*holder)) {
    SLUICE_CHECK(replace(database, account, *holder, job));
    found.replaced = true;
  }
  return found;
}

Result<void> take_key(Database& database, const NewJob& job, JobId id, Timestamp now) {
  SLUICE_CHECK(
      database.run("insert into unique_key (key, job, until) values (?, ?, ?) on conflict (key) do update "
                   "set job = excluded.job, until = excluded.until",
                   job.unique_key, id, now + job.unique_for));
  return {};
}

Result<void> take_key_again(Database& database, JobId id) {
  std::string key;
  SLUICE_CHECK(database.each(
      "select unique_key from job where id = ? and unique_key is not null",
      [&](const Row& row) -> Result<void> {
        key = row.text(0);
        return {};
      },
      id));
  if (key.empty()) return {};
  SLUICE_TRY(const auto holder, find(database, key));
  SLUICE_CHECK(may_take_again(id, key, holder));
  SLUICE_CHECK(
      database.run("insert into unique_key (key, job, until) values (?, ?, 0) on conflict (key) do update "
                   "set job = excluded.job",
                   key, id));
  return {};
}

}  // namespace sluice::jobs
