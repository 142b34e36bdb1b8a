#include "fetch/retry.h"

#include "base/text.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace sluice::fetch {

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, Timestamp now) {
  constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
  const auto text = trim(value);
  if (text.empty()) return {};
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (parsed.ec == std::errc::result_out_of_range || seconds > longest / std::chrono::seconds(1))
      return longest;
    if (seconds == 0) return {};
    return std::chrono::seconds(seconds);
  }
  const std::time_t when = curl_getdate(std::string(text).c_str(), nullptr);
  if (when == -1) return {};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::sys_seconds(std::chrono::seconds(when)) - now);
  if (wait <= std::chrono::milliseconds(0)) return {};
  return std::min(wait, longest);
}

std::chrono::milliseconds RetryBudget::spend(std::optional<std::chrono::milliseconds> hint) {
  const double doublings = std::min(used_, 30);
  ++used_;
  const double ceiling = std::min(static_cast<double>(spec_.max.count()),
                                  static_cast<double>(spec_.base.count()) * std::exp2(doublings));
  const auto backoff = std::chrono::milliseconds(static_cast<std::int64_t>(ceiling * random_()));
  return hint ? std::max(*hint, backoff) : backoff;
}

}  // namespace sluice::fetch
