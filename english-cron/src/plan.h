// What a phrase means, before it becomes crons.
#pragma once

#include "english_cron/translation.h"
#include "short_list.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace english_cron {

struct Span {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// Days of the year, by alternatives: a day that any of them names is meant.
struct Days {
  std::uint8_t weekdays = 0;
  std::array<std::uint8_t, 6> nth{};  // weekday bits at index k
  std::uint8_t last_weekdays = 0;
  std::uint32_t days = 0;  // of the month, bits 1..31
  std::uint32_t days_before_last = 0;
  std::uint32_t last_nearest = 0;
  std::uint32_t nearest = 0;
  std::array<std::uint32_t, 13> dates{};  // days of one month each
  bool has_dates = false;

  bool special() const;   // nth, last or nearest
  bool of_week() const;   // names days by their weekday
  bool of_month() const;  // names days by their date
  bool any() const { return weekdays != 0 || days != 0 || has_dates || special(); }
};

struct Step {
  int n = 1;
  Unit unit = Unit::days;
  bool bare = true;      // "daily", not "every 2 days"
  bool quarter = false;  // months written as a list
  Span span;
};

/// Minutes of the day, both ends included; to < from runs over midnight.
struct Window {
  int from = 0;
  int to = 1439;
  bool starts = false;  // runs are counted from `from`
  bool side = false;    // "after 9am", "before 5pm": two of them make one window
  bool open = false;    // no end was named
  bool phase = false;   // "starting at 3am": where the interval is counted from
  Span span;
};

/// The minutes of a day.
struct Minutes {
  std::array<std::uint64_t, 24> hours{};
  void add(int minute) { hours[static_cast<std::size_t>(minute / 60)] |= std::uint64_t{1} << (minute % 60); }
  bool has(int minute) const {
    return (hours[static_cast<std::size_t>(minute / 60)] >> (minute % 60) & 1U) != 0;
  }
  bool any() const;
  bool operator==(const Minutes&) const = default;
};

/// More windows than these are asked to be written as schedules of their own.
inline constexpr std::size_t kMostWindows = 16;

/// One schedule; a phrase may join several.
struct Plan {
  std::optional<Step> fine;     // seconds, minutes, hours
  std::optional<Step> coarse;   // days, weeks, months
  ShortList<int, 144> moments;  // seconds of the day; a phrase has no room for more
  std::uint64_t minute_list = 0;
  bool minute_range = false;  // written as a range: keep it one
  std::uint32_t hour_list = 0;
  bool hour_range = false;
  std::uint64_t second_list = 0;
  bool second_range = false;
  ShortList<Window, kMostWindows> windows;
  ShortList<Window, kMostWindows> except_windows;
  Days days;
  bool both = false;         // day of month AND weekday: "friday the 13th"
  bool business = false;     // business hours: Monday to Friday, unless days are named
  bool every_month = false;  // "every march"
  std::uint16_t months = 0;
  Days except;
  std::uint16_t except_months = 0;
  std::optional<std::int64_t> start_day;
  int start_second = 0;
  bool start_has_time = false;
  Span start_span;
  bool never = false;
  int count = 0;  // "twice a day": how many times or days must be named
  Unit count_unit = Unit::days;
  Span count_span;

  bool has_time() const {
    return fine || !moments.empty() || minute_list != 0 || hour_list != 0 || second_list != 0;
  }
};

struct Parsed {
  /// Written as "a; b"; the first is kept in place, since most phrases have no other.
  Plan first;
  std::vector<Plan> more;
  std::size_t count = 0;
  void add(const Plan& plan) {
    if (count++ == 0) {
      first = plan;
    } else {
      more.push_back(plan);
    }
  }
  std::string zone;
  std::vector<std::string> warnings;
};

}  // namespace english_cron
