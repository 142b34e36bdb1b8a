// What narrows or places a schedule: exceptions, conditions, zones, counts, even and odd.
#include "grammar.h"
#include "grammar_time.h"
#include "zones.h"

#include <array>
#include <bit>
#include <cstdlib>

namespace english_cron {

// A time that nothing but a time of day can be: "noon", "3am", "12:30".
bool Grammar::names_moment(std::size_t ahead) const {
  const Token& at = peek(ahead);
  return plan_.fine && (at.is(Kind::clock) || at.is(Word::clock_name) ||
                        (is_number(at) && peek(ahead + 1).is(Word::meridiem)));
}

// "every monday but the first", "every day but the last": the place of one of the days named before.
bool Grammar::names_place() const {
  const bool last = peek().is(Word::last);
  if (!last && !peek().is(Word::ordinal) && !is_unit(0, UnitWord::second)) return false;
  const Token& next = peek(1);
  return next.is(Kind::end) || next.is(Kind::semicolon) || next.is(Word::at) || is_separator(1) ||
         (next.is(Word::of) && is_unit(skip_the(2), UnitWord::month));
}

bool Grammar::parse_excepted_place() {
  const Token& at = peek();
  const bool last = at.is(Word::last);
  const int place = last ? 1 : ordinal_at(0);
  take();
  const bool of_month = peek().is(Word::of);
  skip_month_phrase();
  Days& except = plan_.except;
  const std::uint8_t weekdays = plan_.days.weekdays;
  if (weekdays == 0) {
    if (last) except.days_before_last |= 1;
    if (!last) except.days |= 1U << place;
    return place <= 31 || refuse(at, "a month has the days 1 to 31", "31st");
  }
  const std::string day(std::popcount(weekdays) == 1 ? weekday_name(std::countr_zero(weekdays)) : "monday");
  if (std::popcount(weekdays) != 1 || of_month || place > 5)
    return refuse(span_from(at), "the day of the week, or the day of the month?", text_of(at) + " " + day);
  if (last) except.last_weekdays |= weekdays;
  if (!last) except.nth[static_cast<std::size_t>(place)] |= weekdays;
  return true;
}

// "10pm to 6am", "12:00-13:00"
bool Grammar::names_window_of_moments() const {
  if (!names_moment(0)) return false;
  const std::size_t end = peek(1).is(Word::meridiem) ? 2 : 1;
  return is_range(end) && starts_time(end + 1);
}

bool Grammar::parse_except() {
  const Token& at = take();
  if (at.value == 1 && !accept(Word::from)) return expected("\"from\"", "from");  // "apart from"
  bool any = false;
  // "every 5 minutes, except weekends, from 6 to 22": a comma on both sides ends the exception.
  const auto index = static_cast<std::size_t>(&at - tokens_.list.data());
  const bool enclosed = index > 0 && tokens_.list[index - 1].is(Kind::comma);
  for (;;) {
    const std::size_t start = pos_;
    bool commas = true;
    while (is_separator(0)) commas = take().is(Kind::comma) && commas;
    const bool placed = peek().is(Word::from) || peek().is(Word::between) || peek().is(Word::in) ||
                        peek().is(Word::on) || peek().is(Word::during);
    if (any && pos_ > start && commas && placed) {
      const Token& more = peek();
      pos_ = start;
      if (enclosed) break;
      return refuse(more,
                    "it is not clear whether this belongs to the exception: name it before \"" + text_of(at) +
                        "\", or join it with \"and\"",
                    "and " + text_of(more));
    }
    if (any && pos_ == start) {
      // "except at noon on weekdays", "except sundays in july": do these days belong to the exception?
      std::size_t look = 0;
      while (peek(look).is(Word::on) || peek(look).is(Word::in) || peek(look).is(Word::of) ||
             peek(look).is(Word::during) || peek(look).is(Word::the) || peek(look).is(Word::every)) {
        ++look;
      }
      pos_ += look;
      const Token& days = peek();
      const bool more = starts_days();
      pos_ = start;
      if (more)
        return refuse(days,
                      "it is not clear whether this belongs to the exception: name it before \"" +
                          text_of(at) + "\", or join it with \"and\"",
                      "and");
      break;
    }
    while (peek().is(Word::on) || peek().is(Word::in) || peek().is(Word::the) || peek().is(Word::during) ||
           peek().is(Word::every) || peek().is(Word::condition) || peek().is(Word::noise)) {
      take();
    }
    if (pos_ > 0 && names_window_of_moments()) {
      --pos_;  // stands for "from"
      if (!parse_window(false)) return false;
      plan_.except_windows.push_back(plan_.windows.back());
      plan_.windows.pop_back();
    } else if (const std::size_t time = peek().is(Word::at) ? 1 : 0; names_moment(time)) {
      if (time == 1) take();
      const Token& moment = peek();
      int second = 0;
      if (!parse_time(second)) return false;
      Window window;
      window.from = window.to = second / 60;
      window.span = Span{moment.offset, moment.length};
      if (is_range(0) || second % 60 != 0) return refuse(moment, "a window here takes \"from\"", "from");
      if (!keep_window(window)) return false;
      plan_.except_windows.push_back(window);
      plan_.windows.pop_back();
    } else if (peek().is(Word::between) || peek().is(Word::from)) {
      const std::size_t before = plan_.windows.size();
      if (!parse_window(peek().is(Word::between))) return false;
      if (plan_.windows.size() == before) return refuse(at, "expected a window of time after \"except\"");
      plan_.except_windows.push_back(plan_.windows.back());
      plan_.windows.pop_back();
    } else if (names_place()) {
      if (!parse_excepted_place()) return false;
    } else if (starts_days() && !(any && peek().is(Kind::number))) {
      if (!parse_days(plan_.except, plan_.except_months)) return false;
    } else {
      pos_ = start;
      break;
    }
    any = true;
  }
  return any || expected("days, months or a window after \"" + text_of(at) + "\"", "sunday");
}

// After "of": "every minute OF THE HOUR", "mondays OF EVERY MONTH", a longer period than what is named, which
// says nothing new.
bool Grammar::is_whole() const {
  const std::size_t at = skip_the(0);
  if ((at == 0 && !is_unit(0, UnitWord::month) && !is_unit(0, UnitWord::week)) || !peek(at).is(Word::unit) ||
      peek(at + 1).is(Kind::number) || peek(at + 1).is(Word::end))
    return false;
  const bool minutes =
      plan_.minute_list != 0 || plan_.second_list != 0 || (plan_.fine && plan_.fine->unit != Unit::hours);
  const bool days = plan_.coarse && plan_.coarse->unit == Unit::days;
  const bool weekdays = plan_.days.weekdays != 0 && !plan_.days.of_month();
  switch (static_cast<UnitWord>(peek(at).value)) {
    case UnitWord::hour:
      return minutes;
    case UnitWord::day:
      return plan_.has_time();
    case UnitWord::week:
      return weekdays || days;
    case UnitWord::month:
      return weekdays || (plan_.coarse && plan_.coarse->unit != Unit::months);
    case UnitWord::year:
      return weekdays || plan_.days.of_month() || plan_.coarse;
    default:
      break;
  }
  return false;
}

bool Grammar::skip_whole() {
  const std::size_t unit = skip_the(0);
  for (std::size_t i = 0; i <= unit; ++i) take();
  return true;
}

bool Grammar::parse_condition() {
  const Token& at = take();
  while (peek().is(Word::noise) || peek().is(Word::the) || peek().is(Word::on)) take();
  const Days& days = plan_.days;
  if (!days.any() && starts_days()) return parse_days(plan_.days, plan_.months);
  const bool dated = days.days != 0 || days.days_before_last != 0 || days.last_nearest != 0 ||
                     days.nearest != 0 || days.has_dates;
  if (!dated || days.weekdays != 0) return refuse(at, "a condition needs days of the month before it", "on");
  plan_.both = true;
  if (ordinal_at(0) > 0 || peek().is(Word::last)) {
    return parse_days(plan_.days, plan_.months) &&
           (plan_.days.of_week() ||
            refuse(span_from(at), "a condition names a day of the week", "if it is a friday"));
  }
  if (!peek().is(Word::weekday_name) && !peek().is(Word::weekdays))
    return expected("a day of the week", "friday");
  return parse_weekdays(plan_.days);
}

bool Grammar::parse_zone() {
  accept(Word::zone_word);
  const Token& at = take();
  std::string zone;
  if (at.is(Kind::zone)) {
    zone = zone_names()[static_cast<std::size_t>(at.value)];
  } else if (at.is(Word::zone)) {
    const ZoneWord word = zone_of(*at.entry);
    zone = word.zone;
    if (word.fixed_part_only)
      warn("\"" + text_of(at) + "\" is read as " + zone + ", with its daylight saving time");
  } else if (at.is(Kind::offset)) {
    const int hours = at.value / 60;
    if (at.value == 0) {
      zone = "UTC";
    } else if (at.value % 60 == 0) {
      zone =
          std::string("Etc/GMT") + (hours > 0 ? "-" : "+") + std::to_string(std::abs(hours));  // POSIX signs
    } else {
      const int minutes = std::abs(at.value);
      zone = canonical_zone(std::string(at.value < 0 ? "UTC-" : "UTC+") + std::to_string(minutes / 60) + ":" +
                            (minutes % 60 < 10 ? "0" : "") + std::to_string(minutes % 60));
    }
  } else {
    --pos_;
    return expected("a time zone", "Europe/Zurich");
  }
  if (zone_seen_ && zone != out_.zone)
    return refuse(at, "a second time zone: one schedule has one", out_.zone);
  zone_seen_ = true;
  out_.zone = zone;
  if (peek().is(Word::zone_word) || (peek().is(Word::times) && text_of(peek()) == "time")) take();
  return true;
}

// "once a day", "twice a week", "3 times a day": the times or days must be named elsewhere.
bool Grammar::parse_count() {
  const Token& at = take();
  const int count = at.value;
  accept(Word::times);
  if (count < 1) return refuse(span_from(at), "\"never\" says that", "never");
  if (peek().is(Word::every)) {
    if (count == 1) return parse_every();
  }
  if ((peek().is(Word::at) || peek().is(Word::on)) && count > 0) {  // "every day once at 8pm"
    plan_.count = count;
    plan_.count_unit = peek().is(Word::on) && !saw_time_ ? Unit::weeks : Unit::days;
    plan_.count_span = span_from(at);
    return true;
  }
  while (peek().is(Word::the) || peek().is(Word::per) || peek().is(Word::every)) take();
  if (!peek().is(Word::unit) && !peek().is(Word::adverb))
    return expected("\"a day\", \"a week\" or \"a month\"", "a day");
  const Token& unit = take();
  const auto word = static_cast<UnitWord>(unit.value);
  if (word < UnitWord::day && count == 1)
    return enter(Group::time, at) && set_step(1, word, span_from(at), true);
  const bool yearly = word == UnitWord::year || (count == 1 && word == UnitWord::quarter);
  if (word != UnitWord::day && word != UnitWord::week && word != UnitWord::month && !yearly) {
    const std::string even = 60 % count == 0 ? "every " + std::to_string(60 / count) + " minutes" : "";
    return refuse(span_from(at), "does not say when: give the interval",
                  word == UnitWord::hour        ? even
                  : word == UnitWord::fortnight ? "every 2 weeks"
                  : word == UnitWord::half_year ? "every 6 months"
                                                : "");
  }
  plan_.count = count;
  plan_.count_unit =
      word == UnitWord::day ? Unit::days : (word == UnitWord::week ? Unit::weeks : Unit::months);
  plan_.count_span = span_from(at);
  return enter(Group::weak_day, at) && set_step(1, word, span_from(at), true);
}

bool Grammar::check_count() {
  int named = static_cast<int>(plan_.moments.size());
  std::string what = "time";
  std::string of = " of day";
  std::string suggestion = plan_.count == 1 ? "every day at 9am" : "";
  if (plan_.count > 1 && 24 % plan_.count == 0)
    suggestion = plan_.count == 24 ? "every hour" : "every " + std::to_string(24 / plan_.count) + " hours";
  if (plan_.count_unit == Unit::weeks) {
    named = std::popcount(plan_.days.weekdays);
    what = "day", of = " of the week", suggestion = "on monday at 9am";
  }
  if (plan_.count_unit == Unit::months) {
    named = std::popcount(plan_.days.days) + (plan_.days.special() ? plan_.count : 0);
    what = "day", of = " of the month", suggestion = "on the 1st of the month";
    if (plan_.coarse && plan_.coarse->n > 1) named = plan_.days.any() ? 1 : 0;
    if (plan_.coarse && plan_.coarse->n == 12)
      of = " of the year", suggestion = plan_.count == 1 ? "on january 1" : "on january 1 and july 1";
    if (plan_.days.has_dates) {
      named = 0;
      for (const std::uint32_t bits : plan_.days.dates) named += std::popcount(bits);
    }
  }
  if (named == plan_.count) return true;
  what = plan_.count == 1 ? "the " + what : std::to_string(plan_.count) + " " + what + "s";
  return refuse(plan_.count_span, "does not say when: name " + what + of, suggestion);
}

bool Grammar::parse_parity() {
  const Token& at = take();
  const bool even = at.is(Word::even);
  if (peek().is(Kind::dash) && peek(1).is(Word::noise)) take();
  if (peek().is(Word::noise) && peek().entry->text == "numbered") take();
  if (!peek().is(Word::unit)) return expected("minutes, hours, days or months", "days");
  const Token& unit = take();
  std::uint64_t bits = 0;
  for (int v = even ? 0 : 1; v < 60; v += 2) bits |= std::uint64_t{1} << v;
  switch (static_cast<UnitWord>(unit.value)) {
    case UnitWord::minute:
      if (!enter(Group::time, at)) return false;
      plan_.minute_list |= bits;
      plan_.minute_range = true;
      return true;
    case UnitWord::hour:
      if (!enter(Group::time, at)) return false;
      plan_.hour_list |= static_cast<std::uint32_t>(bits & 0xFFFFFFU);
      plan_.hour_range = true;
      return true;
    case UnitWord::day:
      if (!enter(Group::day, at)) return false;
      plan_.days.days |= static_cast<std::uint32_t>(bits & 0xFFFFFFFEU);
      skip_month_phrase();
      return true;
    case UnitWord::month:
      plan_.months |= static_cast<std::uint16_t>(bits & 0x1FFEU);
      return true;
    default:
      break;
  }
  return refuse(unit, "odd and even count minutes, hours, days and months", "days");
}

}  // namespace english_cron
