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

// The pause after the given failed attempt (1 = the first). `random` is uniform in [0, 1). The other side's
// own wish (Retry-After) is a lower bound and beats max_delay, up to a day.
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt, double random,
                                      std::optional<std::chrono::milliseconds> retry_after = {});

// The form the store keeps: a JSON object.
std::string to_json(const RetryPolicy& policy);
Result<RetryPolicy> retry_policy_from_json(std::string_view json);

}  // namespace sluice::jobs
