#include "jobs/retry.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr int kMostDoublings = 40;  // 2^40 ms is 35 years: beyond any max_delay, far from overflow

}  // namespace

milliseconds retry_delay(const RetryPolicy& policy, int attempt, double random) {
  const milliseconds cap = std::max(policy.max_delay, milliseconds(0));
  milliseconds delay = std::clamp(policy.delay, milliseconds(0), cap);
  if (policy.backoff == Backoff::exponential) {
    const int doublings = std::clamp(attempt - 1, 0, policy.double_delay_limit.value_or(kMostDoublings));
    for (int i = 0; i < doublings && delay < cap; ++i) delay = std::min(delay * 2, cap);
  }
  const double jitter = std::clamp(policy.jitter, 0.0, 1.0);
  const double share = 1.0 - jitter * (1.0 - std::clamp(random, 0.0, 1.0));
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * share));
}

milliseconds granted_delay(const RetryPolicy& policy, milliseconds asked) {
  return std::clamp(asked, milliseconds(0), std::max(policy.max_delay, milliseconds(0)));
}

std::string to_json(const RetryPolicy& policy) {
  nlohmann::json json = {{"limit", policy.limit},
                         {"delayMs", policy.delay.count()},
                         {"backoff", policy.backoff == Backoff::fixed ? "fixed" : "exponential"},
                         {"maxDelayMs", policy.max_delay.count()},
                         {"jitter", policy.jitter}};
  if (policy.double_delay_limit) json["doubleDelayLimit"] = *policy.double_delay_limit;
  return json.dump();
}

Result<RetryPolicy> retry_policy_from_json(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    RetryPolicy policy;
    policy.limit = json.at("limit").get<int>();
    policy.delay = milliseconds(json.at("delayMs").get<std::int64_t>());
    policy.backoff = json.at("backoff").get<std::string>() == "fixed" ? Backoff::fixed : Backoff::exponential;
    policy.max_delay = milliseconds(json.at("maxDelayMs").get<std::int64_t>());
    policy.jitter = json.at("jitter").get<double>();
    if (json.contains("doubleDelayLimit")) policy.double_delay_limit = json.at("doubleDelayLimit").get<int>();
    return policy;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::malformed,
                fmt::format("the retry policy of a stored job is unreadable: {}", error.what()));
  }
}

}  // namespace sluice::jobs
