// The wording of cron describers: "past every 2nd hour from 0 through 20", "every day-of-month from 8 through
// 14".
#include "grammar.h"
#include "grammar_time.h"

namespace english_cron {

// "from 8 through 14", every `step`-th of them: numbers of a field, where nothing makes them times of day.
// False: not that, and nothing is read.
bool Grammar::read_field_range(int low, int high, int step, std::uint64_t& bits) {
  if (!peek().is(Word::from) || !is_number(peek(1)) || !is_range(2) || !is_number(peek(3))) return false;
  const Token& behind = peek(4);
  if (behind.is(Word::meridiem) || behind.is(Word::oclock) || peek(2).is(Word::until)) return false;
  const int from = peek(1).value;
  const int to = peek(3).value;
  if (from < low || to > high || to < from || step < 1) return false;
  for (int i = 0; i < 4; ++i) take();
  for (int v = from; v <= to; v += step) bits |= std::uint64_t{1} << v;
  return true;
}

// Behind "at every 10th minute": minutes of the hour.
bool Grammar::parse_minutes_of_field(int step) {
  if (!read_field_range(0, 59, step, plan_.minute_list)) return false;
  plan_.minute_range = true;
  return true;
}

// Behind "past every 2nd hour": hours of the day.
bool Grammar::parse_hours_of_field(int step) {
  std::uint64_t bits = 0;
  if (!read_field_range(0, 23, step, bits)) return false;
  plan_.hour_list |= static_cast<std::uint32_t>(bits);
  plan_.hour_range = true;
  return true;
}

// Behind "every 2nd month": "from january through june".
bool Grammar::parse_months_of_field(int step) {
  const bool range = peek().is(Word::from) && peek(1).is(Word::month_name) && is_range(2) &&
                     peek(3).is(Word::month_name) && !is_day_number(4, true);
  if (!range || step > 12) return false;
  const int from = peek(1).value;
  const int length = (peek(3).value - from + 12) % 12;
  for (int i = 0; i < 4; ++i) take();
  for (int v = 0; v <= length; v += step)
    plan_.months |= static_cast<std::uint16_t>(1U << ((from + v - 1) % 12 + 1));
  return true;
}

// Behind "every 2nd day-of-month": days of the month.
bool Grammar::parse_days_of_field(int step, const Token& at) {
  std::uint64_t bits = 0;
  if (!read_field_range(1, 31, step, bits)) return false;
  plan_.days.days |= static_cast<std::uint32_t>(bits);
  return enter(Group::day, at);
}

}  // namespace english_cron
