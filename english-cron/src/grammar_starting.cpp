// Where an interval or a period begins: "starting 2026-01-05", "start of the month", "top of the hour".
#include "grammar.h"

namespace english_cron {

// "start of the month", "top of the hour", "beginning of march": the first day, the first minute.
bool Grammar::parse_start_of(const Token& at) {
  const std::size_t noun = skip_the(1);
  const bool hour = is_unit(noun, UnitWord::hour);
  if (at.value != 0 && !hour) return refuse(at, "only an hour has a top and a bottom", "start");
  if (hour || is_unit(noun, UnitWord::day)) {
    if (!enter(Group::time, at)) return false;
    for (std::size_t i = 0; i <= noun; ++i) take();
    if (hour) plan_.minute_list |= std::uint64_t{1} << (at.value == 2 ? 30 : 0);
    if (!hour) plan_.moments.push_back(0);
    return true;
  }
  return enter(Group::day, at) && parse_of_month(plan_.days, plan_.months, 1U << 1);
}

// "every 15 minutes starting at :05"
bool Grammar::parse_starting_minute() {
  const Token& at = peek();
  if (at.value < 60 && plan_.fine && plan_.fine->unit == Unit::hours) {  // "every hour starting at :15"
    plan_.minute_list |= std::uint64_t{1} << at.value;
    take();
    return true;
  }
  const bool minutes = plan_.fine && plan_.fine->unit == Unit::minutes;
  if (!minutes || 60 % plan_.fine->n != 0 || at.value >= plan_.fine->n)
    return refuse(at, "a minute to start at needs an interval of minutes that divides the hour before it",
                  "every 15 minutes");
  take();
  for (int m = at.value; m < 60; m += plan_.fine->n) plan_.minute_list |= std::uint64_t{1} << m;
  plan_.minute_range = true;
  plan_.fine = Step{1, Unit::hours, true, false, plan_.fine->span};
  return true;
}

bool Grammar::parse_starting() {
  const Token& at = take();
  if (peek().is(Word::of)) return parse_start_of(at);
  if (pos_ == 1 && (peek().is(Word::every) || peek().is(Word::adverb))) return true;  // "starts daily at 9am"
  if (at.value != 0) return expected("\"of the hour\"", "of the hour");
  while (peek().is(Word::at) || peek().is(Word::on) || peek().is(Word::from) || peek().is(Word::the)) take();
  if (peek().is(Kind::date)) {
    if (plan_.start_day) return refuse(peek(), "a second start date");
    plan_.start_day = take().value;
    const std::size_t time = peek().is(Word::at) ? 1 : 0;
    if (starts_time(time)) {
      if (time == 1) take();
      if (!parse_time(plan_.start_second)) return false;
      plan_.start_has_time = true;
    }
    plan_.start_span = span_from(at);
    return true;
  }
  if (is_unit(0, UnitWord::minute) && peek(1).is(Kind::number)) {
    take();
    return parse_starting_minute();
  }
  if (peek().is(Kind::minute)) return parse_starting_minute();
  if (!starts_time()) return expected("a date (YYYY-MM-DD) or a time", "2026-01-05");
  Window window;
  int second = 0;
  if (!parse_time(second)) return false;
  window.from = second / 60;
  window.starts = true;
  const std::size_t end = peek().is(Word::conjunction) && peek(1).is(Word::until) ? 1 : 0;
  window.open = window.phase = !peek(end).is(Word::until) && !peek(end).is(Word::to);
  if (window.open && begins_side_window(window.from)) return true;
  if (!window.open) {
    for (std::size_t i = 0; i <= end; ++i) take();
    accept(Word::at);
    if (!parse_time(second)) return false;
    window.to = second / 60;
  }
  window.span = span_from(at);
  return keep_window(window);
}

}  // namespace english_cron
