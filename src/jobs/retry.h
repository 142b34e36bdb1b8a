// When a failed attempt is tried again. Limits count retries: attempts = limit + 1.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

enum class Backoff { exponential, fixed };

struct RetryPolicy {
  int limit = 3;
  std::chrono::milliseconds delay{60'000};
  Backoff backoff = Backoff::exponential;
  std::optional<int> double_delay_limit;  // how often the delay is doubled at most
  std::chrono::milliseconds max_delay{900'000};
  double jitter = 1.0;  // the part of the delay that is random: 1 = full jitter, 0 = none
  // The pauses one by one, instead of all that: the first after the first failure; the last one goes on. Kept
  // to the letter, without jitter or longest delay.
  std::vector<std::chrono::milliseconds> delays;
  // Names of ErrorCode. Of the errors that are retryable, only these are tried again; except those.
  std::vector<std::string> only, except;
  // Not tried again later than so long after the job was created, whatever the limit; together with kNoLimit:
  // until then as often as it takes.
  std::optional<std::chrono::milliseconds> until;

  static constexpr int kNoLimit = 1'000'000;

  static RetryPolicy none() { return {.limit = 0}; }
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// The pause after the given failed attempt (1 = the first). `random` is uniform in [0, 1).
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt, double random);

// Names no code twice, none that there is not, and no negative time (invalid_argument otherwise).
Result<void> check_retry_policy(const RetryPolicy& policy);

// What becomes of a failed attempt.
struct RetryDecision {
  std::optional<Timestamp> at;  // tried again then; none = the job has failed
  std::string why_not;          // why it is not tried again although its error would pass; may be empty
};
struct FailedAttempt {
  ErrorCode code = ErrorCode::internal;
  bool retryable = false;
  int attempt = 1, max_attempts = 1;
  Timestamp created_at{}, now{};
};
RetryDecision decide_retry(const RetryPolicy& policy, const FailedAttempt& failed, double random);

// How long the policy waits because the other side asked for it (Retry-After): as long as asked, up to
// max_delay. A server that says "tomorrow" does not decide for how long a loader rests.
std::chrono::milliseconds granted_delay(const RetryPolicy& policy, std::chrono::milliseconds asked);

// The form the store keeps: a JSON object.
std::string to_json(const RetryPolicy& policy);
Result<RetryPolicy> retry_policy_from_json(std::string_view json);

}  // namespace sluice::jobs
