#include "jobs/retry.h"

#include "base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr int kLastCode = static_cast<int>(ErrorCode::internal);
constexpr int kMostDoublings = 40;  // 2^40 ms is 35 years: beyond any max_delay, far from overflow

bool names(const std::vector<std::string>& codes, ErrorCode code) {
  return std::ranges::find(codes, to_string(code)) != codes.end();
}

Result<void> check_codes(const std::vector<std::string>& codes, std::string_view list) {
  for (const std::string& name : codes) {
    bool known = false;
    for (int code = 0; code <= kLastCode && !known; ++code) known = to_string(ErrorCode(code)) == name;
    if (!known) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("retry: \"{}\" in `{}` is no error code", printable(name, 60), list));
    }
    if (std::ranges::count(codes, name) > 1)
      return fail(ErrorCode::invalid_argument, fmt::format("retry: `{}` names \"{}\" twice", list, name));
  }
  return {};
}

}  // namespace

Result<void> check_retry_policy(const RetryPolicy& policy) {
  const auto refuse = [](std::string_view what) {
    return fail(ErrorCode::invalid_argument, fmt::format("retry: {}", what));
  };
  if (policy.limit < 0) return refuse("the retry limit must not be negative");
  if (policy.limit > RetryPolicy::kNoLimit)
    return refuse(fmt::format("the retry limit is at most {}", RetryPolicy::kNoLimit));
  if (std::ranges::any_of(policy.delays, [](milliseconds delay) { return delay.count() < 0; }))
    return refuse("delays must not be negative");
  if (policy.delay.count() < 0 || policy.max_delay.count() < 0)
    return refuse("delay and max_delay must not be negative");
  if (policy.double_delay_limit.value_or(0) < 0) return refuse("double_delay_limit must not be negative");
  if (!(policy.jitter >= 0.0 && policy.jitter <= 1.0)) return refuse("the jitter must be between 0 and 1");
  if (policy.until && policy.until->count() <= 0) return refuse("`until` must be longer than nothing");
  SLUICE_CHECK(check_codes(policy.only, "only"));
  SLUICE_CHECK(check_codes(policy.except, "except"));
  return {};
}

RetryDecision decide_retry(const RetryPolicy& policy, const FailedAttempt& failed, double random) {
  if (!failed.retryable) return {};
  if (names(policy.except, failed.code) || (!policy.only.empty() && !names(policy.only, failed.code)))
    return {{}, "its retry policy does not try this error again"};
  if (failed.attempt >= failed.max_attempts) return {};
  const Timestamp at = failed.now + retry_delay(policy, failed.attempt, random);
  if (policy.until && at > failed.created_at + *policy.until) {
    return {{},
            fmt::format("given up: it was to be tried again until {} at most",
                        format_utc(failed.created_at + *policy.until))};
  }
  return {at, {}};
}

milliseconds retry_delay(const RetryPolicy& policy, int attempt, double random) {
  if (!policy.delays.empty()) {
    const auto nth = static_cast<std::size_t>(std::max(attempt, 1) - 1);
    return policy.delays[std::min(nth, policy.delays.size() - 1)];
  }
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
  // Only what is there, so that policies of old stay as short as they were.
  if (!policy.only.empty()) json["only"] = policy.only;
  if (!policy.except.empty()) json["except"] = policy.except;
  if (policy.until) json["untilMs"] = policy.until->count();
  for (const milliseconds delay : policy.delays) json["delaysMs"].push_back(delay.count());
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
    policy.only = json.value("only", std::vector<std::string>());
    policy.except = json.value("except", std::vector<std::string>());
    if (json.contains("untilMs")) policy.until = milliseconds(json.at("untilMs").get<std::int64_t>());
    for (const std::int64_t delay : json.value("delaysMs", std::vector<std::int64_t>()))
      policy.delays.emplace_back(delay);
    return policy;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::malformed,
                fmt::format("the retry policy of a stored job is unreadable: {}", error.what()));
  }
}

}  // namespace sluice::jobs
