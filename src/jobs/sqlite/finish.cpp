#include "jobs/sqlite/finish.h"

#include "jobs/sqlite/limits.h"
#include "jobs/store/recurring_change.h"

namespace sluice::jobs {

Result<std::optional<Held>> look_up(Database& database, JobId id) {
  std::optional<Held> held;
  SLUICE_CHECK(database.each(
      "select state, lease, attempt, started_at, node, exclusive_key, cancel_requested_at is not null, "
      "reason, kind, limit_key, recurring_id "
      "from job where id = ?",
      [&](const Row& row) -> Result<void> {
        held = Held{.state = static_cast<JobState>(row.integer(0)),
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

Result<std::optional<JobState>> finish(Database& database, Account& account, const Completion& completion,
                                       Timestamp now) {
  const JobId id = completion.lease.job;
  SLUICE_TRY(const auto held, look_up(database, id));
  if (!held || held->state != JobState::processing || held->lease != completion.lease.token)
    return std::nullopt;

  std::optional<std::string> retired;
  if (goes_on(completion.to)) {
    SLUICE_TRY(retired, retired_reason(database, id));
  }
  SLUICE_TRY(const Ending ending,
             end_of(
                 completion, *held, retired,
                 [&](std::string_view key) { return next_tick(database, key, now); }, now));
  const bool given_back = completion.to == JobState::enqueued;
  const auto error_code = completion.error ? std::optional(completion.error->code) : std::nullopt;
  const auto error_message = completion.error ? std::optional(completion.error->message) : std::nullopt;
  SLUICE_CHECK(database.run(
      "update job set state = ?1, attempt = attempt - ?2, finished_at = ?3, duration_ms = ?4, run_at = "
      "coalesce(?5, run_at), "
      "error_code = iif(?6, error_code, ?7), error_message = iif(?6, error_message, ?8), "
      "result = iif(?9 = '', result, ?9), reason = ?10, cancel_requested_at = null where id = ?11",
      ending.to, completion.count_attempt ? 0 : 1, is_at_rest(ending.to) ? std::optional(now) : std::nullopt,
      given_back ? std::nullopt : std::optional(ending.duration_ms), ending.until, given_back, error_code,
      error_message, completion.result, ending.reason, id));
  SLUICE_CHECK(account.step({.job = id,
                             .from = held->state,
                             .to = ending.to,
                             .attempt = held->attempt,
                             .node = held->node,
                             .reason = ending.why,
                             .duration_ms = ending.duration_ms,
                             .amount = completion.amount}));
  if (ending.to == JobState::succeeded || ending.to == JobState::failed) {
    const CountedRun run{.job = id,
                         .failed = ending.to == JobState::failed,
                         .code = completion.error ? std::string_view(completion.error->code) : ""};
    SLUICE_CHECK(count_run(database, held->recurring_id, run, now));
  }
  if (!completion.count_attempt) SLUICE_CHECK(forget_start(database, held->limit_key, id, held->started_at));
  SLUICE_CHECK(release_key(database, held->exclusive_key));
  SLUICE_CHECK(release_limit(database, held->limit_key, now));
  return ending.to;
}

}  // namespace sluice::jobs
