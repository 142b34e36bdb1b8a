// When a failed attempt is tried again. Limits count retries: attempts = limit + 1.
#pragma once

#include "base/error.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::jobs {

enum class Backoff { exponential, fixed };

struct RetryPolicy {
  int limit = 3;
  std::chrono::milliseconds delay{60'000};
  Backoff backoff = Backoff::exponential;
  std::optional<int> double_delay_limit;  // how often the delay is doubled at most
  std::chrono::milliseconds max_delay{900'000};
  double jitter = 1.0;  // the part of the delay that is random: 1 = full jitter, 0 = none

  static RetryPolicy none() { return {.limit = 0}; }
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// The pause after the given failed attempt (1 = the first). `random` is uniform in [0, 1).
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt, double random);

// How long the policy waits because the other side asked for it (Retry-After): as long as asked, up to
// max_delay. A server that says "tomorrow" does not decide for how long a loader rests.
std::chrono::milliseconds granted_delay(const RetryPolicy& policy, std::chrono::milliseconds asked);

// The form the store keeps: a JSON object.
std::string to_json(const RetryPolicy& policy);
Result<RetryPolicy> retry_policy_from_json(std::string_view json);

}  // namespace sluice::jobs
