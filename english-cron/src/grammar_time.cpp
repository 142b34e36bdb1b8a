// Times of day, minutes of the hour, windows.
#include "grammar.h"

#include <algorithm>

namespace english_cron {
namespace {

constexpr int kNoon = 12 * 3600;
constexpr int kDay = 24 * 3600;

bool is_past(const Token& token) { return token.is(Word::past) || token.is(Word::after); }
bool is_to(const Token& token) { return token.is(Word::to) || token.is(Word::before); }
bool is_number(const Token& token) { return token.is(Token::Kind::number) || token.is(Word::number); }

std::string clock_text(int second) {
  const auto two = [](int v) { return std::string(v < 10 ? "0" : "") + std::to_string(v); };
  return two(second / 3600 % 24) + ":" + two(second / 60 % 60);
}

}  // namespace

bool Grammar::starts_relative(std::size_t ahead) const {
  const Token& at = peek(ahead);
  const bool fraction = at.is(Word::half) || is_unit(ahead, UnitWord::quarter);
  if (!fraction && !is_number(at)) return false;
  std::size_t next = ahead + 1;
  const bool minutes = is_unit(next, UnitWord::minute);
  if (minutes) ++next;
  // "5 to 9" is a range; "5 minutes to 9" and "quarter to 9" are times.
  const bool link = is_past(peek(next)) || ((fraction || minutes) && is_to(peek(next)));
  if (!link) return false;
  const Token& hour = peek(next + 1);
  return is_number(hour) || hour.is(Kind::clock) || hour.is(Word::clock_name);
}

bool Grammar::starts_time(std::size_t ahead) const {
  const Token& at = peek(ahead);
  if (at.is(Kind::clock) || at.is(Word::clock_name) || starts_relative(ahead)) return true;
  if (!is_number(at)) return false;
  const Token& next = peek(ahead + 1);
  if (next.is(Word::meridiem) || next.is(Word::oclock) || next.is(Word::clock_name)) return true;
  if (is_unit(ahead + 1, UnitWord::hour) && next.glued) return at.digits == 4 || at.digits == 2;
  const bool something_else = next.is(Word::unit) || next.is(Word::month_name) || next.is(Word::times) ||
                              next.is(Word::hundred) || next.is(Word::weekday_name) || is_past(next);
  return !something_else && (at.value <= 24 || at.digits == 4);
}

bool Grammar::fits_part(int second, const Token& at) {
  if (part_ < 0) return true;
  constexpr std::array<std::string_view, 4> kNames{"morning", "afternoon", "evening", "night"};
  const bool fits = part_ == static_cast<int>(DayPart::morning) ? second < kNoon
                    : part_ == static_cast<int>(DayPart::night) ? second >= 18 * 3600 || second < 6 * 3600
                                                                : second >= kNoon;
  if (fits) return true;
  return refuse(
      at, clock_text(second) + " is not in the " + std::string(kNames[static_cast<std::size_t>(part_)]));
}

// Reads "am", "pm", "in the morning" after a time; `bare` comes back false when something decided between am
// and pm.
bool Grammar::apply_meridiem(int& second, bool& bare, const Token& number) {
  const int hour = second / 3600;
  if (peek().is(Word::meridiem)) {
    const Token& meridiem = take();
    if (hour < 1 || hour > 12) {
      return refuse(
          Span{number.offset, static_cast<std::size_t>(meridiem.offset + meridiem.length - number.offset)},
          "am and pm go with the hours 1 to 12", clock_text(second));
    }
    second = second % kNoon + (meridiem.value == 1 ? kNoon : 0);
    bare = false;
    return fits_part(second, number);
  }
  std::size_t look = 0;
  if (peek().is(Word::in) || peek().is(Word::at)) look = skip_the(1);
  int part = part_;
  if (look > 0 && peek(look).is(Word::day_part)) {
    part = peek(look).value;
    for (std::size_t i = 0; i <= look; ++i) take();
  }
  if (part >= 0 && bare) {
    const auto name = static_cast<DayPart>(part);
    const bool evening = name == DayPart::afternoon || name == DayPart::evening;
    if (name == DayPart::night && hour == 12) {
      second -= kNoon;
    } else if ((evening || (name == DayPart::night && hour >= 6)) && hour < 12) {
      second += kNoon;
    }
    bare = false;
  }
  const int before = part_;
  part_ = part;
  const bool fits = fits_part(second, number);
  part_ = before;
  return fits;
}

void Grammar::settle_bare(int second, const Token& number) {
  const Span said = span_from(number);
  warn("\"" + std::string(phrase_.substr(said.offset, said.length)) + "\" is read on the 24-hour clock, as " +
       clock_text(second) + ": write am or pm to be sure");
}

bool Grammar::parse_relative_time(int& second, bool& bare) {
  const Token& at = peek();
  int minutes = 0;
  if (at.is(Word::half)) {
    take();
    minutes = 30;
  } else if (is_unit(0, UnitWord::quarter)) {
    take();
    minutes = 15;
  } else if (!read_number(minutes)) {
    return false;
  }
  if (minutes > 59) return refuse(at, "minutes go to 59", "30");
  if (is_unit(0, UnitWord::minute)) take();
  const bool past = is_past(take());
  if (!parse_time_of_day(second, bare)) return false;
  second = (second + (past ? minutes : -minutes) * 60 + kDay) % kDay;
  return true;
}

bool Grammar::parse_time_of_day(int& second, bool& bare) {
  bare = false;
  if (starts_relative(0)) return parse_relative_time(second, bare);
  const Token& at = peek();
  if (at.is(Word::clock_name)) {
    take();
    second = at.value * 60;
    return true;
  }
  if (at.is(Kind::clock)) {
    take();
    second = at.value;
    return apply_meridiem(second, bare, at);
  }
  int hour = 0;
  if (!is_number(at) || !read_number(hour)) return expected("a time of day", "9am");
  if (peek().is(Word::clock_name)) {
    const Token& name = take();
    if (hour != 12) return refuse(at, "only 12 goes with noon and midnight", "12");
    second = name.value * 60;
    return true;
  }
  if (at.digits == 4 && is_unit(0, UnitWord::hour)) {
    take();
    if (hour / 100 > 23 || hour % 100 > 59) return refuse(at, "not a time of day", "23:59");
    second = (hour / 100 * 60 + hour % 100) * 60;
    return true;
  }
  if (at.digits == 4) {
    const std::string digits = text_of(at);
    return refuse(at, "four digits may be a time or a year: write a time as HH:MM",
                  digits.substr(0, 2) + ":" + digits.substr(2));
  }
  if (hour > 24) return refuse(at, "hours go to 23", "23:00");
  if (at.digits == 2 && is_unit(0, UnitWord::hour) && peek().glued) {
    take();
    second = hour % 24 * 3600;
    return true;
  }
  second = hour % 24 * 3600;
  bare = hour >= 1 && hour <= 12;
  accept(Word::oclock);
  return apply_meridiem(second, bare, at);
}

bool Grammar::parse_time(int& second) {
  const Token& at = peek();
  bool bare = false;
  if (!parse_time_of_day(second, bare)) return false;
  if (bare) settle_bare(second, at);
  return true;
}

bool Grammar::parse_times() {
  struct Item {
    int second;
    bool bare;
    const Token* at;
  };
  const Token& first = peek();
  if (!enter(Group::time, first)) return false;
  std::vector<Item> items;
  for (;;) {
    Item item{0, false, &peek()};
    if (!parse_time_of_day(item.second, item.bare)) return false;
    if (is_range(0) && starts_time(1)) {
      pos_ = static_cast<std::size_t>(item.at - tokens_.list.data());
      const Token& at = peek();
      int from = 0;
      int to = 0;
      bool bare_from = false;
      bool bare_to = false;
      if (!parse_time_of_day(from, bare_from)) return false;
      take();
      const Token& end = peek();
      if (!parse_time_of_day(to, bare_to)) return false;
      if (bare_from && !bare_to && to >= kNoon && from < kNoon && from + kNoon < to)
        from += kNoon, bare_from = false;
      if (bare_from && !bare_to && from < to && to < kNoon) bare_from = false;
      if ((bare_to || bare_from) && to <= from)
        return refuse(bare_to ? end : at, "am or pm?", text_of(bare_to ? end : at) + (bare_to ? "pm" : "am"));
      if (bare_from) settle_bare(from, at);
      if (bare_to) settle_bare(to, end);
      if (!add_window(from, to, at)) return false;
    } else {
      items.push_back(item);
    }
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    if (next == 0) break;
    if (peek(next).is(Word::at)) ++next;
    if (!starts_time(next)) break;
    for (std::size_t i = 0; i < next; ++i) take();
  }
  if (!items.empty() && plan_.fine) {
    return refuse(first, "an interval and times of day: separate whole schedules with \";\"", ";");
  }
  // "9 and 11 am": the last one decides, as long as the times stay in order.
  const bool decided = !items.empty() && !items.back().bare;
  for (std::size_t i = items.size(); decided && i-- > 1;) {
    Item& item = items[i - 1];
    if (!item.bare) break;
    const int same_half = item.second % kNoon + (items[i].second >= kNoon ? kNoon : 0);
    if (same_half < items[i].second) item.second = same_half, item.bare = false;
  }
  for (const Item& item : items) {
    if (item.bare) settle_bare(item.second, *item.at);
    plan_.moments.push_back(item.second);
  }
  return true;
}

bool Grammar::add_window(int from, int to, const Token& at) {
  if (from % 60 != 0 || (to % 60 != 0 && to % 60 != 59))
    return refuse(at, "a window begins and ends on a minute", clock_text(from));
  Window window;
  window.from = from / 60;
  window.to = to == 0 ? 1439 : to / 60;  // "to midnight" ends with the day
  window.starts = true;
  window.span = span_from(at);
  plan_.windows.push_back(window);
  return true;
}

bool Grammar::parse_window(bool between) {
  const Token& at = take();
  accept(Word::the);
  if (!starts_time()) {
    const bool range = is_range(1) || (between && peek(1).is(Word::conjunction)) || ordinal_at(0) > 0 ||
                       peek(1).is(Kind::ordinal) || peek(1).is(Kind::number) || peek(1).is(Kind::dash);
    if (!starts_days() || !range)
      return expected("a time or a range of days after \"" + text_of(at) + "\"", "9am to 5pm");
    if (!between) return parse_days(plan_.days, plan_.months);
    const Token& first = take();
    if (!first.is(Word::weekday_name) && !first.is(Word::month_name))
      return refuse(first, "expected times, days of the week or months; ranges of dates take \"from\"",
                    "from");
    take();
    const Token& last = peek();
    if (last.word != first.word) return expected("the end of the range");
    take();
    const bool weekday = first.is(Word::weekday_name);
    if (weekday && !enter(Group::day, at)) return false;
    for (int v = first.value;; v = weekday ? (v + 1) % 7 : v % 12 + 1) {
      if (weekday) plan_.days.weekdays |= static_cast<std::uint8_t>(1U << v);
      if (!weekday) plan_.months |= static_cast<std::uint16_t>(1U << v);
      if (v == last.value) return true;
    }
  }
  const Token& start = peek();
  int from = 0;
  int to = 0;
  bool bare_from = false;
  bool bare_to = false;
  if (!parse_time_of_day(from, bare_from)) return false;
  const bool link = is_range(0) || (between && peek().is(Word::conjunction));
  if (!link && between) return expected("\"and\" and the end of the window", "and");
  if (!link) {
    if (bare_from) settle_bare(from, start);
    if (!add_window(from, 0, at)) return false;
    return true;
  }
  take();
  const Token& end = peek();
  if (!starts_time()) return expected("the end of the window", "5pm");
  if (!parse_time_of_day(to, bare_to)) return false;
  if (bare_from && !bare_to) {
    const int same_half = from % kNoon + (to >= kNoon ? kNoon : 0);
    if (same_half < to) from = same_half, bare_from = false;
  }
  if ((bare_to || (bare_from && to <= from)) && to <= from && to != 0) {
    const Token& open = bare_to ? end : start;
    return refuse(open,
                  "am or pm? This would run from " + clock_text(from) + " over midnight to " + clock_text(to),
                  text_of(open) + (bare_to ? "pm" : "am"));
  }
  if (bare_from) settle_bare(from, start);
  if (bare_to) settle_bare(to, end);
  return add_window(from, to, at);
}

bool Grammar::parse_window_side() {
  const Token& at = take();
  if (!starts_time()) return expected("a time of day after \"" + text_of(at) + "\"", "5pm");
  int second = 0;
  if (!parse_time(second)) return false;
  if (second % 60 != 0) return refuse(at, "a window begins and ends on a minute", clock_text(second));
  const int minute = second / 60;
  if (plan_.windows.empty() || (!plan_.windows.back().side && !plan_.windows.back().starts)) {
    plan_.windows.emplace_back();
    plan_.windows.back().side = true;
  }
  Window& window = plan_.windows.back();
  if (at.is(Word::after)) {
    window.from = minute + 1;
  } else {
    window.to = at.is(Word::before) ? minute - 1 : minute;
    if (minute == 0) window.to = 1439;
  }
  if (window.from > 1439 || (window.side && window.to < window.from))
    return refuse(at, "this leaves no time of the day");
  window.span = span_from(at);
  return true;
}

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
                      !after.is(Word::oclock) && !after.is(Word::month_name);
    if (!more) return true;
    for (std::size_t i = 0; i < next; ++i) take();
  }
}

// "past every hour", "of hours 9 through 17", "past every 2 hours": false only on an error.
bool Grammar::parse_past_hours() {
  std::size_t next = 0;
  if (!is_past(peek()) && !peek().is(Word::of) && !peek().is(Word::in)) return true;
  next = 1;
  bool every = false;
  while (peek(next).is(Word::the) || peek(next).is(Word::every)) every = peek(next++).is(Word::every);
  const Token& number = peek(next);
  if (every && is_number(number) && is_unit(next + 1, UnitWord::hour)) {
    for (std::size_t i = 0; i < next; ++i) take();
    const Token& at = peek();
    int n = 0;
    if (!read_number(n)) return false;
    take();
    return set_step(n, UnitWord::hour, span_from(at), false);
  }
  if (!is_unit(next, UnitWord::hour)) return true;
  for (std::size_t i = 0; i <= next; ++i) take();
  if (!is_number(peek())) return true;
  std::uint64_t bits = 0;
  if (!parse_number_list(0, 23, bits, plan_.hour_range)) return false;
  plan_.hour_list |= static_cast<std::uint32_t>(bits);
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
  const bool counted = is_number(peek(next)) && is_unit(next + 1, UnitWord::hour);
  const bool hour = is_unit(next, seconds ? UnitWord::minute : UnitWord::hour) || (counted && !seconds);
  if ((!past && !before) || !hour) {
    pos_ = start;
    return false;
  }
  if (!enter(Group::time, at)) return false;
  if (seconds) {
    for (std::size_t i = 0; i <= next; ++i) take();
    plan_.second_list |= bits;
    return true;
  }
  if (before) {
    std::uint64_t turned = 0;
    for (int m = 0; m < 60; ++m) turned |= (bits >> m & 1U) << ((60 - m) % 60);
    bits = turned;
    for (std::size_t i = 0; i <= next; ++i) take();
  } else if (!parse_past_hours()) {
    return false;
  }
  plan_.minute_list |= bits;
  plan_.minute_range = plan_.minute_range || range;
  return true;
}

bool Grammar::parse_at() {
  const Token& at = take();
  if (peek().is(Word::the)) {
    if (peek(1).is(Word::unit) || peek(1).is(Word::half)) return parse_on_the();
    take();
  }
  if (parse_minutes_past()) return true;
  if (!error_.message.empty()) return false;
  if (starts_time()) return parse_times();
  if (peek().is(Word::unit)) return parse_on_the();
  if (peek().is(Word::day_part) || peek().is(Word::every)) return parse_clause();
  if (is_number(peek()) && peek(1).is(Word::unit))
    return refuse(peek(), "an interval takes \"every\"", "every");
  return expected("a time of day after \"" + text_of(at) + "\"", "9am");
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
  if (parse_minutes_past()) return true;
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
      bool range = false;
      return enter(Group::time, at) && parse_number_list(0, 59, plan_.second_list, range);
    }
    case UnitWord::day:
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

bool Grammar::parse_day_part() {
  const Token& at = take();
  part_ = at.value;
  for (const int moment : plan_.moments) {
    if (!fits_part(moment, at)) return false;
  }
  if (plan_.fine) return refuse(at, "an interval needs a window with clock times here", "from 6:00 to 12:00");
  return saw_day_ || saw_weak_day_ || enter(Group::weak_day, at);
}

bool Grammar::parse_business() {
  const Token& at = take();
  if (is_unit(0, UnitWord::day)) {
    take();
    if (!enter(Group::day, at)) return false;
    plan_.days.weekdays |= 0b0111110;
    return true;
  }
  if (!is_unit(0, UnitWord::hour)) return expected("\"days\" or \"hours\"", "hours");
  take();
  warn("\"" + text_of(at) + " hours\" is read as 09:00 to 17:00, Monday to Friday");
  if (!plan_.days.any()) plan_.days.weekdays = 0b0111110;
  return add_window(9 * 3600, 17 * 3600, at);
}

}  // namespace english_cron
