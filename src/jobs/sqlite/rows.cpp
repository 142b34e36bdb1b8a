#include "jobs/sqlite/rows.h"

#include "jobs/sqlite/batching.h"
#include "jobs/sqlite/following.h"
#include "jobs/store/batching.h"
#include "jobs/store/unique.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr auto kAwaiting = static_cast<std::size_t>(JobState::awaiting);

}  // namespace

Result<std::optional<std::string>> retired_reason(Database& database, JobId job) {
  std::optional<std::string> reason;
  SLUICE_CHECK(database.each(
      "select recurring.retired_reason from job join recurring on recurring.id = job.recurring_id "
      "where job.id = ? and recurring.retired_at is not null",
      [&](const Row& row) -> Result<void> {
        reason = row.text(0);
        return {};
      },
      job));
  return reason;
}

Result<std::optional<JobId>> find_live(Database& database, std::string_view exclusive_key) {
  std::optional<JobId> found;
  SLUICE_CHECK(database.each(
      "select id from job indexed by job_live_key where exclusive_key = ?1 and exclusive_key is not null "
      "and state in (0, 1) and (state <> 0 or attempt > 0 or fire_at is not null) order by id limit 1",
      [&](const Row& row) -> Result<void> {
        found = JobId(row.integer(0));
        return {};
      },
      exclusive_key));
  return found;
}

Result<void> enter_ready(Database& database, JobId job) {
  SLUICE_CHECK(database.run(
      "insert into ready (job, priority, run_at, kind, queue, token, attempt, exclusive_key, limit_key, "
      "pinned_node, recurring_id) select id, priority, run_at, kind, queue, lease + 1, attempt, "
      "exclusive_key, limit_key, pinned_node, recurring_id from job where id = ?",
      job));
  return {};
}

Result<void> leave_ready(Database& database, JobId job) {
  SLUICE_CHECK(database.run("delete from ready where job = ?", job));
  return {};
}

Result<JobId> Account::insert_job(const NewJob& job, const InsertedJob& more, bool waits) {
  if (!initial_allowed(more.state)) {
    return fail(ErrorCode::internal, fmt::format("a new job cannot be {}", to_string(more.state)));
  }
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  const Timestamp run_at = std::max(more.run_at.value_or(job.run_at.value_or(now_)), now_);
  const auto batch = job.batch ? std::optional(job.batch.value()) : std::nullopt;
  const auto parent = job.parent ? std::optional(job.parent.value()) : std::nullopt;
  const auto follows = job.parent ? std::optional(job.follows) : std::nullopt;
  const auto delay = job.delay ? std::optional(job.delay->count()) : std::nullopt;
  const auto finished_at = is_final(more.state) ? std::optional(now_) : std::nullopt;
  const auto blocking = more.blocking_job ? std::optional(more.blocking_job.value()) : std::nullopt;
  SLUICE_CHECK(database_.run(
      "insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
      "finished_at, "
      "max_attempts, pinned_node, exclusive_key, recurring_id, fire_at, blocking_job, started_by, reason, "
      "retry, args, parent, follows, delay_ms, unique_key, batch, limit_key, timeout_ms, "
      "latency_ms, history) "
      "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      job.kind, job.subject, name_of(job), job.queue, more.state, job.origin, job.priority, now_, run_at,
      finished_at, job.retry.limit + 1, or_null(job.pinned_node), or_null(job.exclusive_key),
      or_null(job.recurring_id), more.fire_at, blocking, job.started_by, more.reason, to_json(job.retry),
      job.args, parent, follows, delay, or_null(job.unique_key), batch, or_null(job.limit_key),
      job.timeout.count(), job.latency_limit.count(), history_line(more.state, now_, 0, {}, more.reason)));
  const JobId id(database_.last_id());
  if (waits && more.state == JobState::enqueued) {
    SLUICE_CHECK(database_.run(
        "insert into ready (job, priority, run_at, kind, queue, token, attempt, exclusive_key, limit_key, "
        "pinned_node, recurring_id) values (?, ?, ?, ?, ?, 1, 0, ?, ?, ?, ?)",
        id, job.priority, run_at, job.kind, job.queue, or_null(job.exclusive_key), or_null(job.limit_key),
        or_null(job.pinned_node), or_null(job.recurring_id)));
  }
  count(more.state, 1);
  if (is_final(more.state)) finished(more.state, 0, 0);
  return id;
}

Result<void> Account::step(const Step& step) {
  SLUICE_CHECK(count(step));
  return add_history(step.job, history_line(step.to, now_, step.attempt, step.node, step.reason));
}

Result<void> Account::count(const Step& step) {
  if (!transition_allowed(step.from, step.to)) {
    return fail(ErrorCode::internal, fmt::format("job {} cannot go from {} to {}", step.job.value(),
                                                 to_string(step.from), to_string(step.to)));
  }
  count(step.from, -1);
  count(step.to, 1);
  if (is_final(step.to)) {
    finished(step.to, step.duration_ms, step.amount);
    ended_.push_back({step.job, step.to, now_});
  }
  if (class_of(step.from) != class_of(step.to)) moved_.push_back({step.job, step.from, step.to});
  return {};
}

void Account::finished(JobState state, std::int64_t duration_ms, std::int64_t amount) {
  finished_[state].jobs += 1;
  finished_[state].ms += duration_ms;
  finished_[state].amount += amount;
}

Result<void> Account::add_history(JobId job, std::string_view lines) {
  SLUICE_CHECK(database_.run("update job set history = history || ? where id = ?", lines, job));
  return {};
}

Result<void> Account::close() {
  while (!ended_.empty() || !moved_.empty()) {
    SLUICE_CHECK(count_members(database_, *this, std::exchange(moved_, {})));
    SLUICE_CHECK(settle_ended(database_, *this, counts_[kAwaiting]));
  }
  for (const JobState state : kJobStates) {
    if (const auto by = counts_[static_cast<std::size_t>(state)]; by != 0) {
      SLUICE_CHECK(database_.run("update job_count set n = n + ? where state = ?", by, state));
    }
  }
  const Timestamp minute = std::chrono::floor<std::chrono::minutes>(now_);
  for (const auto& [state, sum] : finished_) {
    SLUICE_CHECK(
        database_.run("insert into job_minute (minute, state, n, ms, amount) values (?, ?, ?, ?, ?) "
                      "on conflict (minute, state) do update set n = n + excluded.n, ms = ms + excluded.ms, "
                      "amount = amount + excluded.amount",
                      minute, state, sum.jobs, sum.ms, sum.amount));
  }
  counts_ = {};
  finished_.clear();
  return {};
}

}  // namespace sluice::jobs
