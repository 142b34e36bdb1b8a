#include "grammar.h"

#include "zones.h"

#include <algorithm>
#include <bit>

namespace english_cron {
namespace {

std::string suffixed(int n) {
  const bool teen = n / 10 % 10 == 1;
  const char* suffix =
      teen ? "th" : (n % 10 == 1 ? "st" : (n % 10 == 2 ? "nd" : (n % 10 == 3 ? "rd" : "th")));
  return std::to_string(n) + suffix;
}

}  // namespace

bool Days::special() const {
  unsigned any_nth = 0;
  for (const std::uint8_t bits : nth) any_nth |= bits;
  return any_nth != 0 || last_weekdays != 0 || days_before_last != 0 || last_nearest != 0 || nearest != 0;
}

bool Minutes::any() const {
  return std::any_of(hours.begin(), hours.end(), [](std::uint64_t bits) { return bits != 0; });
}

std::expected<Parsed, PhraseError> Grammar::parse() {
  do {
    if (!parse_plan()) return std::unexpected(std::move(error_));
  } while (accept(Kind::semicolon) && !peek().is(Kind::end));
  return std::move(out_);
}

bool Grammar::parse_plan() {
  plan_ = {};
  saw_time_ = saw_day_ = saw_weak_day_ = need_time_ = need_day_ = nth_months_ = false;
  latest_ = Group::none;
  part_ = -1;
  bool first = true;
  while (!peek().is(Kind::end) && !peek().is(Kind::semicolon)) {
    connected_ = strong_ = false;
    const Token& separator = peek();
    while (is_separator(0)) {
      if (take().is(Word::conjunction)) strong_ = true;
      connected_ = true;
    }
    if (connected_ && (first || peek().is(Kind::end) || peek().is(Kind::semicolon))) {
      return refuse(separator, "nothing to join here: expected a time or a day on both sides");
    }
    if (!parse_clause()) return false;
    first = false;
  }
  return finish_plan();
}

bool Grammar::finish_plan() {
  if (plan_.never) {
    out_.plans.push_back(plan_);
    return true;
  }
  if (part_ >= 0 && !plan_.has_time()) {
    constexpr std::array<int, 4> kHours{10, 15, 20, 0};
    constexpr std::array<std::string_view, 4> kNames{"morning", "afternoon", "evening", "night"};
    const auto part = static_cast<std::size_t>(part_);
    plan_.moments.push_back(kHours[part] * 3600);
    warn("\"" + std::string(kNames[part]) + "\" is read as " +
         (kHours[part] == 0 ? "00" : std::to_string(kHours[part])) + ":00");
  }
  const bool empty =
      !plan_.has_time() && !plan_.coarse && !plan_.days.any() && plan_.months == 0 && plan_.windows.empty();
  if (empty) return expected("a schedule, such as \"every day at 9am\"", "every day at 9am");
  if ((need_time_ && !saw_time_) || (need_day_ && !saw_day_ && !saw_weak_day_)) {
    return refuse(
        peek(), "it is not clear which times belong to which days: separate whole schedules with \";\"", ";");
  }
  if (plan_.count > 0) {
    int named = static_cast<int>(plan_.moments.size());
    const char* what = "times of day";
    if (plan_.count_unit == Unit::weeks)
      named = std::popcount(plan_.days.weekdays), what = "days of the week";
    if (plan_.count_unit == Unit::months) {
      named = std::popcount(plan_.days.days) + (plan_.days.special() ? plan_.count : 0),
      what = "days of the month";
    }
    if (named != plan_.count) {
      return refuse(plan_.count_span, "does not say when: name " + std::to_string(plan_.count) + " " + what,
                    "every day at 9am");
    }
  }
  out_.plans.push_back(plan_);
  return true;
}

bool Grammar::enter(Group group, const Token& at) {
  const bool time = group == Group::time;
  bool split = false;
  if (time) {
    const bool days_between = saw_time_ && latest_ != Group::time;
    split = days_between && connected_;
    if (days_between && !connected_) {
      return refuse(at, "a second time after the days: separate whole schedules with \";\"", ";");
    }
  } else if (saw_time_ && latest_ == Group::time && connected_) {
    split = saw_day_ || (saw_weak_day_ && strong_);
  }
  if (!time && nth_months_ && connected_) {
    return refuse(
        at, "it is not clear which months belong to which days: separate whole schedules with \";\"", ";");
  }
  if (split) {
    const bool both = saw_time_ && (saw_day_ || saw_weak_day_);
    if (!finish_plan()) return false;
    plan_ = {};
    saw_time_ = saw_day_ = saw_weak_day_ = nth_months_ = false;
    need_time_ = need_day_ = both;
    part_ = -1;
  }
  latest_ = group == Group::weak_day ? Group::day : group;
  saw_time_ = saw_time_ || time;
  saw_day_ = saw_day_ || group == Group::day;
  saw_weak_day_ = saw_weak_day_ || group == Group::weak_day;
  return true;
}

bool Grammar::parse_clause() {
  const Token& at = peek();
  switch (at.kind) {
    case Kind::word:
      return parse_word_clause(at);
    case Kind::ordinal:
      return parse_ordinals(plan_.days, plan_.months, false);
    case Kind::zone:
    case Kind::offset:
      return parse_zone();
    case Kind::clock:
      return parse_times();
    case Kind::date:
      return refuse(at, "one date does not repeat: a date may follow \"starting\"",
                    "starting " + text_of(at));
    case Kind::number: {
      if (parse_short_interval()) return true;
      if (!error_.message.empty()) return false;
      if (parse_minutes_past()) return true;
      if (!error_.message.empty()) return false;
      if (peek(1).is(Word::times))
        return refuse(at, "\"" + text_of(at) + " times\" does not say when: name the times of day",
                      "at 9am and 5pm");
      if (peek(1).is(Word::month_name)) return parse_ordinals(plan_.days, plan_.months, true);
      if (starts_time()) return parse_times();
      if (is_unit(1, UnitWord::day)) return parse_before_end(plan_.days);
      return refuse(at, "a number alone has no meaning here: expected a time or a day", text_of(at) + ":00");
    }
    default:
      break;
  }
  return refuse(at, "expected a time or a day");
}

bool Grammar::parse_word_clause(const Token& at) {
  if (at.entry != nullptr && at.entry->misspelt)
    warn("\"" + text_of(at) + "\" is read as \"" + std::string(at.entry->fixed) + "\"");
  switch (at.word) {
    case Word::noise:
      take();
      return true;
    case Word::the:
      take();
      return peek().is(Kind::end) ? expected("a day") : true;
    case Word::every:
      return parse_every();
    case Word::adverb:
      return parse_adverb();
    case Word::at:
      return parse_at();
    case Word::on:
      take();
      if (peek().is(Kind::end) || peek().is(Kind::semicolon)) return expected("a day or a date", "monday");
      return parse_on_the();
    case Word::in:
    case Word::of:
    case Word::during:
      take();
      accept(Word::the);
      if (peek().is(Kind::end)) return expected("a month or a time zone", "january");
      if (peek().is(Kind::number) && peek().digits == 4) {
        return refuse(peek(), "cron has no years: a schedule repeats every year");
      }
      if (peek().is(Word::at) || peek().is(Word::on) || peek().is(Word::in) || peek().is(Word::never)) {
        return expected("a month, a time zone or a part of the day", "january");
      }
      return parse_clause();
    case Word::from:
      return parse_window(false);
    case Word::between:
      return parse_window(true);
    case Word::after:
    case Word::before:
    case Word::until:
      return parse_window_side();
    case Word::except:
      return parse_except();
    case Word::but:
    case Word::no:
    case Word::other:
      // "but not", "other than"
      if (at.is(Word::but) && peek(1).is(Word::no)) take();
      if (at.is(Word::other)) return refuse(at, "\"other\" needs \"every\" before it", "every other");
      return parse_except();
    case Word::starting:
      return parse_starting();
    case Word::condition:
      return parse_condition();
    case Word::count:
      return parse_count();
    case Word::even:
    case Word::odd:
      return parse_parity();
    case Word::day_part:
      return parse_day_part();
    case Word::day_kind:
      return parse_business();
    case Word::never:
      if (pos_ > 0 || !peek(1).is(Kind::end)) return refuse(at, "\"never\" stands alone", "never");
      take();
      return plan_.never = true;
    case Word::zone:
    case Word::zone_word:
      return parse_zone();
    case Word::last:
      return parse_last(plan_.days, plan_.months);
    case Word::ordinal:
      return parse_ordinals(plan_.days, plan_.months, false);
    case Word::unit:
      return parse_on_the();
    case Word::number:
      if (parse_short_interval()) return true;
      if (!error_.message.empty()) return false;
      if (parse_minutes_past()) return true;
      if (!error_.message.empty()) return false;
      if (starts_time()) return parse_times();
      if (is_unit(1, UnitWord::day)) return parse_before_end(plan_.days);
      break;
    case Word::half:
      if (parse_minutes_past()) return true;
      if (!error_.message.empty()) return false;
      return parse_times();
    case Word::clock_name:
      return parse_times();
    case Word::weekday_name:
    case Word::weekdays:
    case Word::month_name:
    case Word::quarter_name:
    case Word::holiday:
    case Word::holiday_new:
    case Word::holiday_day:
      return parse_days(plan_.days, plan_.months);
    default:
      break;
  }
  return refuse(at, "\"" + text_of(at) + "\" has no meaning here: expected a time, a day or an interval");
}

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
    if (plan_.fine) return refuse(span, "a second interval: separate whole schedules with \";\"", ";");
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

bool Grammar::parse_every() {
  const Token& at = take();
  while (peek().is(Word::noise)) take();
  if (accept(Word::other)) {
    if (peek().is(Word::unit)) return parse_every_unit(2, at);
    if (!peek().is(Word::weekday_name)) return expected("a unit or a day of the week", "day");
    return enter(Group::day, at) && set_step(2, UnitWord::week, span_from(at), false) &&
           parse_weekdays(plan_.days);
  }
  if (peek().is(Word::half)) {
    take();
    accept(Word::the);
    const bool hour = is_unit(0, UnitWord::hour);
    const bool day = is_unit(0, UnitWord::day);
    const bool year = is_unit(0, UnitWord::year);
    if (!hour && !day && !year) return expected("\"hour\"", "hour");
    take();
    if (!enter(year ? Group::weak_day : Group::time, at)) return false;
    return set_step(hour ? 30 : (day ? 12 : 6),
                    hour ? UnitWord::minute : (day ? UnitWord::hour : UnitWord::month), span_from(at), false);
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
  if (peek().is(Word::unit)) return parse_every_unit(1, at);
  if (peek().is(Kind::number) || peek().is(Word::number) || peek().is(Word::hundred)) {
    int n = 0;
    if (!read_number(n)) return false;
    if (peek().is(Word::unit)) return parse_every_unit(n, at);
    if (peek().is(Word::meridiem) || peek().is(Word::oclock)) {
      return refuse(tokens_.list[pos_ - 1], "a time of day needs \"every day at\" before it", "every day at");
    }
    return expected("a unit: seconds, minutes, hours, days, weeks, months or years", "minutes");
  }
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
  return expected("a unit or a day after \"" + text_of(at) + "\"", "every day");
}

bool Grammar::parse_every_unit(int n, const Token& at) {
  const Token& unit = take();
  if (unit.entry->misspelt)
    warn("\"" + text_of(unit) + "\" is read as \"" + std::string(unit.entry->fixed) + "\"");
  auto word = static_cast<UnitWord>(unit.value);
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
  return enter(fine ? Group::time : Group::weak_day, at) && set_step(n, word, span_from(at), n == 1);
}

bool Grammar::parse_every_ordinal() {
  const Token& at = peek();
  const int k = ordinal_at(0);
  const std::size_t length = ordinal_length(0);
  const Token& noun = peek(length);
  const bool of = peek(length + 1).is(Word::of) || peek(length + 1).is(Word::in);
  if (noun.is(Word::unit)) {
    const std::size_t month = skip_the(length + 2);
    if (of && is_unit(month, UnitWord::month)) {
      return refuse(at, "may mean one day of the month or every " + std::to_string(k) + " days",
                    "on the " + suffixed(k) + " of the month");
    }
    for (std::size_t i = 0; i < length; ++i) take();
    return parse_every_unit(k, at);
  }
  if (noun.is(Word::weekday_name) && k == 2 && !of) {
    const std::string day(weekday_name(noun.value));
    return refuse(span_from(at), "may mean every other " + day + " or the 2nd " + day + " of the month",
                  "every other " + day);
  }
  return parse_ordinals(plan_.days, plan_.months, false);
}

bool Grammar::parse_adverb() {
  const Token& at = take();
  const auto word = static_cast<UnitWord>(at.value);
  const bool fine = word == UnitWord::minute || word == UnitWord::hour;
  return enter(fine ? Group::time : Group::weak_day, at) && set_step(1, word, span_from(at), true);
}

bool Grammar::parse_short_interval() {
  // "15m", "4 hours" at the head of a schedule; not "10 minutes past the hour", "5 days before the end".
  const Token& at = peek();
  const std::size_t start = pos_;
  const bool head = at.digits != 4 && !plan_.has_time() && !plan_.coarse && !saw_day_;
  int n = 0;
  if (!head || !read_number(n) || !peek().is(Word::unit)) {
    pos_ = start;
    error_ = {};
    return false;
  }
  const Token& next = peek(1);
  if (next.is(Word::past) || next.is(Word::after) || next.is(Word::before) || next.is(Word::to) ||
      is_separator(1)) {
    pos_ = start;
    return false;
  }
  return parse_every_unit(n, at);
}

bool Grammar::parse_starting() {
  const Token& at = take();
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
  if (!starts_time()) return expected("a date (YYYY-MM-DD) or a time", "2026-01-05");
  Window window;
  int second = 0;
  if (!parse_time(second)) return false;
  window.from = second / 60;
  window.starts = true;
  window.span = span_from(at);
  if (peek().is(Word::until) || (peek().is(Word::to))) {
    take();
    if (!parse_time(second)) return false;
    window.to = second / 60;
  }
  plan_.windows.push_back(window);
  return true;
}

bool Grammar::parse_except() {
  const Token& at = take();
  bool any = false;
  for (;;) {
    const std::size_t start = pos_;
    while (is_separator(0)) take();
    while (peek().is(Word::on) || peek().is(Word::in) || peek().is(Word::the) || peek().is(Word::during) ||
           peek().is(Word::every) || peek().is(Word::condition) || peek().is(Word::noise)) {
      take();
    }
    if (peek().is(Word::between) || peek().is(Word::from)) {
      const std::size_t before = plan_.windows.size();
      if (!parse_window(peek().is(Word::between))) return false;
      if (plan_.windows.size() == before) return refuse(at, "expected a window of time after \"except\"");
      plan_.except_windows.push_back(plan_.windows.back());
      plan_.windows.pop_back();
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

bool Grammar::parse_condition() {
  const Token& at = take();
  while (peek().is(Word::noise) || peek().is(Word::the) || peek().is(Word::on)) take();
  const Days& days = plan_.days;
  const bool dated = days.days != 0 || days.days_before_last != 0 || days.last_nearest != 0 ||
                     days.nearest != 0 || days.has_dates;
  if (!dated || days.weekdays != 0) return refuse(at, "a condition needs days of the month before it", "on");
  plan_.both = true;
  if (ordinal_at(0) > 0 || peek().is(Word::last)) return parse_days(plan_.days, plan_.months);
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

bool Grammar::parse_count() {
  const Token& at = take();
  const int count = at.value;
  if (peek().is(Word::every)) {
    if (count == 1) return parse_every();
  }
  while (peek().is(Word::the) || peek().is(Word::per) || peek().is(Word::every)) take();
  if (!peek().is(Word::unit) && !peek().is(Word::adverb))
    return expected("\"a day\", \"a week\" or \"a month\"", "a day");
  const Token& unit = take();
  const auto word = static_cast<UnitWord>(unit.value);
  if (word < UnitWord::day && count == 1)
    return enter(Group::time, at) && set_step(1, word, span_from(at), true);
  if (word != UnitWord::day && word != UnitWord::week && word != UnitWord::month) {
    return refuse(span_from(at), "does not say when: give the interval",
                  word == UnitWord::hour ? "every 30 minutes" : "every 6 months");
  }
  plan_.count = count;
  plan_.count_unit =
      word == UnitWord::day ? Unit::days : (word == UnitWord::week ? Unit::weeks : Unit::months);
  plan_.count_span = span_from(at);
  return enter(Group::weak_day, at) && set_step(1, word, span_from(at), true);
}

bool Grammar::parse_parity() {
  const Token& at = take();
  const bool even = at.is(Word::even);
  if (peek().is(Kind::dash) && peek(1).is(Word::number))
    return expected("minutes, hours, days or months", "days");
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
