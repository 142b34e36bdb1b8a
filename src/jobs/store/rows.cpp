#include "jobs/store/rows.h"

#include "jobs/store.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::jobs {

std::optional<JobState> known_state(std::int64_t number) {
  if (number < 0 || number >= static_cast<std::int64_t>(kJobStateCount)) return std::nullopt;
  return static_cast<JobState>(number);
}

Result<JobState> state_to_change(JobId job, std::int64_t number) {
  if (const auto state = known_state(number)) return *state;
  return fail(
      ErrorCode::conflict,
      fmt::format("job {} has state {}, which this program does not know: it was written by a newer one, or "
                  "the store is damaged",
                  job.value(), number));
}

std::string without_long_texts(std::string_view columns, std::string_view length) {
  std::string cut(columns);
  for (const std::string_view text : {"j.args", "j.result"}) {
    if (const auto at = cut.find(text); at != std::string::npos) {
      cut.replace(
          at, text.size(),
          fmt::format("case when {0}({1}) > {2} then '' else {1} end", length, text, kMostListedText));
    }
  }
  return cut;
}

std::string_view job_columns() {
  return "j.id, j.kind, j.subject, j.name, j.queue, j.state, j.origin, j.priority, j.created_at, j.run_at, "
         "j.started_at, j.finished_at, j.duration_ms, j.attempt, j.max_attempts, j.crashes, j.node, "
         "j.pinned_node, j.exclusive_key, j.recurring_id, j.fire_at, null, j.progress_rows, "
         "j.progress_bytes, j.progress_total, j.progress_phase, j.progress_total_rows, j.blocking_job, "
         "j.started_by, j.reason, j.error_code, j.error_message, j.retry, j.limit_key, j.timeout_ms, "
         "j.latency_ms, j.args, j.result, j.parent, j.follows, j.delay_ms, j.unique_key, j.batch";
}

std::string_view live_job_columns() {
  return "j.id, j.kind, j.subject, j.name, j.queue, case when l.job is null then j.state else 2 end, "
         "j.origin, j.priority, j.created_at, j.run_at, coalesce(l.started_at, j.started_at), "
         "case when l.job is null then j.finished_at end, case when l.job is null then j.duration_ms end, "
         "coalesce(l.attempt, j.attempt), j.max_attempts, j.crashes, coalesce(l.node, j.node), "
         "j.pinned_node, j.exclusive_key, j.recurring_id, j.fire_at, l.cancel_requested_at, "
         "case when l.job is null then j.progress_rows else l.progress_rows end, "
         "case when l.job is null then j.progress_bytes else l.progress_bytes end, "
         "case when l.job is null then j.progress_total else l.progress_total end, "
         "case when l.job is null then j.progress_phase else l.progress_phase end, "
         "case when l.job is null then j.progress_total_rows else l.progress_total_rows end, "
         "j.blocking_job, j.started_by, case when l.cancel_requested_at is null then j.reason else l.reason "
         "end, j.error_code, j.error_message, j.retry, j.limit_key, j.timeout_ms, j.latency_ms, "
         "j.args, j.result, j.parent, j.follows, j.delay_ms, "
         "j.unique_key, j.batch";
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
  // Damaged, or written by a newer program: it is shown so, and keeps no other from being read.
  std::string trouble;
  job.state = known_state(state).value_or(JobState::failed);
  if (!known_state(state)) trouble = fmt::format("it has state {}, which this program does not know", state);
  if (origin >= 0 && origin <= static_cast<std::int64_t>(Origin::rescue)) {
    job.origin = static_cast<Origin>(origin);
  } else {
    trouble = fmt::format("it has origin {}, which this program does not know", origin);
  }
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
  // Most jobs are tried once; thousands are read at a time.
  static const std::string once = to_json(RetryPolicy::none());
  if (const std::string retry = row.text(i++); retry == once) {
    job.retry = RetryPolicy::none();
  } else if (auto policy = retry_policy_from_json(retry); policy) {
    job.retry = *std::move(policy);
  } else {
    job.retry = RetryPolicy::none();
    trouble = fmt::format("{}; it is not tried again", policy.error().message);
  }
  if (!trouble.empty())
    job.error = JobError{std::string(to_string(ErrorCode::malformed)), std::move(trouble)};
  job.limit_key = row.text(i++);
  job.timeout = std::chrono::milliseconds(row.integer(i++));
  job.latency_limit = std::chrono::milliseconds(row.integer(i++));
  job.args = row.text(i++);
  job.result = row.text(i++);
  job.parent = JobId(row.integer(i++));
  job.follows = static_cast<Follows>(std::clamp<std::int64_t>(row.integer(i++), 0, 2));
  job.delay = std::chrono::milliseconds(row.integer(i++));
  job.unique_key = row.text(i++);
  job.batch = JobId(row.integer(i++));
  return job;
}

std::string_view recurring_columns() {
  return "id, kind, subject, name, args, queue, phrase, zone, anchor, missed, window_ms, overlap, jitter_ms, "
         "retry, "
         "enabled, exclusive_key, next_fire_at, last_fire_at, last_job, paused_at, paused_by, pause_reason, "
         "retired_at, retired_reason, error, updated_at, timeout_ms, pause_after_failures, failures";
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
  const auto in_range = [&](std::int64_t number, std::string_view what) {
    constexpr std::int64_t kMissed = 2, kOverlap = 3;
    const std::int64_t most = what == "missed" ? kMissed : kOverlap;
    if (number >= 0 && number <= most) return number;
    recurring.error = fmt::format("`{}` is stored as {}, which this program does not know", what, number);
    return std::int64_t{0};
  };
  spec.missed = static_cast<Missed>(in_range(row.integer(i++), "missed"));
  spec.catch_up_window = std::chrono::milliseconds(row.integer(i++));
  spec.overlap = static_cast<Overlap>(in_range(row.integer(i++), "overlap"));
  spec.jitter = std::chrono::milliseconds(row.integer(i++));
  if (auto retry = row.text(i++); memo != nullptr && !retry.empty() && retry == memo->text) {
    spec.retry = memo->policy;
  } else if (auto policy = retry_policy_from_json(retry); policy) {
    spec.retry = *std::move(policy);
    if (memo != nullptr) *memo = {std::move(retry), spec.retry};
  } else {
    spec.retry = RetryPolicy::none();
    recurring.error = policy.error().message;
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
  if (recurring.error.empty()) recurring.error = row.text(i);
  ++i;
  recurring.updated_at = row.time(i++);
  spec.timeout = std::chrono::milliseconds(row.integer(i++));
  spec.pause_after_failures = static_cast<int>(row.integer(i++));
  recurring.failures = static_cast<int>(row.integer(i++));
  return recurring;
}

Result<std::optional<Timestamp>> next_tick(Database& database, std::string_view exclusive_key,
                                           Timestamp now) {
  std::optional<Timestamp> next;
  SLUICE_CHECK(database.each(
      "select min(next_fire_at) from recurring where exclusive_key = ? and next_fire_at > ?",
      [&](const Row& row) -> Result<void> {
        next = row.maybe_time(0);
        return {};
      },
      exclusive_key, now));
  return next;
}

std::string kinds_text(const std::vector<std::string>& kinds) {
  return nlohmann::json(kinds).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<std::vector<std::string>> kinds_of(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return {};
  std::vector<std::string> kinds;
  kinds.reserve(json.size());
  for (const auto& kind : json) {
    if (kind.is_string()) kinds.push_back(kind.get<std::string>());
  }
  return kinds;
}

}  // namespace sluice::jobs
