// Minutes of the hour, hours of the day: "at 5 and 35 minutes past the hour".
#include "grammar.h"
#include "grammar_time.h"

namespace english_cron {
namespace {

// "10 to the hour" is minute 50.
std::uint64_t minutes_before(std::uint64_t bits) {
  std::uint64_t out = 0;
  for (int m = 0; m < 60; ++m) out |= (bits >> m & 1U) << ((60 - m) % 60);
  return out;
}

}  // namespace

bool Grammar::parse_number_list(int low, int high, std::uint64_t& bits, bool& range) {
  for (;;) {
    const Token& at = peek();
    int from = 0;
    int to = 0;
    int step = 1;
    if (!is_number(at))
      return expected("a number from " + std::to_string(low) + " to " + std::to_string(high));
    if (!read_number(from)) return false;
    to = from;
    if (is_range(0) && is_number(peek(1))) {
      take();
      range = true;
      if (!read_number(to)) return false;
      if (peek().is(Word::in) && peek(1).is(Word::steps) && peek(2).is(Word::of) && is_number(peek(3))) {
        take(), take(), take();
        if (!read_number(step) || step < 1) return expected("a step of 1 or more", "1");
      }
    }
    if (from < low || to > high || to < from) {
      return refuse(span_from(at),
                    "expected numbers from " + std::to_string(low) + " to " + std::to_string(high));
    }
    for (int v = from; v <= to; v += step) bits |= std::uint64_t{1} << v;
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    const Token& after = peek(next + 1);
    const bool more = next > 0 && is_number(peek(next)) && !after.is(Word::meridiem) &&
                      !after.is(Word::oclock) && !after.is(Word::month_name) &&
                      !is_unit(next + 1, UnitWord::day);
    if (!more) return true;
    for (std::size_t i = 0; i < next; ++i) take();
  }
}

// "past every hour", "of hours 9 through 17", "past every 2nd hour", "past every hour from 9 through 17":
// false only on an error.
bool Grammar::parse_past_hours() {
  if (!is_past(peek()) && !peek().is(Word::of) && !peek().is(Word::in)) return true;
  std::size_t next = 1;
  bool every = false;
  while (peek(next).is(Word::the) || peek(next).is(Word::every)) every = peek(next++).is(Word::every);
  const int ordinal = ordinal_at(next);
  const std::size_t length = ordinal > 0 ? ordinal_length(next) : 1;
  const bool counted = ordinal > 0 || is_number(peek(next));
  if (every && counted && is_unit(next + length, UnitWord::hour)) {
    for (std::size_t i = 0; i < next; ++i) take();
    const Token& at = peek();
    int n = ordinal;
    if (ordinal > 0) {
      for (std::size_t i = 0; i < length; ++i) take();
    } else if (!read_number(n)) {
      return false;
    }
    take();
    return parse_hours_of_field(n) || set_step(n, UnitWord::hour, span_from(at), false);
  }
  if (!is_unit(next, UnitWord::hour)) return true;
  for (std::size_t i = 0; i <= next; ++i) take();
  const std::size_t list = every && peek().is(Word::from) ? 1 : 0;
  if (!is_number(peek(list))) return true;
  if (peek(list + 1).is(Word::meridiem)) return true;
  if (list == 1) take();
  std::uint64_t bits = 0;
  if (!parse_number_list(0, 23, bits, plan_.hour_range)) return false;
  plan_.hour_list |= static_cast<std::uint32_t>(bits);
  return true;
}

// ":30", ":00 and :30", ":15 past every 2 hours"
bool Grammar::parse_colon_minutes() {
  if (!enter(Group::time, peek())) return false;
  for (;;) {
    const Token& from = take();
    int to = from.value;
    if (is_range(0) && peek(1).is(Kind::minute)) {
      take();
      to = take().value;
      if (to < from.value) return refuse(span_from(from), "the range runs backwards");
      plan_.minute_range = true;
    }
    for (int v = from.value; v <= to; ++v) plan_.minute_list |= std::uint64_t{1} << v;
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    if (next > 0 && peek(next).is(Word::at)) ++next;
    if (next == 0 || !peek(next).is(Kind::minute)) return parse_past_hours();
    for (std::size_t i = 0; i < next; ++i) take();
  }
}

// After "every hour at": bare numbers that nothing makes times of day.
bool Grammar::lists_minutes() const {
  if (!plan_.fine || plan_.fine->unit != Unit::hours || plan_.minute_list != 0) return false;
  std::size_t at = 0;
  for (;;) {
    if (!is_number(peek(at)) || peek(at).digits > 2) return false;
    ++at;
    if (peek(at - 1).is(Word::number) && peek(at).is(Word::number)) ++at;  // "forty five"
    std::size_t next = at;
    while (is_separator(next)) ++next;
    if (next > at && peek(next).is(Word::at)) ++next;
    const bool more = next > at && (is_number(peek(next)) || peek(next).is(Kind::clock));
    if (!more) break;
    at = next;
  }
  const Token& after = peek(at);
  return !after.is(Word::meridiem) && !after.is(Word::oclock) && !after.is(Word::unit) &&
         !after.is(Word::clock_name) && !after.is(Kind::dash) && !after.is(Word::to) && !is_past(after) &&
         !after.is(Word::day_part) && !(after.is(Word::in) && peek(skip_the(at + 1)).is(Word::day_part));
}

bool Grammar::parse_minutes_of_interval() {
  const Token& at = peek();
  bool range = false;
  std::uint64_t bits = 0;
  if (!parse_number_list(0, 59, bits, range)) return false;
  if ((bits >> 24) == 0) {
    const Span said = span_from(at);
    warn("\"" + std::string(phrase_.substr(said.offset, said.length)) + "\" is read as minutes of the hour");
  }
  plan_.minute_list |= bits;
  return true;
}

// "10 minutes past the hour", "5 and 35 past every hour", "quarter to the hour". False without an error: not
// that.
bool Grammar::parse_minutes_past() {
  const std::size_t start = pos_;
  const Token& at = peek();
  std::uint64_t bits = 0;
  bool range = false;
  if (accept(Word::half)) {
    bits = std::uint64_t{1} << 30;
  } else if (is_unit(0, UnitWord::quarter)) {
    take();
    bits = std::uint64_t{1} << 15;
  } else if (!is_number(at) || !parse_number_list(0, 59, bits, range)) {
    pos_ = start;
    error_ = {};
    return false;
  }
  const bool seconds = is_unit(0, UnitWord::second);
  if (seconds || is_unit(0, UnitWord::minute)) take();
  const bool past = is_past(peek());
  const bool before = is_to(peek()) && !seconds;
  std::size_t next = 1;
  while (peek(next).is(Word::the) || peek(next).is(Word::every)) ++next;
  const std::size_t length = ordinal_at(next) > 0 ? ordinal_length(next) : 1;
  const bool counted =
      (is_number(peek(next)) || ordinal_at(next) > 0) && is_unit(next + length, UnitWord::hour);
  const bool hour = is_unit(next, seconds ? UnitWord::minute : UnitWord::hour) || (counted && !seconds);
  // "every hour at 15 minutes past": the hour is already named.
  const bool hourly = plan_.fine && plan_.fine->unit == Unit::hours && !seconds;
  const Token& follower = peek(1);
  const bool named = hourly && !is_number(follower) && !follower.is(Kind::clock) &&
                     !follower.is(Word::clock_name) && !hour && next == 1;
  if ((past || before) && named) {
    if (!enter(Group::time, at)) return false;
    take();
    if (before) bits = minutes_before(bits);
    plan_.minute_list |= bits;
    plan_.minute_range = plan_.minute_range || range;
    return true;
  }
  if ((!past && !before) || !hour) {
    pos_ = start;
    return false;
  }
  if (!enter(Group::time, at)) return false;
  if (seconds) {
    for (std::size_t i = 0; i <= next; ++i) take();
    plan_.second_list |= bits;
    plan_.second_range = plan_.second_range || range;
    return true;
  }
  if (before) {
    bits = minutes_before(bits);
    for (std::size_t i = 0; i <= next; ++i) take();
  } else if (!parse_past_hours()) {
    return false;
  }
  plan_.minute_list |= bits;
  plan_.minute_range = plan_.minute_range || range;
  return true;
}

// After "on", or a unit at the head of a clause: the hour, minute 5, hours 9 and 17, day 15.
bool Grammar::parse_on_the() {
  const Token& at = peek();
  accept(Word::the);
  if (peek().is(Word::half) && is_unit(1, UnitWord::hour)) {
    take(), take();
    plan_.minute_list |= std::uint64_t{1} << 30;
    return enter(Group::time, at);
  }
  const std::size_t noun = peek(1).is(Kind::dash) ? 2 : 1;
  if (is_unit(0, UnitWord::quarter) && is_unit(noun, UnitWord::hour)) {
    for (std::size_t i = 0; i <= noun; ++i) take();
    for (int m = 0; m < 60; m += 15) plan_.minute_list |= std::uint64_t{1} << m;
    return enter(Group::time, at);
  }
  if (parse_minutes_past()) return true;
  if (!error_.message.empty()) return false;
  if (parse_period_end(plan_.days, plan_.months)) return true;
  if (!error_.message.empty()) return false;
  if (peek().is(Kind::number) && !peek(1).is(Word::meridiem) && !peek(1).is(Word::oclock) &&
      !peek(1).is(Word::unit) && peek().digits < 4) {
    return parse_ordinals(plan_.days, plan_.months, true);
  }
  if (!peek().is(Word::unit)) return parse_clause();
  const auto unit = static_cast<UnitWord>(peek().value);
  const bool number = is_number(peek(1));
  std::uint64_t bits = 0;
  switch (unit) {
    case UnitWord::hour:
      take();
      if (!enter(Group::time, at)) return false;
      if (!number) {
        plan_.minute_list |= 1;
        return true;
      }
      if (!parse_number_list(0, 23, bits, plan_.hour_range)) return false;
      plan_.hour_list |= static_cast<std::uint32_t>(bits);
      return true;
    case UnitWord::minute:
      if (!number) break;
      take();
      if (!enter(Group::time, at) || !parse_number_list(0, 59, plan_.minute_list, plan_.minute_range))
        return false;
      return parse_past_hours();
    case UnitWord::second: {
      if (ordinal_at(0) == 2 && !number) return parse_ordinals(plan_.days, plan_.months, false);
      if (!number) break;
      take();
      if (!enter(Group::time, at) || !parse_number_list(0, 59, plan_.second_list, plan_.second_range))
        return false;
      const std::size_t minute = skip_the(1);
      if (is_past(peek()) && is_unit(minute, UnitWord::minute)) {
        for (std::size_t i = 0; i <= minute; ++i) take();
      }
      return true;
    }
    case UnitWord::day:
      if (peek(1).is(Word::before)) return parse_before_end(plan_.days);
      if (!is_day_number(1, true)) break;
      take();
      return parse_ordinals(plan_.days, plan_.months, true);
    case UnitWord::quarter:
      if (starts_relative(0)) return parse_times();
      break;
    default:
      break;
  }
  return refuse(peek(), "\"" + text_of(peek()) + "\" needs \"every\" before it or a number after it",
                "every " + text_of(peek()));
}

}  // namespace english_cron
