// The search for matching wall-clock times: bit scans over the fields, month by month.
#include "calendar.h"
#include "cron_fields.h"

#include <bit>
#include <chrono>

namespace english_cron {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr int kYearsSearched = 400;

constexpr bool is_leap(int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }
constexpr unsigned month_length(int y, unsigned m) {
  return m == 2 && !is_leap(y) ? 28 : static_cast<unsigned>(longest_month(m));
}

// Sakamoto's congruence: weekday (0 = Sunday) of the first of the month.
constexpr unsigned weekday_of_first(int y, unsigned m) {
  constexpr std::array<std::uint8_t, 13> kShift{0, 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  const int shifted =
      (m < 3 ? y - 1 : y) + 40000;  // positive for every year we search; 40000 is a multiple of 400
  return static_cast<unsigned>(shifted + shifted / 4 - shifted / 100 + shifted / 400 + kShift[m] + 1) % 7;
}

constexpr std::uint32_t days_up_to(unsigned length) {
  return static_cast<std::uint32_t>((std::uint64_t{2} << length) - 2);
}

// The Monday-to-Friday day nearest to `d`, without leaving the month.
constexpr unsigned nearest_weekday(unsigned d, unsigned length, unsigned first) {
  const unsigned weekday = (first + d - 1) % 7;
  if (weekday == 6) return d == 1 ? 3 : d - 1;
  if (weekday == 0) return d == length ? d - 2 : d + 1;
  return d;
}

std::uint32_t special_days(const CronFields& cron, unsigned length, unsigned first) {
  std::uint32_t out = 0;
  for (std::uint32_t rest = cron.days_before_last; rest != 0; rest &= rest - 1) {
    const auto before = static_cast<unsigned>(std::countr_zero(rest));
    if (before < length) out |= 1U << (length - before);
  }
  for (std::uint32_t rest = cron.last_nearest; rest != 0; rest &= rest - 1) {
    const auto before = static_cast<unsigned>(std::countr_zero(rest));
    if (before < length) out |= 1U << nearest_weekday(length - before, length, first);
  }
  for (std::uint32_t rest = cron.nearest; rest != 0; rest &= rest - 1) {
    const auto d = static_cast<unsigned>(std::countr_zero(rest));
    if (d <= length) out |= 1U << nearest_weekday(d, length, first);
  }
  return out;
}

std::uint32_t weekday_days(const CronFields& cron, unsigned length, unsigned first) {
  // The week's seven bits, turned so that bit 0 is the first of the month, then repeated five times.
  const auto turn = [first](unsigned bits) { return ((bits >> first) | (bits << (7 - first))) & 0x7FU; };
  std::uint64_t out = std::uint64_t{turn(cron.weekdays)} * 0x10204081ULL;
  for (unsigned k = 1; k <= 5; ++k) {
    if (cron.nth[k] != 0) out |= std::uint64_t{turn(cron.nth[k])} << (7 * (k - 1));
  }
  if (cron.last_weekdays != 0) {
    const std::uint64_t all = std::uint64_t{turn(cron.last_weekdays)} * 0x10204081ULL;
    out |= all & (std::uint64_t{0x7F} << (length - 7));
  }
  return static_cast<std::uint32_t>(out << 1) & days_up_to(length);
}

std::uint32_t matching_days(const CronFields& cron, unsigned length, unsigned first) {
  std::uint32_t out = days_up_to(length);
  if (!cron.any_day) out &= cron.days | special_days(cron, length, first);
  if (!cron.any_weekday) out &= weekday_days(cron, length, first);
  return out;
}

std::int64_t day_number(int y, unsigned m, unsigned d) {
  return sys_days(year(y) / month(m) / day(d)).time_since_epoch().count();
}

int first_bit(std::uint64_t bits) { return std::countr_zero(bits); }
int last_bit(std::uint64_t bits) { return 63 - std::countl_zero(bits); }
std::uint64_t from_bit(int n) { return n > 63 ? 0 : ~std::uint64_t{0} << n; }
std::uint64_t to_bit(int n) { return n < 0 ? 0 : ~std::uint64_t{0} >> (63 - n); }

// Second of the day at or after `second`, or -1.
int time_from(const CronFields& cron, int second) {
  const int h = second / 3600;
  const int m = second / 60 % 60;
  const int s = second % 60;
  if ((cron.hours >> h & 1U) != 0) {
    if ((cron.minutes >> m & 1U) != 0) {
      if (const std::uint64_t left = cron.seconds & from_bit(s); left != 0)
        return h * 3600 + m * 60 + first_bit(left);
    }
    if (const std::uint64_t left = cron.minutes & from_bit(m + 1); left != 0) {
      return h * 3600 + first_bit(left) * 60 + first_bit(cron.seconds);
    }
  }
  const std::uint64_t left = cron.hours & from_bit(h + 1);
  if (left == 0) return -1;
  return first_bit(left) * 3600 + first_bit(cron.minutes) * 60 + first_bit(cron.seconds);
}

int time_to(const CronFields& cron, int second) {
  const int h = second / 3600;
  const int m = second / 60 % 60;
  const int s = second % 60;
  if ((cron.hours >> h & 1U) != 0) {
    if ((cron.minutes >> m & 1U) != 0) {
      if (const std::uint64_t left = cron.seconds & to_bit(s); left != 0)
        return h * 3600 + m * 60 + last_bit(left);
    }
    if (const std::uint64_t left = cron.minutes & to_bit(m - 1); left != 0) {
      return h * 3600 + last_bit(left) * 60 + last_bit(cron.seconds);
    }
  }
  const std::uint64_t left = cron.hours & to_bit(h - 1);
  if (left == 0) return -1;
  return last_bit(left) * 3600 + last_bit(cron.minutes) * 60 + last_bit(cron.seconds);
}

std::int64_t floor_day(std::int64_t seconds) {
  return (seconds >= 0 ? seconds : seconds - (kDaySeconds - 1)) / kDaySeconds;
}

}  // namespace

std::uint32_t matching_days(const CronFields& cron, int y, unsigned m) {
  if ((cron.months >> m & 1U) == 0) return 0;
  return matching_days(cron, month_length(y, m), weekday_of_first(y, m));
}

bool can_match(const CronFields& cron) {
  // Only the length of a month and its first weekday matter: 14 kinds of year hold them all.
  for (unsigned m = 1; m <= 12; ++m) {
    if ((cron.months >> m & 1U) == 0) continue;
    for (unsigned first = 0; first < 7; ++first) {
      if (matching_days(cron, month_length(2023, m), first) != 0) return true;
      if (m == 2 && matching_days(cron, 29U, first) != 0) return true;
    }
  }
  return false;
}

std::int64_t next_local(const CronFields& cron, std::int64_t from) {
  const std::int64_t today = floor_day(from);
  const year_month_day date{sys_days(days(today))};
  int y = static_cast<int>(date.year());
  auto m = static_cast<unsigned>(date.month());
  const auto d = static_cast<unsigned>(date.day());
  std::uint32_t left = matching_days(cron, y, m);
  if ((left >> d & 1U) != 0) {
    const int second = time_from(cron, static_cast<int>(from - today * kDaySeconds));
    if (second >= 0) return today * kDaySeconds + second;
  }
  left &= static_cast<std::uint32_t>(from_bit(static_cast<int>(d) + 1));
  const int last_year = y + kYearsSearched;
  while (left == 0) {
    const std::uint64_t months = cron.months & from_bit(static_cast<int>(m) + 1);
    if (months != 0) {
      m = static_cast<unsigned>(first_bit(months));
    } else {
      if (++y > last_year) return kNoTime;
      m = static_cast<unsigned>(first_bit(cron.months));
    }
    left = matching_days(cron, month_length(y, m), weekday_of_first(y, m));
  }
  const int second = first_bit(cron.hours) * 3600 + first_bit(cron.minutes) * 60 + first_bit(cron.seconds);
  return day_number(y, m, static_cast<unsigned>(first_bit(left))) * kDaySeconds + second;
}

std::int64_t previous_local(const CronFields& cron, std::int64_t from) {
  const std::int64_t today = floor_day(from);
  const year_month_day date{sys_days(days(today))};
  int y = static_cast<int>(date.year());
  auto m = static_cast<unsigned>(date.month());
  const auto d = static_cast<unsigned>(date.day());
  std::uint32_t left = matching_days(cron, y, m);
  if ((left >> d & 1U) != 0) {
    const int second = time_to(cron, static_cast<int>(from - today * kDaySeconds));
    if (second >= 0) return today * kDaySeconds + second;
  }
  left &= static_cast<std::uint32_t>(to_bit(static_cast<int>(d) - 1));
  const int first_year = y - kYearsSearched;
  while (left == 0) {
    const std::uint64_t months = cron.months & to_bit(static_cast<int>(m) - 1);
    if (months != 0) {
      m = static_cast<unsigned>(last_bit(months));
    } else {
      if (--y < first_year) return kNoTime;
      m = static_cast<unsigned>(last_bit(cron.months));
    }
    left = matching_days(cron, month_length(y, m), weekday_of_first(y, m));
  }
  const int second = last_bit(cron.hours) * 3600 + last_bit(cron.minutes) * 60 + last_bit(cron.seconds);
  return day_number(y, m, static_cast<unsigned>(last_bit(left))) * kDaySeconds + second;
}

}  // namespace english_cron
