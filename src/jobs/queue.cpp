#include "jobs/queue.h"

#include "base/text.h"
#include "jobs/job.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr int kMostWeight = 1000;
constexpr int kMostAtOnce = 1'000'000;
constexpr int kMostStarts = 10'000;  // each start inside the window is remembered
constexpr std::chrono::hours kLongestWindow{31 * 24};

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

bool may_be_in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

Result<void> check_queue_name(std::string_view name) {
  if (name.empty()) return refuse("a queue needs a name");
  if (name.size() > kLongestName)
    return refuse(fmt::format("the name of a queue has at most {} characters", kLongestName));
  if (!std::ranges::all_of(name, may_be_in_name)) {
    return refuse(
        fmt::format("\"{}\" is no name for a queue: use a-z, 0-9, _ and -", printable(name, kLongestName)));
  }
  return {};
}

Result<void> check_queue_share(const QueueShare& share) {
  SLUICE_CHECK(check_queue_name(share.name));
  if (share.weight < 1 || share.weight > kMostWeight) {
    return refuse(fmt::format("queue \"{}\": the weight must be 1 to {}, not {}", share.name, kMostWeight,
                              share.weight));
  }
  return {};
}

Result<void> check_max_running(std::string_view queue, std::optional<int> most) {
  if (!most || (*most >= 1 && *most <= kMostAtOnce)) return {};
  return refuse(fmt::format("queue \"{}\": the limit must be 1 to {}, not {}; to stop it, pause it", queue,
                            kMostAtOnce, *most));
}

Result<void> check_limit(std::string_view key, const KeyLimit& limit) {
  const bool limits = limit.at_once != 0 || limit.starts != 0;
  if (key.empty()) {
    if (limits) return refuse("a limit needs a limit key: jobs of one key share it");
    return {};
  }
  if (!limits) return refuse("a limit key needs a limit: so many at once, or so many starts in a window");
  if (limit.at_once < 0 || limit.at_once > kMostAtOnce)
    return refuse(fmt::format("the limit of jobs at once must be 0 to {}", kMostAtOnce));
  if (limit.starts < 0 || limit.starts > kMostStarts)
    return refuse(fmt::format("the limit of starts must be 0 to {}", kMostStarts));
  if (limit.starts > 0 && (limit.window.count() <= 0 || limit.window > kLongestWindow))
    return refuse("a limit of starts needs a window of 1 ms to 31 days");
  return {};
}

}  // namespace sluice::jobs
