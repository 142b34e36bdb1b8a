// Windows of the day: "from 9am to 5pm", "after noon", "in the morning", "business hours".
#include "grammar.h"
#include "grammar_time.h"

namespace english_cron {

// Looks ahead: "every 15 minutes, monday to friday, 8am - 6pm" ends with the window of its interval; that is
// no second schedule.
bool Grammar::is_window_of_interval() {
  if (strong_ || !plan_.fine || !plan_.windows.empty()) return false;
  const std::size_t begin = pos_;
  PhraseError error = error_;
  int second = 0;
  bool bare = false;
  bool window = parse_time_of_day(second, bare) && is_range(0) && starts_time(1);
  if (window) {
    take();
    window = parse_time_of_day(second, bare) &&
             (is_separator(0) || peek().is(Kind::end) || peek().is(Kind::semicolon) || peek().is(Word::in));
  }
  pos_ = begin;
  error_ = std::move(error);
  return window;
}

bool Grammar::add_window(int from, int to, const Token& at) {
  if (from % 60 != 0 || (to % 60 != 0 && to % 60 != 59))
    return refuse(at, "a window begins and ends on a minute", clock_text(from));
  Window window;
  window.from = from / 60;
  window.to = to == 0 ? 1439 : to / 60;  // "to midnight" ends with the day
  window.starts = true;
  window.span = span_from(at);
  return keep_window(window);
}

// "until 5pm every 30 minutes from 9am": one window, its end told first.
bool Grammar::begins_side_window(int minute) {
  if (plan_.windows.size() != 1) return false;
  Window& window = plan_.windows.back();
  if (!window.side || window.from != 0 || minute > window.to) return false;
  window.from = minute;
  window.starts = true;
  return true;
}

bool Grammar::keep_window(const Window& window) {
  if (plan_.windows.full() || plan_.except_windows.full())
    return refuse(window.span, "too many windows: separate whole schedules with \";\"", ";");
  plan_.windows.push_back(window);
  return true;
}

// "from 24 december to 6 january", "between the 1st of june and the 31st of august"
bool Grammar::names_dates_between() const {
  const auto date = [this](std::size_t& ahead) {
    ahead = skip_the(ahead);
    if (!is_day_number(ahead, true)) return false;
    ahead += ordinal_at(ahead) > 0 ? ordinal_length(ahead) : 1;
    if (peek(ahead).is(Word::of)) ++ahead;
    return peek(ahead++).is(Word::month_name);
  };
  std::size_t ahead = 0;
  if (!date(ahead) || (!is_range(ahead) && !peek(ahead).is(Word::conjunction))) return false;
  return date(++ahead);
}

bool Grammar::parse_dates_between(const Token& at) {
  if (!enter(Group::day, at)) return false;
  limit_ = true;
  const auto date = [this](int& day, int& month) {
    accept(Word::the);
    const Token& number = peek();
    if (!read_day_number(day, true)) return false;
    accept(Word::of);
    month = take().value;
    return has_day(month, day) || no_such_day(number, month, day);
  };
  int day = 0;
  int month = 0;
  int last_day = 0;
  int last_month = 0;
  if (!date(day, month)) return false;
  take();
  if (!date(last_day, last_month)) return false;
  add_dates(plan_.days, day, month, last_day, last_month);
  return true;
}

// "between the 1st and the 7th", "between day 5 and 10 of the month"
bool Grammar::parse_between_days(const Token& at) {
  if (!enter(Group::day, at)) return false;
  limit_ = true;
  const bool numbers = is_unit(0, UnitWord::day);
  if (numbers) take();
  int from = 0;
  int to = 0;
  if (!read_day_number(from, numbers)) return false;
  if (!accept(Word::conjunction) && !is_range(0)) return expected("\"and\" and the last day", "and");
  if (is_range(0)) take();
  accept(Word::the);
  if (numbers && is_unit(0, UnitWord::day)) take();
  if (!read_day_number(to, numbers)) return false;
  if (to < from) return refuse(span_from(at), "the range runs backwards");
  std::uint32_t named = 0;
  for (int day = from; day <= to; ++day) named |= 1U << day;
  return parse_of_month(plan_.days, plan_.months, named);
}

bool Grammar::parse_window(bool between) {
  const Token& at = take();
  accept(Word::the);
  const bool day_of_month = is_unit(0, UnitWord::day) || ordinal_at(0) > 0;
  if (names_dates_between()) return parse_dates_between(at);
  if (between && day_of_month) return parse_between_days(at);
  if (!starts_time()) {
    const bool range = is_range(1) || (between && peek(1).is(Word::conjunction)) || ordinal_at(0) > 0 ||
                       peek(1).is(Kind::ordinal) || peek(1).is(Kind::number) || peek(1).is(Kind::dash);
    if (!starts_days() || !range)
      return expected("a time or a range of days after \"" + text_of(at) + "\"", "9am to 5pm");
    limit_ = limit_ || ordinal_at(0) > 0 || (peek().is(Word::month_name) && is_day_number(skip_the(1), true));
    if (!between) return parse_days(plan_.days, plan_.months);
    if (peek().is(Word::month_name) && is_day_number(skip_the(1), true)) limit_ = true;
    if (peek().is(Word::month_name) && is_day_number(skip_the(1), true))
      return parse_month_clause(plan_.days, plan_.months, true);
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
    if (begins_side_window(from / 60)) return true;
    if (!add_window(from, 0, at)) return false;
    plan_.windows.back().open = true;
    return true;
  }
  take();
  const Token& end = peek();
  if (!starts_time()) return expected("the end of the window", "5pm");
  if (!parse_time_of_day(to, bare_to)) return false;
  if (bare_from && !bare_to && said_half()) {
    const int same_half = from % kNoon + (to >= kNoon ? kNoon : 0);
    if (same_half < to) from = same_half, bare_from = false;
  }
  if ((bare_to || (bare_from && to <= from)) && to <= from && to != 0 && !is_24_hour(start)) {
    const Token& open = bare_to ? end : start;
    return refuse(open,
                  "am or pm? This would run from " + clock_text(from) + " over midnight to " + clock_text(to),
                  text_of(open) + (bare_to ? " pm" : " am"));
  }
  if (bare_from && !is_24_hour(end)) settle_bare(from, start);
  if (bare_to && !is_24_hour(start)) settle_bare(to, end);
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
    Window side;
    side.side = true;
    side.span = span_from(at);
    if (!keep_window(side)) return false;
  }
  Window& window = plan_.windows.back();
  if (at.is(Word::after)) {
    window.from = minute + 1;
  } else {
    window.to = at.is(Word::before) ? minute - 1 : minute;
    if (minute == 0) window.to = 1439;
  }
  window.open = window.phase = false;
  if (window.from > 1439 || (window.side && window.to < window.from))
    return refuse(at, "this leaves no time of the day");
  window.span = span_from(at);
  return true;
}

bool Grammar::parse_day_part() {
  const Token& at = take();
  if (part_ >= 0 && connected_ && !plan_.moments.empty()) {  // "mornings at 7 and evenings at 8"
    part_ = at.value;
    return true;
  }
  if (part_ >= 0 && part_ != at.value)
    return refuse(at, "a second part of the day: give the times, as in \"at 8am and 8pm\"");
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
  plan_.business = true;
  return add_window(9 * 3600, 17 * 3600, at);
}

}  // namespace english_cron
