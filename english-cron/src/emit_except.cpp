// Days of the month less the exceptions: "every day but the last", "every monday except the first".
#include "calendar.h"
#include "emitter.h"
#include "short_list.h"

#include <algorithm>
#include <array>
#include <bit>

namespace english_cron {
namespace {

std::uint32_t days_of(int length) { return static_cast<std::uint32_t>((std::uint64_t{2} << length) - 2); }

// The days that `but_last` counts from the end of a month of so many days.
std::uint32_t from_the_end(std::uint32_t but_last, int length) {
  std::uint32_t bits = 0;
  for (; but_last != 0; but_last &= but_last - 1) {
    const int day = length - std::countr_zero(but_last);
    if (day >= 1) bits |= 1U << day;
  }
  return bits;
}

}  // namespace

// What of the exceptions cron can say by naming the rest: other weeks of the month, days up to the last ones.
bool Emitter::leave_out_moving(Days& days, std::uint8_t& but_last) {
  const Days& except = plan_.except;
  unsigned nth = 0;
  for (const std::uint8_t bits : except.nth) nth |= bits;
  const unsigned cut = nth | except.last_weekdays;
  const bool unsayable = except.nearest != 0 || except.last_nearest != 0 || days.special() || plan_.both ||
                         (cut != 0 && days.of_month()) || (nth & except.last_weekdays) != 0 ||
                         (cut != 0 && except.days_before_last != 0);
  if (unsayable)
    return refuse(Span{},
                  "these days move within the month and cannot be left out: name the days that are left",
                  "on the 1st");
  if (cut == 0) return true;
  const unsigned base = (days.any() ? days.weekdays : 0x7FU) & ~static_cast<unsigned>(except.weekdays);
  days.weekdays = static_cast<std::uint8_t>(base & ~cut);
  for (std::size_t k = 1; k <= 5; ++k)
    days.nth[k] |= static_cast<std::uint8_t>(base & nth & ~static_cast<unsigned>(except.nth[k]));
  but_last = static_cast<std::uint8_t>(base & except.last_weekdays);
  return true;
}

// The last days of February are others in leap years. What only a leap year (or only another one) keeps is
// said from the end: its partner in the other years must be kept there anyway.
std::uint32_t Emitter::february_days(std::uint32_t bits, std::uint32_t but_last, DayTexts& out) {
  constexpr std::uint32_t kLeapDay = std::uint32_t{1} << 29;
  constexpr std::uint32_t kCommon = kLeapDay - 2;  // 1..28
  const std::uint32_t common = bits & kCommon & ~from_the_end(but_last, 28);
  const std::uint32_t leap = bits & (kCommon | kLeapDay) & ~from_the_end(but_last, 29);
  const std::uint32_t leap_only = leap & ~common & ~kLeapDay;  // the 29th is said as itself
  const std::uint32_t common_only = common & ~leap;
  if ((leap_only >> 1 & ~common) != 0 || (common_only << 1 & ~leap) != 0) february_unsaid_ = true;
  const auto say = [&out](std::uint32_t only, int length) {
    for (; only != 0; only &= only - 1) {
      const int before_last = length - std::countr_zero(only);
      out.push_back({before_last == 0 ? "L" : "L-" + std::to_string(before_last), "2", "*", false});
    }
  };
  say(leap_only, 29);
  say(common_only, 28);
  return (common & leap) | (leap & kLeapDay);
}

Emitter::DayTexts Emitter::month_days(const Days& days, std::uint16_t months, const std::string& step,
                                      std::uint32_t but_last) {
  ShortList<std::pair<std::uint32_t, std::uint16_t>, 12> groups;
  DayTexts moving(&memory_);
  but_last |= plan_.except.days_before_last;
  for (unsigned m = 1; m <= 12; ++m) {
    const bool in = (months >> m & 1U) != 0;
    std::uint32_t bits = (in ? days.days : 0) | (in || plan_.months == 0 ? days.dates[m] : 0);
    bits &= ~(plan_.except.days | plan_.except.dates[m]);
    if (but_last != 0 && bits != 0)
      bits = m == 2 ? february_days(bits, but_last, moving)
                    : days_of(longest_month(m)) & bits & ~from_the_end(but_last, longest_month(m));
    if (bits == 0) continue;
    const auto known =
        std::find_if(groups.begin(), groups.end(), [bits](const auto& g) { return g.first == bits; });
    if (known == groups.end()) {
      groups.push_back({bits, static_cast<std::uint16_t>(1U << m)});
    } else {
      known->second |= static_cast<std::uint16_t>(1U << m);
    }
  }
  DayTexts out(&memory_);
  for (const auto& [bits, in] : groups) {
    out.push_back(
        {field_text(bits, 1, 31, ListStyle::tidy), month_text(in, in == months ? step : ""), "*", false});
  }
  out.insert(out.end(), moving.begin(), moving.end());
  return out;
}

}  // namespace english_cron
