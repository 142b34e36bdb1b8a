// One cron expression as bit masks: bit n stands for the value n of the field.
#pragma once

#include "english_cron/translation.h"

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace english_cron {

struct CronFields {
  std::uint64_t seconds = 1;  // bits 0..59; five fields mean second 0
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0;
  std::uint32_t days = 0;     // of the month, bits 1..31
  std::uint16_t months = 0;   // bits 1..12
  std::uint8_t weekdays = 0;  // bits 0 (Sunday)..6

  std::uint32_t days_before_last = 0;  // L: bit 0, L-n: bit n
  std::uint32_t last_nearest = 0;      // LW: bit 0, L-nW: bit n
  std::uint32_t nearest = 0;           // nW: bit n
  std::array<std::uint8_t, 6> nth{};   // weekday#k: weekday bits at index k
  std::uint8_t last_weekdays = 0;      // weekdayL: weekday bits

  bool has_seconds = false;
  bool any_day = true;      // the day-of-month field is `*` or `?`
  bool any_weekday = true;  // the day-of-week field is `*` or `?`
  bool any_month = true;
  // Second, minute or hour holds `*`, or a range or step of more than one value: repeats when clocks go back.
  bool interval = false;

  bool operator==(const CronFields&) const = default;
};

/// Five fields, or six with seconds first. Lists, wrapping ranges, steps, three-letter names, `L W # ?`.
std::expected<CronFields, PhraseError> parse_cron(std::string_view text);

/// The days of one month that match, bits 1..31.
std::uint32_t matching_days(const CronFields& cron, int year, unsigned month);

/// False when no date of the 400-year calendar matches.
bool can_match(const CronFields& cron);

/// Occurrences on the wall clock: seconds since 1970-01-01T00:00:00 local time. kNoTime when 400 years hold
/// none.
inline constexpr std::int64_t kNoTime = INT64_MIN;
std::int64_t next_local(const CronFields& cron, std::int64_t from);      // at or after
std::int64_t previous_local(const CronFields& cron, std::int64_t from);  // at or before

}  // namespace english_cron
