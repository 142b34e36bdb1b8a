// What every calendar computation shares.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace english_cron {

inline constexpr std::int64_t kDaySeconds = 86400;

/// The most days that a month has; February's are those of a leap year.
constexpr int longest_month(unsigned month) {
  constexpr std::array<int, 13> kDays{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[static_cast<std::size_t>(month)];
}

}  // namespace english_cron
