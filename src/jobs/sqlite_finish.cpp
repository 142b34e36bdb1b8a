#include "jobs/sqlite_finish.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

// When a recurring job of the key fires next, but not at this very moment.
Result<std::optional<Timestamp>> next_tick(Database& database, std::string_view exclusive_key,
                                           Timestamp now) {
  std::optional<Timestamp> next;
  if (exclusive_key.empty()) return next;
  SLUICE_CHECK(database.each(
      "select min(next_fire_at) from recurring where exclusive_key = ? and next_fire_at > ?",
      [&](const Row& row) -> Result<void> {
        next = row.maybe_time(0);
        return {};
      },
      exclusive_key, now));
  return next;
}

struct Pause {
  std::optional<Timestamp> until;
  std::string told;  // for the history; empty = nothing but the policy's own pause
};

// How long a retry waits: as the policy says, longer when the source wishes it, but a schedule is not kept
// silent by a job that only waits.
Result<Pause> pause_of(Database& database, const Completion& completion, const Held& held, Timestamp now) {
  Pause pause{completion.run_at, {}};
  if (completion.to != JobState::scheduled || !completion.wish) return pause;
  const Timestamp earliest = completion.run_at.value_or(now);
  const Wish& wish = *completion.wish;
  if (wish.asked <= earliest) return pause;
  SLUICE_TRY(const auto tick, next_tick(database, held.exclusive_key, now));
  const Timestamp granted = std::max(earliest, wish.granted);
  const bool ticks_first = tick && *tick < granted;
  pause.until = ticks_first ? std::max(earliest, *tick) : granted;
  pause.told = fmt::format("the source asks to wait until {}", format_utc(wish.asked));
  if (*pause.until < wish.asked) {
    pause.told += fmt::format("; tried again at {}: {}", format_utc(*pause.until),
                              ticks_first ? "its schedule fires then" : "maxDelay allows no longer pause");
  }
  return pause;
}

std::string joined(std::string first, std::string_view second) {
  if (!first.empty() && !second.empty()) first += "; ";
  first += second;
  return first;
}

bool goes_on(JobState state) { return state == JobState::scheduled || state == JobState::enqueued; }

}  // namespace

Result<std::optional<Held>> look_up(Database& database, JobId id) {
  std::optional<Held> held;
  SLUICE_CHECK(database.each(
      "select state, lease, attempt, started_at, node, exclusive_key, cancel_requested_at is not null, "
      "reason "
      "from job where id = ?",
      [&](const Row& row) -> Result<void> {
        held = Held{.state = static_cast<JobState>(row.integer(0)),
                    .lease = row.integer(1),
                    .attempt = static_cast<int>(row.integer(2)),
                    .started_at = row.maybe_time(3),
                    .node = row.text(4),
                    .exclusive_key = row.text(5),
                    .cancelled = row.integer(6) != 0,
                    .reason = row.text(7)};
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

  JobState to = completion.to;
  std::string reason = completion.reason;
  std::string why = reason;
  if (why.empty() && completion.error)
    why = fmt::format("{}: {}", completion.error->code, completion.error->message);
  // A job that would go on is over when somebody wanted that while its attempt came to its end.
  std::optional<std::string> over;
  if (held->cancelled && (goes_on(to) || to == JobState::held)) over = held->reason;
  if (!over && goes_on(to)) {
    SLUICE_TRY(over, retired_reason(database, id));
  }
  if (over) {
    to = JobState::deleted;
    reason = *over;
    why = joined(*over, why.empty() ? "" : "its attempt had ended with " + why);
  }
  SLUICE_TRY(const Pause pause, pause_of(database, completion, *held, now));
  if (to == JobState::scheduled) why = joined(std::move(why), pause.told);

  const std::int64_t duration =
      held->started_at
          ? std::max<std::int64_t>(
                0, std::chrono::floor<std::chrono::milliseconds>(now - *held->started_at).count())
          : 0;
  const bool given_back = completion.to == JobState::enqueued;
  const auto error_code = completion.error ? std::optional(completion.error->code) : std::nullopt;
  const auto error_message = completion.error ? std::optional(completion.error->message) : std::nullopt;
  const bool keeps_reason = to == JobState::held || to == JobState::deleted;
  SLUICE_CHECK(database.run(
      "update job set state = ?1, attempt = attempt - ?2, finished_at = ?3, duration_ms = ?4, run_at = "
      "coalesce(?5, run_at), "
      "error_code = iif(?6, error_code, ?7), error_message = iif(?6, error_message, ?8), "
      "result = iif(?9 = '', result, ?9), reason = ?10, cancel_requested_at = null where id = ?11",
      to, completion.count_attempt ? 0 : 1, is_at_rest(to) ? std::optional(now) : std::nullopt,
      given_back ? std::nullopt : std::optional(duration), pause.until, given_back, error_code, error_message,
      completion.result, keeps_reason ? std::string_view(reason) : std::string_view(), id));
  SLUICE_CHECK(account.step({.job = id,
                             .from = held->state,
                             .to = to,
                             .attempt = held->attempt,
                             .node = held->node,
                             .reason = why,
                             .duration_ms = duration,
                             .amount = completion.amount}));
  return to;
}

}  // namespace sluice::jobs
