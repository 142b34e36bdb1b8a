// When a request is tried again, and after how long.
#pragma once

#include "base/clock.h"
#include "model/spec.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace sluice::fetch {

// "120" or an HTTP date, as the time to wait from `now` on. 0, a past date and nonsense are no hint: obeying
// them would burn all tries at once. More than a year counts as a year.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, Timestamp now);

// Exponential back-off with full jitter, and one budget for all requests of a fetch: RetrySpec::limit.
class RetryBudget {
 public:
  // `random`: [0, 1).
  RetryBudget(const RetrySpec& spec, std::function<double()> random)
      : spec_(spec), random_(std::move(random)) {}

  bool left() const { return used_ < spec_.limit; }
  int used() const { return used_; }
  // Spends one retry; returns how long to wait before it. A hint is waited out, and never cut short.
  std::chrono::milliseconds spend(std::optional<std::chrono::milliseconds> hint);

 private:
  const RetrySpec& spec_;
  std::function<double()> random_;
  int used_ = 0;
};

}  // namespace sluice::fetch
