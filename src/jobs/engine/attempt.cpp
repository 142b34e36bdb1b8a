#include "jobs/engine/attempt.h"

#include "base/text.h"
#include "jobs/engine/filters.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace sluice::jobs {
namespace {

constexpr std::size_t kLineLimit = 4096;
constexpr std::size_t kMessageLimit = 16 * 1024;
constexpr std::size_t kLinesInMemory = 10'000;  // the store keeps no more of one job
constexpr std::chrono::milliseconds kTellEvery{100};
constexpr std::chrono::milliseconds kLongestWish = std::chrono::hours(366 * 24);

JobError as_job_error(const Error& error) {
  return {std::string(to_string(error.code)), clean_text(error.describe(), kMessageLimit)};
}

JobError timeout_error(const Job& job, const Error& error) {
  return {std::string(to_string(ErrorCode::timeout)),
          clean_text(
              fmt::format("stopped after its time-out of {} ms: {}", job.timeout.count(), error.describe()),
              kMessageLimit)};
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t limit) {
  std::string clean;
  for (const std::string_view line : split(text.substr(0, limit), '\n')) {
    if (!clean.empty()) clean += '\n';
    clean += printable(line, limit);
  }
  return clean;
}

Attempt::Attempt(Claimed claimed, Store& store, Clock& clock, std::shared_ptr<const Listeners> listeners)
    : claimed_(std::move(claimed)),
      store_(store.jobs()),
      queries_(store.queries()),
      clock_(clock),
      listeners_(std::move(listeners)) {}

void Attempt::progress(const Progress& progress) {
  const auto now = clock_.steady();
  {
    std::lock_guard lock(mutex_);
    unsaved_ = progress;
    if (told_at_ && now - *told_at_ < kTellEvery) return;
    told_at_ = now;
  }
  listeners_->send(ProgressChanged{claimed_.job.id, claimed_.job.subject, progress});
}

void Attempt::log(LogLevel level, std::string_view text) {
  std::lock_guard lock(mutex_);
  if (lines_.size() >= kLinesInMemory) return;
  lines_.push_back(
      {claimed_.job.id, 0, clock_.now(), claimed_.job.attempt, level, clean_text(text, kLineLimit)});
}

void Attempt::set_result(std::string json) {
  std::lock_guard lock(mutex_);
  result_ = std::move(json);
}

Result<std::optional<Job>> Attempt::parent() {
  std::lock_guard lock(parent_mutex_);
  if (!parent_ && claimed_.job.parent) {
    SLUICE_TRY(parent_, queries_.get(claimed_.job.parent));
  }
  return parent_;
}

void Attempt::request_stop(StopReason why, std::string_view reason) {
  {
    std::lock_guard lock(mutex_);
    if (stop_reason_.load() != StopReason::none) return;
    cancel_reason_ = reason;
    stop_reason_ = why;
  }
  stop_.request_stop();
}

Result<void> Attempt::flush() {
  std::lock_guard one(flush_mutex_);
  std::vector<LogLine> lines;
  std::optional<Progress> progress;
  {
    std::lock_guard lock(mutex_);
    lines.swap(lines_);
    progress.swap(unsaved_);
  }
  auto written = progress ? store_.save_progress(claimed_.lease, *progress) : Result<void>();
  if (written) progress.reset();
  if (written && !lines.empty()) written = store_.append_log(claimed_.lease, lines);
  if (!written) {  // kept for the next time
    std::lock_guard lock(mutex_);
    lines_.insert(lines_.begin(), std::make_move_iterator(lines.begin()),
                  std::make_move_iterator(lines.end()));
    if (!unsaved_) unsaved_ = std::move(progress);
  }
  return written;
}

std::optional<std::chrono::steady_clock::time_point> Attempt::deadline() const {
  std::lock_guard lock(mutex_);
  return deadline_;
}

Completion Attempt::run(const Handler& handler, const Random& random) {
  // Asked to stop before it began: the handler need not be woken for that.
  if (stop_reason() == StopReason::shutdown) return give_back("stopped by shut-down");
  if (job().timeout.count() > 0) {
    std::lock_guard lock(mutex_);
    deadline_ = clock_.steady() + job().timeout;
  }
  Result<JobOutcome> outcome = stop_reason() == StopReason::cancelled
                                   ? fail(ErrorCode::cancelled, "cancelled before it began")
                                   : call_handler(handler, *this, stop_.get_token());
  return outcome ? finish(*std::move(outcome)) : finish(outcome.error(), random);
}

Completion Attempt::give_back(std::string_view reason) const {
  Completion completion;
  completion.lease = claimed_.lease;
  completion.to = JobState::enqueued;
  completion.reason = reason;
  completion.count_attempt = false;
  return completion;
}

std::string Attempt::take_result(std::string from_outcome) {
  if (!from_outcome.empty()) return from_outcome;
  std::lock_guard lock(mutex_);
  return result_;
}

void Attempt::keep_result_short(std::string& result) {
  if (result.size() > kMaxJobText) {
    // The work is done, or failed for another reason: the job is not judged by its report.
    log(LogLevel::warning, fmt::format("the result of {} bytes is over the limit of {} and was not kept",
                                       result.size(), kMaxJobText));
    result.clear();
  } else if (!result.empty() && !nlohmann::json::accept(result)) {
    log(LogLevel::warning, "the result is not JSON and was not kept");
    result.clear();
  }
}

Completion Attempt::finish(JobOutcome outcome) {
  Completion completion;
  completion.lease = claimed_.lease;
  completion.to = outcome.state;
  completion.reason = clean_text(outcome.reason, kMessageLimit);
  completion.result = take_result(std::move(outcome.result));
  completion.amount = outcome.amount;
  if (outcome.state != JobState::succeeded && outcome.state != JobState::held) {
    completion.to = JobState::failed;
    completion.error = JobError{
        "internal", fmt::format("the handler ended the job as {}; only succeeded and held are its to give",
                                to_string(outcome.state))};
  }
  keep_result_short(completion.result);
  return completion;
}

Completion Attempt::finish(const Error& error, const Random& random) {
  const Job& job = claimed_.job;
  if (stop_reason() == StopReason::shutdown) return give_back("stopped by shut-down");
  Completion completion;
  completion.lease = claimed_.lease;
  completion.result = take_result({});
  keep_result_short(completion.result);
  if (stop_reason() == StopReason::cancelled) {
    std::lock_guard lock(mutex_);
    completion.to = JobState::deleted;
    completion.reason = cancel_reason_;
    return completion;
  }
  const bool timed_out = stop_reason() == StopReason::timeout;
  completion.error = timed_out ? timeout_error(job, error) : as_job_error(error);
  const Timestamp now = clock_.now();
  const RetryDecision decision = decide_retry(job.retry,
                                              {.code = timed_out ? ErrorCode::timeout : error.code,
                                               .retryable = timed_out || error.retryable,
                                               .attempt = job.attempt,
                                               .max_attempts = job.max_attempts,
                                               .created_at = job.created_at,
                                               .now = now},
                                              random());
  if (decision.at) {
    completion.to = JobState::scheduled;
    completion.run_at = decision.at;
    if (error.retry_after) {
      // What is longer than a year only means "never"; sums stay far from overflow.
      const auto asked = std::clamp(*error.retry_after, std::chrono::milliseconds(0), kLongestWish);
      completion.wish = Wish{now + asked, now + granted_delay(job.retry, asked)};
    }
  } else {
    completion.to = JobState::failed;
    if (!decision.why_not.empty()) completion.error->message += fmt::format("; {}", decision.why_not);
  }
  return completion;
}

}  // namespace sluice::jobs
