// "every 15 minutes", "hourly", "5m", "every 2nd day", "every 1.5 hours".
#include "grammar.h"

#include <array>

namespace english_cron {
bool Grammar::set_step(int n, UnitWord word, Span span, bool bare) {
  struct Row {
    Unit unit;
    int factor;
    int most;  // about a hundred years
  };
  constexpr std::array<Row, 10> kRows{{{Unit::seconds, 1, 1000000},
                                       {Unit::minutes, 1, 1000000},
                                       {Unit::hours, 1, 800000},
                                       {Unit::days, 1, 36500},
                                       {Unit::weeks, 1, 5200},
                                       {Unit::weeks, 2, 2600},
                                       {Unit::months, 1, 1200},
                                       {Unit::months, 3, 400},
                                       {Unit::months, 6, 200},
                                       {Unit::months, 12, 100}}};
  const Row& row = kRows[static_cast<std::size_t>(word)];
  if (n < 1 || n > row.most) return refuse(span, "an interval goes from 1 to about a hundred years", "1");
  Step step{n * row.factor, row.unit, bare, word == UnitWord::quarter, span};
  const bool fine = row.unit == Unit::seconds || row.unit == Unit::minutes || row.unit == Unit::hours;
  if (fine) {
    if (plan_.fine && adds_hours(step)) return true;
    if (plan_.fine) return refuse(span, "a second interval: separate whole schedules with \";\"", ";");
    const bool daily = step.unit == Unit::hours && step.n == 24;
    if (!plan_.moments.empty() && daily) {
      if (!plan_.coarse) plan_.coarse = Step{1, Unit::days, true, false, span};
      return true;
    }
    if (!plan_.moments.empty())
      return refuse(span, "an interval and times of day: separate whole schedules with \";\"", ";");
    if (step.unit == Unit::seconds && step.n % 60 == 0) step.n /= 60, step.unit = Unit::minutes;
    if (step.unit == Unit::minutes && step.n % 60 == 0) step.n /= 60, step.unit = Unit::hours;
    plan_.fine = step;
    return true;
  }
  if (plan_.coarse) return refuse(span, "a second interval: separate whole schedules with \";\"", ";");
  plan_.coarse = step;
  return true;
}

// "every 15 minutes, every 2 hours", "every 5 minutes of every hour": the hours in which the first interval
// runs.
bool Grammar::adds_hours(const Step& step) {
  const Step& fine = *plan_.fine;
  const bool inside = fine.unit == Unit::seconds || (fine.unit == Unit::minutes && fine.n < 60);
  const bool whole = 60 % fine.n == 0;
  const bool hours = step.unit == Unit::hours && step.n < 24 && 24 % step.n == 0;
  if (!inside || !whole || !hours || plan_.hour_list != 0) return false;
  if (step.n == 1) return true;
  if (fine.unit == Unit::seconds) return false;
  for (int h = 0; h < 24; h += step.n) plan_.hour_list |= std::uint32_t{1} << h;
  plan_.hour_range = true;
  return true;
}

// "every other week", "on alternate mondays": what follows "other".
bool Grammar::parse_every_other(const Token& at) {
  if (peek().is(Word::unit)) return parse_every_unit(2, at);
  const bool weekend = peek().is(Word::weekdays) && peek().value == 65;
  if (!peek().is(Word::weekday_name) && !weekend) return expected("a unit or a day of the week", "day");
  return enter(Group::day, at) && set_step(2, UnitWord::week, span_from(at), false) &&
         parse_weekdays(plan_.days);
}

bool Grammar::parse_every() {
  const Token& at = take();
  if (peek().is(Word::conjunction) && peek(1).is(Word::every)) take(), take();  // "each and every"
  const bool of_week = peek().is(Word::noise) && peek().entry->text == "dayofweek";
  while (peek().is(Word::noise)) take();
  if (of_week && (peek().is(Word::from) || peek().is(Word::weekday_name))) return parse_clause();
  if (at.entry->text == "all" && peek().is(Word::unit) && !peek().entry->text.ends_with('s')) {
    take();  // "all day": says nothing of how often
    return true;
  }
  if (accept(Word::other)) return parse_every_other(at);
  if (peek().is(Word::half)) {
    take();
    accept(Kind::dash);
    accept(Word::the);
    const bool hour = is_unit(0, UnitWord::hour);
    const bool day = is_unit(0, UnitWord::day);
    const bool year = is_unit(0, UnitWord::year);
    const bool minute = is_unit(0, UnitWord::minute);
    if (!hour && !day && !year && !minute)
      return expected("\"minute\", \"hour\", \"day\" or \"year\"", "hour");
    take();
    if (!enter(year ? Group::weak_day : Group::time, at)) return false;
    if (hour || minute) return set_step(30, hour ? UnitWord::minute : UnitWord::second, span_from(at), false);
    return set_step(day ? 12 : 6, day ? UnitWord::hour : UnitWord::month, span_from(at), false);
  }
  if (is_unit(0, UnitWord::quarter)) {
    const std::size_t of = peek(1).is(Word::of) ? 2 : 1;
    const std::size_t hour = skip_the(of);
    if (is_unit(hour, UnitWord::hour)) {
      for (std::size_t i = 0; i <= hour; ++i) take();
      return enter(Group::time, at) && set_step(15, UnitWord::minute, span_from(at), false);
    }
  }
  if (ordinal_at(0) > 0) {
    const std::size_t length = ordinal_length(0);
    const bool second_of_time = peek().is(Word::unit);  // "every second": the unit unless a noun follows
    const Token& next = peek(length);
    const bool noun = next.is(Word::unit) || next.is(Word::weekday_name) || next.is(Word::weekdays);
    if (!second_of_time || noun) return parse_every_ordinal();
  }
  if (parse_period_end(plan_.days, plan_.months)) return true;
  if (!error_.message.empty()) return false;
  if (peek().is(Word::unit)) return parse_every_unit(1, at);
  if (peek().is(Kind::decimal)) return parse_decimal(at);
  if (peek().is(Kind::clock) && phrase_.substr(peek().offset, peek().length).find_first_of("hH") < 3) {
    const int minutes = take().value / 60;  // "every 1h30"
    if (is_unit(0, UnitWord::minute) && peek().glued) take();
    return enter(Group::time, at) && set_step(minutes, UnitWord::minute, span_from(at), false);
  }
  if (peek().is(Kind::number) || peek().is(Word::number) || peek().is(Word::hundred)) {
    int n = 0;
    if (!read_number(n)) return false;
    if (peek().is(Kind::dash) && peek(1).is(Word::unit)) take();
    if (halves()) return parse_halves(n, at);
    if (peek().is(Word::unit)) return parse_every_unit(n, at);
    if (peek().is(Word::meridiem) || peek().is(Word::oclock)) {
      const Token& number = tokens_.list[pos_ - 1];
      return refuse(number, "a time of day needs \"every day at\" before it", "day at " + text_of(number));
    }
    return expected("a unit: seconds, minutes, hours, days, weeks, months or years", "minutes");
  }
  if (peek().is(Word::month_name) && !is_day_number(skip_the(1), true)) plan_.every_month = true;
  switch (peek().word) {
    case Word::weekday_name:
    case Word::weekdays:
    case Word::month_name:
    case Word::quarter_name:
    case Word::holiday:
    case Word::holiday_new:
    case Word::holiday_day:
    case Word::last:
    case Word::even:
    case Word::odd:
    case Word::day_part:
    case Word::day_kind:
    case Word::clock_name:
      return parse_clause();
    default:
      break;
  }
  return expected("a unit or a day after \"" + text_of(at) + "\"", "day");
}

// "2 and a half hours", "hour and a half"
bool Grammar::halves() const {
  return peek().is(Word::conjunction) && peek(1).is(Word::the) && peek(2).is(Word::half) &&
         !peek(3).is(Word::past);
}

bool Grammar::parse_halves(int n, const Token& at) {
  for (int i = 0; i < 3; ++i) take();
  const bool hours = is_unit(0, UnitWord::hour);
  if (!hours && !is_unit(0, UnitWord::minute)) return expected("\"hours\" or \"minutes\"", "hours");
  take();
  return enter(Group::time, at) &&
         set_step(n * 60 + 30, hours ? UnitWord::minute : UnitWord::second, span_from(at), false);
}

// "1.5 hours" is 90 minutes: told in the next smaller unit, as far as that is whole.
bool Grammar::parse_decimal(const Token& at) {
  struct Row {
    UnitWord unit, smaller;
    int factor;
  };
  constexpr std::array<Row, 5> kRows{{{UnitWord::minute, UnitWord::second, 60},
                                      {UnitWord::hour, UnitWord::minute, 60},
                                      {UnitWord::day, UnitWord::hour, 24},
                                      {UnitWord::week, UnitWord::day, 7},
                                      {UnitWord::year, UnitWord::month, 12}}};
  const Token& number = take();
  if (peek().is(Kind::dash)) take();
  for (const Row& row : kRows) {
    if (!is_unit(0, row.unit)) continue;
    take();
    if (number.value * row.factor % 100 != 0)
      return refuse(number, "this is not a whole number of the next smaller unit: write it in that one", "1");
    const bool fine = row.smaller <= UnitWord::hour;
    return enter(fine ? Group::time : Group::weak_day, at) &&
           set_step(number.value * row.factor / 100, row.smaller, span_from(at), false);
  }
  if (is_unit(0, UnitWord::second))
    return refuse(number, "a second is not divided: expected whole seconds", "1");
  return expected("minutes, hours, days, weeks or years after a part of a number", "hours");
}

bool Grammar::parse_every_unit(int n, const Token& at) {
  const Token& unit = take();
  if (unit.entry->misspelt)
    warn("\"" + text_of(unit) + "\" is read as \"" + std::string(unit.entry->fixed) + "\"");
  auto word = static_cast<UnitWord>(unit.value);
  if (word == UnitWord::hour && halves()) {
    for (int i = 0; i < 3; ++i) take();
    return enter(Group::time, at) && set_step(n * 60 + 30, UnitWord::minute, span_from(at), false);
  }
  if (word == UnitWord::hour || word == UnitWord::minute) {
    // "1 hour and 30 minutes", "1h30m"
    const std::size_t next = peek().is(Word::conjunction) ? 1 : 0;
    const UnitWord smaller = word == UnitWord::hour ? UnitWord::minute : UnitWord::second;
    const bool number = peek(next).is(Kind::number) || peek(next).is(Word::number);
    if (number && is_unit(next + 1, smaller) && !peek(next + 2).is(Word::past) &&
        !peek(next + 2).is(Word::after)) {
      if (next == 1) take();
      int extra = 0;
      if (!read_number(extra)) return false;
      take();
      n = n * 60 + extra;
      word = smaller;
    }
  }
  const bool fine = word == UnitWord::second || word == UnitWord::minute || word == UnitWord::hour;
  const auto index = static_cast<std::size_t>(&at - tokens_.list.data());
  const std::size_t every = at.is(Word::every) || index == 0 ? index : index - 1;
  const bool of_field = every > 0 && tokens_.list[every - 1].is(Word::at);
  if (word == UnitWord::minute && of_field && parse_minutes_of_field(n))
    return enter(Group::time, at) && parse_past_hours();
  if (word == UnitWord::month && parse_months_of_field(n)) return true;
  if (unit.entry->text == "dayofmonth" && parse_days_of_field(n, at)) return true;
  return enter(fine ? Group::time : Group::weak_day, at) && set_step(n, word, span_from(at), n == 1);
}

bool Grammar::parse_every_ordinal() {
  const Token& at = peek();
  const int k = ordinal_at(0);
  const std::size_t length = ordinal_length(0);
  const Token& noun = peek(length);
  const bool of = peek(length + 1).is(Word::of) || peek(length + 1).is(Word::in);
  if (k == 1 && is_unit(length, UnitWord::day)) return parse_ordinals(plan_.days, plan_.months, false);
  if (k == 1 && noun.is(Word::unit)) return refuse(at, "does not say how often", "every");
  if (noun.is(Word::unit)) {
    const std::size_t month = skip_the(length + 2);
    if (of && is_unit(month, UnitWord::month)) {
      const Token& end = peek(month);
      const Span all{at.offset, static_cast<std::size_t>(end.offset + end.length - at.offset)};
      return refuse(all, "may mean one day of the month or every " + std::to_string(k) + " days",
                    "month on the " + ordinal_text(k));
    }
    for (std::size_t i = 0; i < length; ++i) take();
    return parse_every_unit(k, at);
  }
  if (noun.is(Word::weekday_name) && k == 2 && !of) {
    const std::string day(weekday_name(noun.value));
    const Span both{at.offset, static_cast<std::size_t>(noun.offset + noun.length - at.offset)};
    return refuse(both, "may mean every other " + day + " or the 2nd " + day + " of the month",
                  "other " + day);
  }
  if (noun.is(Word::weekday_name) && k > 2 && !of)
    warn("\"" + ordinal_text(k) + " " + std::string(weekday_name(noun.value)) +
         "\" is read as that of each month");
  return parse_ordinals(plan_.days, plan_.months, false);
}

bool Grammar::parse_adverb() {
  const Token& at = take();
  const auto word = static_cast<UnitWord>(at.value);
  const bool fine = word == UnitWord::minute || word == UnitWord::hour;
  return enter(fine ? Group::time : Group::weak_day, at) && set_step(1, word, span_from(at), true);
}

bool Grammar::names_interval(std::size_t ahead) const {
  const Token& number = peek(ahead);
  if (!number.is(Kind::number) && !number.is(Word::number)) return false;
  const std::size_t unit = ahead + (peek(ahead + 1).is(Kind::dash) ? 2 : 1);
  const Token& noun = peek(unit + 1);
  return peek(unit).is(Word::unit) && noun.is(Word::noise) && noun.entry->text.starts_with("interval");
}

bool Grammar::parse_short_interval() {
  // "15m", "4 hours" at the head of a schedule; not "10 minutes past the hour", "5 days before the end".
  const Token& at = peek();
  const std::size_t start = pos_;
  const bool head = at.digits != 4 && !plan_.has_time() && !plan_.coarse && !saw_day_;
  int n = 0;
  if (!head || !read_number(n)) {
    pos_ = start;
    error_ = {};
    return false;
  }
  if (peek().is(Kind::dash) && peek(1).is(Word::unit)) take();
  if (!peek().is(Word::unit)) {
    pos_ = start;
    error_ = {};
    return false;
  }
  if (is_unit(0, UnitWord::day) && (peek(1).is(Word::the) || peek(1).is(Word::per)) &&
      is_unit(2, UnitWord::week)) {
    if (n != 7) {
      take(), take(), take();
      return refuse(span_from(at), "does not say which days: name them",
                    n == 5 ? "monday to friday" : "on monday");
    }
    take(), take(), take();
    return enter(Group::weak_day, at) && set_step(1, UnitWord::day, span_from(at), true);
  }
  const Token& next = peek(1);
  if (next.is(Word::past) || next.is(Word::after) || next.is(Word::before) || next.is(Word::to) ||
      is_separator(1)) {
    pos_ = start;
    return false;
  }
  return parse_every_unit(n, at);
}

}  // namespace english_cron
