#include "interval.h"

#include "calendar.h"
#include "cron_fields.h"

#include <algorithm>
#include <chrono>

namespace english_cron {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

std::int64_t anchor_of(const Interval& every) { return every.anchor.time_since_epoch().count(); }

std::int64_t local_of(const ZoneTable& zone, std::int64_t utc) { return utc + zone.offset_at(utc); }

std::int64_t elapsed_step(const Interval& every) {
  switch (every.unit) {
    case Unit::seconds:
      return every.n;
    case Unit::minutes:
      return std::int64_t{every.n} * 60;
    case Unit::hours:
      return std::int64_t{every.n} * 3600;
    default:
      return 0;
  }
}

std::int64_t month_index(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return std::int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1;
}

// The first day of the month, or its `wanted` day as far as the month has one.
std::int64_t day_in_month(std::int64_t index, unsigned wanted) {
  const auto y = std::chrono::year(static_cast<int>(floor_div(index, 12)));
  const auto m = std::chrono::month(static_cast<unsigned>(index - floor_div(index, 12) * 12) + 1);
  const auto last = static_cast<unsigned>((y / m / std::chrono::last).day());
  return std::chrono::sys_days(y / m / std::chrono::day(std::min(wanted, last))).time_since_epoch().count();
}

// Local time of the k-th occurrence, k = 0 being the anchor.
std::int64_t local_occurrence(const Interval& every, std::int64_t anchor_local, std::int64_t k) {
  const std::int64_t day = floor_div(anchor_local, kDaySeconds);
  const std::int64_t second = anchor_local - day * kDaySeconds;
  if (every.unit == Unit::months) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    return day_in_month(month_index(day) + k * every.n, static_cast<unsigned>(date.day())) * kDaySeconds +
           second;
  }
  const std::int64_t step = every.unit == Unit::weeks ? std::int64_t{every.n} * 7 : every.n;
  return (day + k * step) * kDaySeconds + second;
}

// A k whose occurrence is near `local`, at most a few steps off.
std::int64_t guess(const Interval& every, std::int64_t anchor_local, std::int64_t local) {
  const std::int64_t from = floor_div(anchor_local, kDaySeconds);
  const std::int64_t to = floor_div(local, kDaySeconds);
  if (every.unit == Unit::months) return floor_div(month_index(to) - month_index(from), every.n);
  return floor_div(to - from, every.unit == Unit::weeks ? std::int64_t{every.n} * 7 : every.n);
}

}  // namespace

std::int64_t next_of(const Interval& every, const ZoneTable& zone, std::int64_t from) {
  const std::int64_t anchor = anchor_of(every);
  from = std::max(from, anchor);
  if (const std::int64_t step = elapsed_step(every); step > 0)
    return anchor + -floor_div(anchor - from, step) * step;
  const std::int64_t anchor_local = local_of(zone, anchor);
  const std::int64_t near = guess(every, anchor_local, local_of(zone, from));
  for (std::int64_t k = std::max<std::int64_t>(near - 2, 0); k <= near + 3; ++k) {
    const std::int64_t utc = zone.resolve(local_occurrence(every, anchor_local, k)).utc;
    if (utc >= from) return utc;
  }
  return kNoTime;
}

std::int64_t previous_of(const Interval& every, const ZoneTable& zone, std::int64_t from) {
  const std::int64_t anchor = anchor_of(every);
  if (from < anchor) return kNoTime;
  if (const std::int64_t step = elapsed_step(every); step > 0) return anchor + (from - anchor) / step * step;
  const std::int64_t anchor_local = local_of(zone, anchor);
  const std::int64_t near = guess(every, anchor_local, local_of(zone, from));
  for (std::int64_t k = near + 2; k >= std::max<std::int64_t>(near - 3, 0); --k) {
    const std::int64_t utc = zone.resolve(local_occurrence(every, anchor_local, k)).utc;
    if (utc <= from && utc >= anchor) return utc;
  }
  return kNoTime;
}

Period period_at(const Interval& every, const ZoneTable& zone, std::int64_t day, bool forward) {
  const std::int64_t start = floor_div(local_of(zone, anchor_of(every)), kDaySeconds);
  if (every.unit == Unit::months) {
    const std::int64_t base = month_index(start);
    std::int64_t k = floor_div(month_index(day) - base, every.n);
    const bool inside = month_index(day) - base == k * every.n;
    if (!inside && forward) ++k;
    if (k < 0) {
      if (!forward) return {day, day};
      k = 0;
    }
    const std::int64_t first = base + k * every.n;
    return {k == 0 ? start : day_in_month(first, 1), day_in_month(first + 1, 1)};
  }
  // 1970-01-05 was a Monday, day 4.
  const bool weeks = every.unit == Unit::weeks;
  const std::int64_t base = weeks ? floor_div(start - 4, 7) * 7 + 4 : start;
  const std::int64_t length = weeks ? 7 : 1;
  const std::int64_t step = length * every.n;
  std::int64_t k = floor_div(day - base, step);
  const bool inside = day - (base + k * step) < length;
  if (!inside && forward) ++k;
  if (k < 0) {
    if (!forward) return {day, day};
    k = 0;
  }
  const std::int64_t first = base + k * step;
  return {k == 0 ? std::max(first, start) : first, first + length};
}

}  // namespace english_cron
