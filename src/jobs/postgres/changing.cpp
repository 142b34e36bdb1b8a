// What somebody asks to become of jobs, on PostgreSQL.
#include "jobs/store/changing.h"

#include "jobs/postgres/changing.h"
#include "jobs/postgres/parts.h"
#include "jobs/postgres/unique.h"
#include "jobs/store/history.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

// A job, found and locked wherever it is.
struct Found {
  JobState state = JobState::enqueued;
  int attempt = 0;
  std::optional<std::string> retired;
  std::string unique_key, kind;
  std::optional<KeyHolder> holder;
};

Result<bool> lock_row(Database& database, std::string_view query, JobId id) {
  bool locked = false;
  SLUICE_CHECK(database.each(
      query,
      [&](const Row&) -> Result<void> {
        locked = true;
        return {};
      },
      id));
  return locked;
}

// None: it moved between the tables while we looked; look again.
Result<std::optional<Found>> look_for(Database& database, JobId id, bool to_live) {
  std::optional<std::string> recurring_id;
  Found found;
  SLUICE_CHECK(database.each(
      "select recurring_id, unique_key, kind from job where id = ?",
      [&](const Row& row) -> Result<void> {
        recurring_id = row.text(0);
        found.unique_key = row.text(1);
        found.kind = row.text(2);
        return {};
      },
      id));
  if (!recurring_id) return no_such_job(id);
  if (to_live && !found.unique_key.empty()) {
    SLUICE_TRY(found.holder, lock_unique_key(database, found.unique_key));
  }
  SLUICE_TRY(const bool ready, lock_row(database, "select 1 from ready where job = ? for update", id));
  SLUICE_TRY(const bool runs, lock_row(database, "select 1 from lease where job = ? for update", id));
  if (to_live) {
    SLUICE_TRY(found.retired, retired_for(database, *recurring_id));
  }
  bool there = false;
  SLUICE_CHECK(database.each(
      "select state, attempt from job where id = ? for update",
      [&](const Row& row) -> Result<void> {
        there = true;
        SLUICE_TRY(found.state, state_to_change(id, row.integer(0)));
        found.attempt = static_cast<int>(row.integer(1));
        return {};
      },
      id));
  if (!there) return no_such_job(id);
  if (found.state == JobState::enqueued && !ready && !runs) return std::nullopt;
  if (runs) found.state = JobState::processing;
  return found;
}

Result<JobState> ask_to_stop(Database& database, JobId id, std::string_view reason, Timestamp now) {
  SLUICE_CHECK(
      database.run("update lease set cancel_requested_at = ?, reason = ? where job = ? and "
                   "cancel_requested_at is null",
                   now, reason, id));
  return JobState::processing;
}

Result<JobState> remove(Database& database, Tally& tally, JobId id, const Found& found,
                        std::string_view reason, Timestamp now) {
  SLUICE_CHECK(database.run("delete from ready where job = ?", id));
  SLUICE_CHECK(database.run(
      "update job set state = ?, finished_at = ?, reason = ?, history = history || ? where id = ?",
      JobState::deleted, now, reason, history_line(JobState::deleted, now, found.attempt, {}, reason), id));
  SLUICE_CHECK(tally.step(id, found.state, JobState::deleted));
  return JobState::deleted;
}

Result<JobState> put_forward(Database& database, Tally& tally, JobId id, const Found& found,
                             const StateRequest& request, Timestamp now) {
  if (found.retired)
    return fail(ErrorCode::conflict, fmt::format("job {} cannot run again: {}", id.value(), *found.retired));
  if (is_at_rest(found.state) && found.holder) {
    SLUICE_CHECK(may_take_again(id, found.unique_key, found.holder));
    SLUICE_CHECK(database.run("update unique_key set job = ? where key = ?", id, found.unique_key));
  }
  SLUICE_CHECK(database.run("delete from ready where job = ?", id));
  const Timestamp run_at = request.to == JobState::scheduled ? *request.run_at : now;
  const bool anew = counts_anew(found.state);
  // An error stays with a job that only waits longer or shorter for its retry.
  SLUICE_CHECK(database.run(
      "update job set state = ?1, run_at = ?2, attempt = case when ?3 = 1 then 0 else attempt end, crashes = "
      "case when ?3 = 1 then 0 else crashes end, finished_at = null, duration_ms = null, error_code = case "
      "when ?4 = 1 then error_code end, error_message = case when ?4 = 1 then error_message end, reason = "
      "'', result = '', pinned_node = case when ?5 = 1 then pinned_node end, history = history || ?6 where "
      "id = ?7",
      request.to, run_at, anew ? 1 : 0, request.to == JobState::scheduled && !anew ? 1 : 0,
      found.state == JobState::enqueued ? 1 : 0, history_line(request.to, now, 0, {}, request.reason), id));
  SLUICE_CHECK(cut_history(database, id));
  if (request.to == JobState::enqueued) SLUICE_CHECK(make_ready(database, id));
  if (request.to != found.state) SLUICE_CHECK(tally.step(id, found.state, request.to));
  return request.to;
}

Result<JobState> change_one(Database& database, Tally& tally, JobId id, const StateRequest& given,
                            Timestamp now) {
  const StateRequest request = settled(given, now);
  std::optional<Found> found;
  while (!found) {
    SLUICE_TRY(found, look_for(database, id, request.to != JobState::deleted));
  }
  SLUICE_CHECK(may_change(id, found->state, found->kind, request));
  if (request.to != JobState::deleted) return put_forward(database, tally, id, *found, request, now);
  if (found->state == JobState::processing) return ask_to_stop(database, id, request.reason, now);
  return remove(database, tally, id, *found, request.reason, now);
}

}  // namespace

Result<JobState> PostgresFlowStore::change(JobId job, const StateRequest& request, Timestamp now) {
  jobs_.forget_mark();
  return pool_.write([&](Database& database) -> Result<JobState> {
    Tally tally(database, now);
    SLUICE_TRY(const JobState state, change_one(database, tally, job, request, now));
    SLUICE_CHECK(tally.close());
    return state;
  });
}

Result<BulkChange> PostgresFlowStore::change_all(const JobFilter& filter, const StateRequest& request,
                                                 Timestamp now) {
  jobs_.forget_mark();
  return pool_.write([&](Database& database) -> Result<BulkChange> {
    JobFilter newest_first = filter;
    newest_first.oldest_first = false;
    SLUICE_TRY(const auto ids, find_ids(database, newest_first));
    Tally tally(database, now);
    BulkChange done;
    for (const JobId id : ids) {
      const auto changed = change_one(database, tally, id, request, now);
      if (!changed && !is_refusal(changed.error())) return std::unexpected(changed.error());
      (changed ? done.changed : done.refused) += 1;
    }
    if (static_cast<int>(ids.size()) >= std::clamp(filter.limit, 1, kMostChanged)) done.next = ids.back();
    SLUICE_CHECK(tally.close());
    return done;
  });
}

Result<Cancelled> cancel_one(Database& database, JobId id, std::string_view reason, Timestamp now) {
  std::optional<Found> found;
  while (!found) {
    SLUICE_TRY(found, look_for(database, id, false));
  }
  if (is_final(found->state)) return Cancelled::too_late;
  SLUICE_CHECK(may_change(id, found->state, found->kind,
                          {.to = JobState::deleted, .run_at = {}, .expected = {}, .reason = {}}));
  if (found->state == JobState::processing) {
    SLUICE_CHECK(ask_to_stop(database, id, reason, now));
    return Cancelled::requested;
  }
  Tally tally(database, now);
  SLUICE_CHECK(remove(database, tally, id, *found, reason, now));
  SLUICE_CHECK(tally.close());
  return Cancelled::deleted;
}

Result<Cancelled> PostgresJobStore::cancel(JobId job, std::string_view reason, Timestamp now) {
  return pool_.write(
      [&](Database& database) -> Result<Cancelled> { return cancel_one(database, job, reason, now); });
}

Result<void> PostgresJobStore::requeue(JobId job, std::string_view reason, Timestamp now) {
  forget_mark();
  return pool_.write([&](Database& database) -> Result<void> {
    Tally tally(database, now);
    const StateRequest request{
        .to = JobState::enqueued, .run_at = {}, .expected = {}, .reason = std::string(reason)};
    SLUICE_CHECK(change_one(database, tally, job, request, now));
    return tally.close();
  });
}

}  // namespace sluice::jobs
