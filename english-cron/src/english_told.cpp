#include "english_told.h"

#include <algorithm>
#include <bit>

namespace english_cron {
namespace {

constexpr std::uint16_t kLongMonths = 1U << 1 | 1U << 3 | 1U << 5 | 1U << 7 | 1U << 8 | 1U << 10 | 1U << 12;
constexpr std::uint16_t kShortMonths = 1U << 4 | 1U << 6 | 1U << 9 | 1U << 11;
constexpr std::uint16_t kFebruary = 1U << 2;
constexpr std::uint16_t kAllMonths = 0x1FFE;

std::uint32_t first_days(int n) { return static_cast<std::uint32_t>((std::uint64_t{2} << n) - 2); }

Told without_days(Told cron) {
  cron.days = cron.days_before_last = cron.but_last = 0;
  cron.any_day = false;
  return cron;
}

// Every place has the same days of the week: "the 1st and 3rd monday and friday".
bool is_product(const Told& cron) {
  std::uint8_t weekdays = 0;
  for (const std::uint8_t bits : cron.nth) {
    if (bits == 0) continue;
    if (weekdays != 0 && bits != weekdays) return false;
    weekdays = bits;
  }
  return true;
}

Told without_places(Told cron) {
  cron.nth = {};
  return without_days(cron);
}

bool only_nth(const Told& cron) {
  return cron.any_day && !cron.any_weekday && cron.weekdays == 0 && cron.last_weekdays == 0;
}

void join_nth(Tolds& crons, std::size_t first) {
  if (!only_nth(crons[first])) return;
  Told joined = crons[first];
  const Told base = without_places(joined);
  for (std::size_t i = first + 1; i < crons.size(); ++i) {
    if (!only_nth(crons[i]) || without_places(crons[i]) != base) continue;
    for (std::size_t k = 1; k <= 5; ++k) joined.nth[k] |= crons[i].nth[k];
  }
  if (!is_product(joined)) return;
  const auto said = [&](const Told& cron) { return only_nth(cron) && without_places(cron) == base; };
  crons.erase(std::remove_if(crons.begin() + static_cast<std::ptrdiff_t>(first) + 1, crons.end(), said),
              crons.end());
  crons[first] = joined;
}

bool only_from_end(const Told& cron) { return !cron.any_day && cron.days == 0 && cron.days_before_last != 0; }

// The last days of the month, as far as they are without a gap.
void join_last(Tolds& crons, std::size_t first) {
  if (!only_from_end(crons[first])) return;
  Told joined = crons[first];
  const Told base = without_days(joined);
  const auto said = [&](const Told& cron) { return only_from_end(cron) && without_days(cron) == base; };
  for (std::size_t i = first + 1; i < crons.size(); ++i) {
    if (said(crons[i])) joined.days_before_last |= crons[i].days_before_last;
  }
  if (std::popcount(joined.days_before_last + 1) != 1) return;
  crons.erase(std::remove_if(crons.begin() + static_cast<std::ptrdiff_t>(first) + 1, crons.end(), said),
              crons.end());
  crons[first] = joined;
}

// "every day but the last" is one cron for each length of month, and one for what only leap years keep.
void join_but_last(Tolds& crons, std::size_t first) {
  const Told from_end = crons[first];
  if (!only_from_end(from_end) || from_end.months != kFebruary ||
      std::popcount(from_end.days_before_last) != 1) {
    return;
  }
  const int n = std::countr_zero(from_end.days_before_last);
  if (n < 1 || n > 26) return;
  const auto find = [&](std::uint16_t months, int last) {
    Told wanted = without_days(from_end);
    wanted.months = months;
    wanted.days = first_days(last);
    return std::find(crons.begin(), crons.end(), wanted);
  };
  if (find(kLongMonths, 31 - n) == crons.end() || find(kShortMonths, 30 - n) == crons.end() ||
      find(kFebruary, 28 - n) == crons.end()) {
    return;
  }
  crons.erase(find(kShortMonths, 30 - n));
  crons.erase(find(kFebruary, 28 - n));
  crons.erase(std::find(crons.begin(), crons.end(), from_end));
  Told& joined = *find(kLongMonths, 31 - n);
  joined.days = 0;
  joined.any_day = true;
  joined.any_month = true;
  joined.months = kAllMonths;
  joined.but_last = static_cast<std::uint32_t>(n);
}

}  // namespace

void put_together(Tolds& crons) {
  for (std::size_t i = crons.size(); i-- > 0;) {
    if (i < crons.size()) join_but_last(crons, i);
  }
  for (std::size_t i = 0; i < crons.size(); ++i) {
    join_nth(crons, i);
    join_last(crons, i);
  }
}

}  // namespace english_cron
