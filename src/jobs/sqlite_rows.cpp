#include "jobs/sqlite_rows.h"

#include <fmt/format.h>

namespace sluice::jobs {

std::string_view job_columns() {
  return "id, kind, subject, name, queue, state, origin, priority, created_at, run_at, started_at, "
         "finished_at, "
         "duration_ms, attempt, max_attempts, crashes, node, pinned_node, exclusive_key, recurring_id, "
         "fire_at, "
         "cancel_requested_at, progress_rows, progress_bytes, progress_total, progress_phase, "
         "progress_total_rows, blocking_job, started_by, "
         "reason, "
         "error_code, error_message, retry, args, result";
}

Result<Job> read_job(const Row& row) {
  Job job;
  int i = 0;
  job.id = JobId(row.integer(i++));
  job.kind = row.text(i++);
  job.subject = row.text(i++);
  job.name = row.text(i++);
  job.queue = row.text(i++);
  const std::int64_t state = row.integer(i++);
  const std::int64_t origin = row.integer(i++);
  if (state < 0 || state >= static_cast<std::int64_t>(kJobStateCount) || origin < 0 || origin > 5) {
    return fail(ErrorCode::malformed,
                fmt::format("job {} has state {} and origin {}, which this program does not know",
                            job.id.value(), state, origin));
  }
  job.state = static_cast<JobState>(state);
  job.origin = static_cast<Origin>(origin);
  job.priority = static_cast<int>(row.integer(i++));
  job.created_at = row.time(i++);
  job.run_at = row.time(i++);
  job.started_at = row.maybe_time(i++);
  job.finished_at = row.maybe_time(i++);
  job.duration_ms = row.maybe_integer(i++);
  job.attempt = static_cast<int>(row.integer(i++));
  job.max_attempts = static_cast<int>(row.integer(i++));
  job.crashes = static_cast<int>(row.integer(i++));
  job.node = row.text(i++);
  job.pinned_node = row.text(i++);
  job.exclusive_key = row.text(i++);
  job.recurring_id = row.text(i++);
  job.fire_at = row.maybe_time(i++);
  job.cancel_requested_at = row.maybe_time(i++);
  if (const auto rows = row.maybe_integer(i)) {
    job.progress = Progress{.phase = row.text(i + 3),
                            .rows = *rows,
                            .total_rows = row.maybe_integer(i + 4),
                            .bytes = row.integer(i + 1),
                            .total_bytes = row.maybe_integer(i + 2)};
  }
  i += 5;
  job.blocking_job = JobId(row.integer(i++));
  job.started_by = row.text(i++);
  job.reason = row.text(i++);
  if (std::string code = row.text(i); !code.empty()) job.error = JobError{std::move(code), row.text(i + 1)};
  i += 2;
  SLUICE_TRY(job.retry, retry_policy_from_json(row.text(i++)));
  job.args = row.text(i++);
  job.result = row.text(i++);
  return job;
}

std::string_view recurring_columns() {
  return "id, kind, subject, name, args, queue, phrase, zone, anchor, missed, window_ms, overlap, jitter_ms, "
         "retry, "
         "enabled, exclusive_key, next_fire_at, last_fire_at, last_job, paused_at, paused_by, pause_reason, "
         "retired_at, retired_reason, error, updated_at";
}

Result<Recurring> read_recurring(const Row& row, RetryMemo* memo) {
  Recurring recurring;
  RecurringSpec& spec = recurring.spec;
  int i = 0;
  spec.id = row.text(i++);
  spec.kind = row.text(i++);
  spec.subject = row.text(i++);
  spec.name = row.text(i++);
  spec.args = row.text(i++);
  spec.queue = row.text(i++);
  spec.phrase = row.text(i++);
  spec.zone = row.text(i++);
  if (const auto anchor = row.maybe_time(i++))
    spec.anchor = std::chrono::floor<std::chrono::seconds>(*anchor);
  spec.missed = static_cast<Missed>(row.integer(i++));
  spec.catch_up_window = std::chrono::milliseconds(row.integer(i++));
  spec.overlap = static_cast<Overlap>(row.integer(i++));
  spec.jitter = std::chrono::milliseconds(row.integer(i++));
  if (auto retry = row.text(i++); memo != nullptr && !retry.empty() && retry == memo->text) {
    spec.retry = memo->policy;
  } else {
    SLUICE_TRY(spec.retry, retry_policy_from_json(retry));
    if (memo != nullptr) *memo = {std::move(retry), spec.retry};
  }
  spec.enabled = row.integer(i++) != 0;
  spec.exclusive_key = row.text(i++);
  recurring.next_fire_at = row.maybe_time(i++);
  recurring.last_fire_at = row.maybe_time(i++);
  recurring.last_job = JobId(row.integer(i++));
  recurring.paused_at = row.maybe_time(i++);
  recurring.paused_by = row.text(i++);
  recurring.pause_reason = row.text(i++);
  recurring.retired_at = row.maybe_time(i++);
  recurring.retired_reason = row.text(i++);
  recurring.error = row.text(i++);
  recurring.updated_at = row.time(i++);
  return recurring;
}

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
      "and state in (0, 1, 2) and (state <> 0 or attempt > 0) order by id limit 1",
      [&](const Row& row) -> Result<void> {
        found = JobId(row.integer(0));
        return {};
      },
      exclusive_key));
  return found;
}

Result<JobId> Account::insert_job(const NewJob& job, const InsertedJob& more) {
  if (!initial_allowed(more.state)) {
    return fail(ErrorCode::internal, fmt::format("a new job cannot be {}", to_string(more.state)));
  }
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  const std::string_view name = !job.name.empty() ? job.name : !job.subject.empty() ? job.subject : job.kind;
  const Timestamp run_at = job.run_at && *job.run_at > now_ ? *job.run_at : now_;
  const auto finished_at = is_final(more.state) ? std::optional(now_) : std::nullopt;
  const auto blocking = more.blocking_job ? std::optional(more.blocking_job.value()) : std::nullopt;
  SLUICE_CHECK(database_.run(
      "insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
      "finished_at, "
      "max_attempts, pinned_node, exclusive_key, recurring_id, fire_at, blocking_job, started_by, reason, "
      "retry, args) "
      "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      job.kind, job.subject, name, job.queue, more.state, job.origin, job.priority, now_, run_at, finished_at,
      job.retry.limit + 1, or_null(job.pinned_node), or_null(job.exclusive_key), or_null(job.recurring_id),
      more.fire_at, blocking, job.started_by, more.reason, to_json(job.retry), job.args));
  const JobId id(database_.last_id());
  count(more.state, 1);
  if (is_final(more.state)) finished(more.state, 0, 0);
  SLUICE_CHECK(history(id, more.state, 0, {}, more.reason));
  return id;
}

Result<void> Account::step(const Step& step) {
  if (!transition_allowed(step.from, step.to)) {
    return fail(ErrorCode::internal, fmt::format("job {} cannot go from {} to {}", step.job.value(),
                                                 to_string(step.from), to_string(step.to)));
  }
  count(step.from, -1);
  count(step.to, 1);
  if (is_final(step.to)) finished(step.to, step.duration_ms, step.amount);
  return history(step.job, step.to, step.attempt, step.node, step.reason);
}

void Account::finished(JobState state, std::int64_t duration_ms, std::int64_t amount) {
  finished_[state].jobs += 1;
  finished_[state].ms += duration_ms;
  finished_[state].amount += amount;
}

Result<void> Account::history(JobId job, JobState state, int attempt, std::string_view node,
                              std::string_view reason) {
  SLUICE_CHECK(database_.run(
      "insert into job_history (job, seq, state, at, attempt, node, reason) values "
      "(?1, (select coalesce(max(seq), 0) + 1 from job_history where job = ?1), ?2, ?3, ?4, ?5, ?6)",
      job, state, now_, attempt, node, reason));
  return {};
}

Result<void> Account::close() {
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
