// What somebody asks to become of jobs, on SQLite.
#include "jobs/store/changing.h"

#include "jobs/sqlite/changing.h"
#include "jobs/sqlite/finish.h"
#include "jobs/sqlite/parts.h"
#include "jobs/sqlite/unique.h"
#include "jobs/store/history.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

Result<JobState> ask_to_stop(Database& database, JobId id, std::string_view reason, Timestamp now) {
  SLUICE_CHECK(database.run(
      "update lease set cancel_requested_at = ?, reason = ? where job = ? and cancel_requested_at is null",
      now, reason, id));
  return JobState::processing;
}

Result<JobState> remove(Database& database, Account& account, JobId id, const Held& held,
                        std::string_view reason) {
  SLUICE_CHECK(leave_ready(database, id));
  SLUICE_CHECK(database.run("update job set state = ?, finished_at = ?, reason = ? where id = ?",
                            JobState::deleted, account.now(), reason, id));
  SLUICE_CHECK(account.step(
      {.job = id, .from = held.state, .to = JobState::deleted, .attempt = held.attempt, .reason = reason}));
  return JobState::deleted;
}

Result<JobState> put_forward(Database& database, Account& account, JobId id, const Held& held,
                             const StateRequest& request) {
  SLUICE_TRY(const auto retired, retired_reason(database, id));
  if (retired)
    return fail(ErrorCode::conflict, fmt::format("job {} cannot run again: {}", id.value(), *retired));
  if (is_at_rest(held.state)) SLUICE_CHECK(take_key_again(database, id));
  const Timestamp run_at = request.to == JobState::scheduled ? *request.run_at : account.now();
  const bool anew = counts_anew(held.state);
  SLUICE_CHECK(leave_ready(database, id));
  // An error stays with a job that only waits longer or shorter for its retry.
  SLUICE_CHECK(
      database.run("update job set state = ?1, run_at = ?2, attempt = iif(?3, 0, attempt), crashes = iif(?3, "
                   "0, crashes), "
                   "finished_at = null, duration_ms = null, error_code = iif(?4, error_code, null), "
                   "error_message = iif(?4, error_message, null), reason = '', result = '', pinned_node = "
                   "iif(?5, pinned_node, null) "
                   "where id = ?6",
                   request.to, run_at, anew, request.to == JobState::scheduled && !anew,
                   held.state == JobState::enqueued, id));
  if (request.to == JobState::enqueued) SLUICE_CHECK(enter_ready(database, id));
  if (request.to == held.state) {
    SLUICE_CHECK(account.note(id, request.to, held.attempt, request.reason));
  } else {
    SLUICE_CHECK(account.step({.job = id, .from = held.state, .to = request.to, .reason = request.reason}));
  }
  SLUICE_CHECK(cut_history(database, id));
  return request.to;
}

Result<JobState> change_one(Database& database, Account& account, JobId id, const StateRequest& given) {
  const StateRequest request = settled(given, account.now());
  SLUICE_TRY(const auto held, look_up(database, id));
  if (!held) return no_such_job(id);
  SLUICE_CHECK(may_change(id, held->state, held->kind, request));
  if (request.to != JobState::deleted) return put_forward(database, account, id, *held, request);
  if (held->state == JobState::processing) return ask_to_stop(database, id, request.reason, account.now());
  return remove(database, account, id, *held, request.reason);
}

}  // namespace

Result<JobState> SqliteFlowStore::change(JobId job, const StateRequest& request, Timestamp now) {
  return file_.write([&](Database& database) -> Result<JobState> {
    Account account(database, now);
    SLUICE_TRY(const JobState state, change_one(database, account, job, request));
    SLUICE_CHECK(account.close());
    return state;
  });
}

Result<BulkChange> SqliteFlowStore::change_all(const JobFilter& filter, const StateRequest& request,
                                               Timestamp now) {
  return file_.write([&](Database& database) -> Result<BulkChange> {
    JobFilter newest_first = filter;
    newest_first.oldest_first = false;
    SLUICE_TRY(const auto ids, list_ids(database, newest_first));
    Account account(database, now);
    BulkChange done;
    for (const JobId id : ids) {
      const auto changed = change_one(database, account, id, request);
      if (!changed && !is_refusal(changed.error())) return std::unexpected(changed.error());
      (changed ? done.changed : done.refused) += 1;
    }
    if (static_cast<int>(ids.size()) >= std::clamp(filter.limit, 1, kMostChanged)) done.next = ids.back();
    SLUICE_CHECK(account.close());
    return done;
  });
}

Result<Cancelled> cancel_one(Database& database, Account& account, JobId id, std::string_view reason) {
  SLUICE_TRY(const auto held, look_up(database, id));
  if (!held) return no_such_job(id);
  if (is_final(held->state)) return Cancelled::too_late;
  const StateRequest request{
      .to = JobState::deleted, .run_at = {}, .expected = {}, .reason = std::string(reason)};
  SLUICE_TRY(const JobState state, change_one(database, account, id, request));
  return state == JobState::deleted ? Cancelled::deleted : Cancelled::requested;
}

Result<Cancelled> SqliteJobStore::cancel(JobId job, std::string_view reason, Timestamp now) {
  return file_.write([&](Database& database) -> Result<Cancelled> {
    Account account(database, now);
    SLUICE_TRY(const Cancelled cancelled, cancel_one(database, account, job, reason));
    SLUICE_CHECK(account.close());
    return cancelled;
  });
}

Result<void> SqliteJobStore::requeue(JobId job, std::string_view reason, Timestamp now) {
  return file_.write([&](Database& database) -> Result<void> {
    Account account(database, now);
    const StateRequest request{
        .to = JobState::enqueued, .run_at = {}, .expected = {}, .reason = std::string(reason)};
    SLUICE_CHECK(change_one(database, account, job, request));
    return account.close();
  });
}

}  // namespace sluice::jobs
