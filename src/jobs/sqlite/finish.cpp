#include "jobs/sqlite/finish.h"

#include "jobs/sqlite/limits.h"
#include "jobs/store/history.h"
#include "jobs/store/recurring_change.h"

#include <algorithm>
#include <utility>

namespace sluice::jobs {
namespace {

// A lease, and what is written of its end.
struct Attempted {
  JobId job;
  Held held;
  bool progress = false;
  const Completion* by = nullptr;
  JobState to = JobState::processing;
};

// Those of the completions that still hold their leases. Leases are few, so they are read in one go, with
// those of others in between; `runs`: from which to which there are none of others.
struct Leases {
  std::vector<Attempted> mine;
  std::vector<std::pair<JobId, JobId>> runs;
};

Result<Leases> find_leases(Database& database, std::span<const Completion> completions) {
  std::vector<const Completion*> wanted;
  wanted.reserve(completions.size());
  for (const Completion& one : completions) wanted.push_back(&one);
  const auto order = [](const Completion* one) { return std::pair(one->lease.job, one); };
  if (!std::ranges::is_sorted(wanted, {}, order)) std::ranges::sort(wanted, {}, order);
  Leases leases;
  leases.mine.reserve(completions.size());
  auto next = wanted.begin();
  bool in_run = false;
  SLUICE_CHECK(database.each(
      "select job, token, attempt, started_at, node, exclusive_key, limit_key, recurring_id, "
      "cancel_requested_at is not null, reason, progress_rows is not null from lease where job between ? and "
      "? order by job",
      [&](const Row& row) -> Result<void> {
        const Lease lease{JobId(row.integer(0)), row.integer(1)};
        while (next != wanted.end() && (*next)->lease.job < lease.job) ++next;
        // Of several for one job, the one that holds the lease; the others have come too late.
        auto by = next;
        while (by != wanted.end() && (*by)->lease.job == lease.job && (*by)->lease.token != lease.token) ++by;
        if (by == wanted.end() || (*by)->lease.job != lease.job) {
          in_run = false;
          return {};
        }
        if (!std::exchange(in_run, true)) leases.runs.emplace_back(lease.job, lease.job);
        leases.runs.back().second = lease.job;
        Attempted& one = leases.mine.emplace_back();
        one.job = lease.job;
        one.by = *by;
        one.held.state = JobState::processing;
        one.held.lease = lease.token;
        one.held.attempt = static_cast<int>(row.integer(2));
        one.held.started_at = row.maybe_time(3);
        one.held.node = row.view(4);
        one.held.exclusive_key = row.view(5);
        one.held.limit_key = row.view(6);
        one.held.recurring_id = row.view(7);
        one.held.cancelled = row.integer(8) != 0;
        one.held.reason = row.view(9);
        one.progress = row.integer(10) != 0;
        return {};
      },
      wanted.front()->lease.job, wanted.back()->lease.job));
  return leases;
}

// The job's own row, once: what the attempt was, how it ended, and the two lines of its history.
Result<void> write_end(Database& database, Account& account, Attempted& one, Timestamp now) {
  const Completion& completion = *one.by;
  const Held& held = one.held;
  std::optional<std::string> retired;
  if (goes_on(completion.to)) {
    SLUICE_TRY(retired, retired_reason(database, one.job));
  }
  SLUICE_TRY(const Ending ending,
             end_of(
                 completion, held, retired,
                 [&](std::string_view key) { return next_tick(database, key, now); }, now));
  one.to = ending.to;
  SLUICE_CHECK(account.count({.job = one.job,
                              .from = JobState::processing,
                              .to = ending.to,
                              .attempt = held.attempt,
                              .duration_ms = ending.duration_ms,
                              .amount = completion.amount}));
  const bool given_back = completion.to == JobState::enqueued;
  const std::string history =
      history_line(JobState::processing, held.started_at.value_or(now), held.attempt, held.node, {}) +
      history_line(ending.to, now, held.attempt, held.node, ending.why);
  const auto at_rest = is_at_rest(ending.to) ? std::optional(now) : std::nullopt;
  // Most end well and say nothing, and are bound with less.
  if (ending.to == JobState::succeeded && completion.count_attempt && !completion.error) {
    SLUICE_CHECK(database.run(
        "update job set state = ?1, lease = ?2, attempt = ?3, node = ?4, started_at = ?5, finished_at = ?6, "
        "duration_ms = ?7, error_code = null, error_message = null, result = ?8, reason = '', progress_rows "
        "= null, progress_bytes = null, progress_total = null, progress_phase = null, "
        "progress_total_rows = null, history = history || ?9 where id = ?10",
        ending.to, held.lease, held.attempt, held.node, held.started_at, at_rest, ending.duration_ms,
        completion.result, history, one.job));
  } else {
    const auto error_code = completion.error ? std::optional(completion.error->code) : std::nullopt;
    const auto error_message = completion.error ? std::optional(completion.error->message) : std::nullopt;
    SLUICE_CHECK(database.run(
        "update job set state = ?1, lease = ?2, attempt = ?3, node = ?4, started_at = ?5, finished_at = ?6, "
        "duration_ms = ?7, error_code = iif(?8, error_code, ?9), error_message = iif(?8, error_message, "
        "?10), "
        "result = iif(?11 = '' and ?15, result, ?11), reason = ?12, progress_rows = null, progress_bytes = "
        "null, "
        "progress_total = null, progress_phase = null, progress_total_rows = null, history = history || ?13 "
        "where id = ?14",
        ending.to, held.lease, held.attempt - (completion.count_attempt ? 0 : 1), held.node, held.started_at,
        at_rest, given_back ? std::nullopt : std::optional(ending.duration_ms), given_back, error_code,
        error_message, completion.result, ending.reason, history, one.job, !completion.count_attempt));
  }
  if (goes_on(ending.to)) SLUICE_CHECK(cut_history(database, one.job));
  if (ending.until)
    SLUICE_CHECK(database.run("update job set run_at = ? where id = ?", ending.until, one.job));
  if (one.progress) SLUICE_CHECK(keep_progress(database, one.job));
  return {};
}

// After the leases are gone: the way is free for others.
Result<void> free_the_way(Database& database, const Attempted& one, Timestamp now) {
  const Held& held = one.held;
  if (one.to == JobState::enqueued) SLUICE_CHECK(enter_ready(database, one.job));
  if (one.to == JobState::succeeded || one.to == JobState::failed) {
    const CountedRun run{.job = one.job,
                         .failed = one.to == JobState::failed,
                         .code = one.by->error ? std::string_view(one.by->error->code) : ""};
    SLUICE_CHECK(count_run(database, held.recurring_id, run, now));
  }
  if (!one.by->count_attempt) SLUICE_CHECK(forget_start(database, held.limit_key, one.job, held.started_at));
  SLUICE_CHECK(release_key(database, held.exclusive_key));
  SLUICE_CHECK(release_limit(database, held.limit_key, now));
  return {};
}

}  // namespace

Result<std::optional<Held>> look_up(Database& database, JobId id) {
  std::optional<Held> held;
  SLUICE_CHECK(database.each(
      "select case when l.job is null then j.state else 2 end, coalesce(l.token, j.lease), "
      "coalesce(l.attempt, "
      "j.attempt), coalesce(l.started_at, j.started_at), coalesce(l.node, j.node), j.exclusive_key, "
      "l.cancel_requested_at is not null, iif(l.cancel_requested_at is null, j.reason, l.reason), j.kind, "
      "j.limit_key, j.recurring_id from job j left join lease l on l.job = j.id where j.id = ?",
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(const JobState state, state_to_change(id, row.integer(0)));
        held = Held{.state = state,
                    .lease = row.integer(1),
                    .attempt = static_cast<int>(row.integer(2)),
                    .started_at = row.maybe_time(3),
                    .node = row.text(4),
                    .exclusive_key = row.text(5),
                    .cancelled = row.integer(6) != 0,
                    .reason = row.text(7),
                    .kind = row.text(8),
                    .limit_key = row.text(9),
                    .recurring_id = row.text(10)};
        return {};
      },
      id));
  return held;
}

Result<void> keep_progress(Database& database, JobId id) {
  SLUICE_CHECK(database.run(
      "update job set (progress_rows, progress_bytes, progress_total, progress_phase, progress_total_rows) = "
      "(select progress_rows, progress_bytes, progress_total, progress_phase, progress_total_rows from lease "
      "where job = ?1) where id = ?1",
      id));
  return {};
}

Result<std::vector<std::optional<JobState>>> finish(Database& database, Account& account,
                                                    std::span<const Completion> completions, Timestamp now) {
  std::vector<std::optional<JobState>> ended(completions.size());
  if (completions.empty()) return ended;
  SLUICE_TRY(Leases leases, find_leases(database, completions));
  for (Attempted& one : leases.mine) {
    SLUICE_CHECK(write_end(database, account, one, now));
    ended[static_cast<std::size_t>(one.by - completions.data())] = one.to;
  }
  for (const auto& [first, last] : leases.runs)
    SLUICE_CHECK(database.run("delete from lease where job between ? and ?", first, last));
  for (const Attempted& one : leases.mine) SLUICE_CHECK(free_the_way(database, one, now));
  return ended;
}

}  // namespace sluice::jobs
