// The time line of one zone: which offset holds when, and which instant shows a wall-clock time.
#include "calendar.h"
#include "zones.h"

#include <algorithm>
#include <chrono>

namespace english_cron {
namespace {

constexpr std::int64_t kBeginning = INT64_MIN / 4;
constexpr std::int64_t kEnd = INT64_MAX / 4;
constexpr int kLastTableYear = 2037;  // the system's zone files list changes up to here
constexpr int kLastYear = 9999;
constexpr int kYearsOfProof = 12;  // so many last years must follow the rule before it is carried on

std::chrono::sys_days day_of(std::int64_t seconds) {
  return std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

int year_of(std::int64_t seconds) {
  return static_cast<int>(std::chrono::year_month_day(day_of(seconds)).year());
}

}  // namespace

std::int64_t YearlyChange::in_year(int year) const {
  const std::chrono::sys_days earliest =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  const auto ahead = std::chrono::weekday(weekday) - std::chrono::weekday(earliest);
  return (earliest + ahead).time_since_epoch().count() * kDaySeconds + second - offset_before;
}

void ZoneTable::add(std::int64_t start, std::int32_t offset) {
  if (!offsets_.empty() && offsets_.back() == offset) return;
  starts_.push_back(starts_.empty() ? kBeginning : start);
  offsets_.push_back(offset);
}

// The rule that every second change follows, counted back from `last` in 2037; nothing when there is none.
std::optional<YearlyChange> ZoneTable::change_of_last_years(std::size_t last) const {
  YearlyChange rule;
  for (int i = 0; i < kYearsOfProof; ++i) {
    const std::size_t at = last - static_cast<std::size_t>(i) * 2;
    const std::int64_t local = starts_[at] + offsets_[at - 1];
    const std::chrono::sys_days day = day_of(local);
    const std::chrono::year_month_day date{day};
    const unsigned weekday = std::chrono::weekday(day).c_encoding();
    const std::int64_t second = local - day.time_since_epoch().count() * kDaySeconds;
    if (i == 0) {
      rule.month = static_cast<unsigned>(date.month());
      rule.weekday = weekday;
      rule.second = second;
      rule.offset_after = offsets_[at];
      rule.offset_before = offsets_[at - 1];
    }
    const bool same = static_cast<int>(date.year()) == kLastTableYear - i &&
                      static_cast<unsigned>(date.month()) == rule.month && weekday == rule.weekday &&
                      second == rule.second && offsets_[at] == rule.offset_after;
    if (!same) return std::nullopt;
    rule.day = std::min(rule.day, static_cast<unsigned>(date.day()));
  }
  return rule;
}

void ZoneTable::continue_yearly() {
  starts_.shrink_to_fit();
  offsets_.shrink_to_fit();
  if (starts_.size() < 2 * kYearsOfProof + 1) return;
  const auto second = change_of_last_years(starts_.size() - 1);
  const auto first = change_of_last_years(starts_.size() - 2);
  if (!first || !second) return;
  yearly_ = {*first, *second};
  later_ = std::size_t{2} * (kLastYear - kLastTableYear);
}

std::int64_t ZoneTable::later_start(std::size_t index) const {
  return yearly_[index % 2].in_year(kLastTableYear + 1 + static_cast<int>(index / 2));
}

std::int64_t ZoneTable::end(std::size_t segment) const {
  return segment + 1 < size() ? start(segment + 1) : kEnd;
}

std::size_t ZoneTable::segment_at(std::int64_t utc) const {
  const auto after = std::upper_bound(starts_.begin() + 1, starts_.end(), utc);
  auto found = static_cast<std::size_t>(after - starts_.begin()) - 1;
  if (after != starts_.end() || later_ == 0) return found;
  // The last listed change was in 2037; from there on two come each year.
  if (utc >= start(size() - 1)) return size() - 1;
  const int years = std::max(year_of(utc) - (kLastTableYear + 1), 0);
  found += std::size_t{2} * static_cast<std::size_t>(years);  // the last change of the year before
  while (found + 1 < size() && start(found + 1) <= utc) ++found;
  return found;
}

ZoneTable::Resolved ZoneTable::resolve(std::int64_t local) const {
  // No offset exceeds a day, so the segment two days earlier cannot lie after the wanted one.
  const std::size_t last = size() - 1;
  for (std::size_t i = segment_at(local - 2 * kDaySeconds); i <= last; ++i) {
    const std::int64_t utc = local - offset(i);
    const std::int64_t begin = start(i);
    if (utc < begin) return {begin, i, true};
    if (utc < end(i)) return {utc, i, false};
  }
  return {local - offset(last), last, false};
}

}  // namespace english_cron
