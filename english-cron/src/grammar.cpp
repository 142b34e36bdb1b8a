// Clauses: which one begins here, and when a second schedule has begun.
#include "grammar.h"

#include "grammar_time.h"

#include <algorithm>
#include <array>

namespace english_cron {

bool Days::special() const {
  unsigned any_nth = 0;
  for (const std::uint8_t bits : nth) any_nth |= bits;
  return any_nth != 0 || last_weekdays != 0 || days_before_last != 0 || last_nearest != 0 || nearest != 0;
}

bool Days::of_week() const {
  unsigned any = weekdays | last_weekdays;
  for (const std::uint8_t bits : nth) any |= bits;
  return any != 0;
}

bool Days::of_month() const {
  return days != 0 || days_before_last != 0 || last_nearest != 0 || nearest != 0 || has_dates;
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
  only_ = limit_ = repeated_at_ = false;
  latest_ = Group::none;
  part_ = -1;
  bool first = true;
  bool carried = false;
  while (!peek().is(Kind::end) && !peek().is(Kind::semicolon)) {
    if (!carried) connected_ = strong_ = false;
    const Token& separator = peek();
    while (is_separator(0)) {
      if (take().is(Word::conjunction)) strong_ = true;
      connected_ = true;
    }
    if (connected_ && (first || peek().is(Kind::end) || peek().is(Kind::semicolon))) {
      return refuse(separator, "nothing to join here: expected a time or a day on both sides");
    }
    if (peek().is(Word::noise) && peek().entry->text == "only") {
      take();
      only_ = true;
      first = carried = false;
      continue;
    }
    const Token& at = peek();
    carried = at.is(Word::the) || at.is(Word::noise);  // they leave a connection as it was
    const bool week = plan_.days.of_week();
    const bool month = plan_.days.of_month();
    if (!parse_clause() || !settle_days(at, week, month)) return false;
    only_ = only_ && carried;
    first = false;
  }
  return finish_plan();
}

// "on the 13th, only on friday" asks for both at once, "the 13th and fridays" for either; without a word
// between them nobody can tell.
bool Grammar::settle_days(const Token& at, bool had_week, bool had_month) {
  const bool mixed = had_week != had_month && plan_.days.of_week() && plan_.days.of_month();
  if (!mixed || plan_.both || (connected_ && !only_ && !(limit_ && !strong_))) return true;
  if (only_ || (limit_ && plan_.days.weekdays != 0)) return plan_.both = true;
  const bool date = at.is(Kind::ordinal) || at.is(Word::ordinal);
  return refuse(
      span_from(at),
      "it is not clear whether both of these days must meet: join them with \"and\" for either, with "
      "\"only\" for both",
      date && had_week ? "the " + text_of(at)
                       : "and " + std::string(phrase_.substr(at.offset, span_from(at).length)));
}

bool Grammar::finish_plan() {
  if (plan_.never) {
    out_.add(plan_);
    return true;
  }
  if (part_ == static_cast<int>(DayPart::night) && (plan_.days.any() || plan_.months != 0)) {
    const bool early =
        std::any_of(plan_.moments.begin(), plan_.moments.end(), [](int m) { return m < 6 * 3600; });
    if (early || !plan_.has_time())
      return refuse(tokens_.list[0], "a night goes on after midnight: name the day and the time", "at 23:00");
  }
  if (part_ >= 0 && plan_.fine && plan_.windows.empty())
    return refuse(plan_.fine->span,
                  "an interval in a part of the day needs clock times, as in \"from 6:00 to 12:00\"");
  if (part_ >= 0 && !plan_.has_time()) {
    constexpr std::array<int, 4> kHours{10, 15, 20, 0};
    constexpr std::array<std::string_view, 4> kNames{"morning", "afternoon", "evening", "night"};
    const auto part = static_cast<std::size_t>(part_);
    plan_.moments.push_back(kHours[part] * 3600);
    warn("\"" + std::string(kNames[part]) + "\" is read as " +
         (kHours[part] == 0 ? "00" : std::to_string(kHours[part])) + ":00");
  }
  const bool all_days = !plan_.days.any() && !plan_.except.any() && plan_.months == 0 &&
                        plan_.except_months == 0 && (!plan_.coarse || plan_.coarse->unit == Unit::days);
  if (midnight_ && !all_days) warn("midnight is read as the start of the day, 00:00");
  midnight_ = false;
  if (ends_day_ != nullptr && !all_days)
    return refuse(*ends_day_, "24:00 is the midnight that ends a day: say 00:00 of the day after", "00:00");
  ends_day_ = nullptr;
  if (plan_.business && !plan_.days.any()) plan_.days.weekdays = 0b0111110;
  if (plan_.every_month && !plan_.days.any() && !plan_.coarse && !plan_.moments.empty()) {
    return refuse(tokens_.list[0], "a month of the year with a time of day: once, or every day of the month?",
                  "every day in");
  }
  for (const Window& window : plan_.windows) {
    if (plan_.windows.size() > 1 && (window.open || (window.side && (window.from == 0 || window.to == 1439))))
      return refuse(window.span, "one of several windows needs its beginning and its end", "");
  }
  const bool empty =
      !plan_.has_time() && !plan_.coarse && !plan_.days.any() && plan_.months == 0 && plan_.windows.empty();
  if (empty) return expected("a schedule, such as \"every day at 9am\"", "every day at 9am");
  if ((need_time_ && !saw_time_) || (need_day_ && !saw_day_ && !saw_weak_day_)) {
    return refuse(
        peek(), "it is not clear which times belong to which days: separate whole schedules with \";\"", ";");
  }
  std::size_t kept = 0;  // "12pm (noon)" is one time
  for (const int moment : plan_.moments) {
    const auto end = plan_.moments.begin() + kept;
    if (std::find(plan_.moments.begin(), end, moment) == end) plan_.moments[kept++] = moment;
  }
  plan_.moments.resize(kept);
  constexpr std::uint16_t kAllMonths = 0x1FFE;  // "from april to march" leaves none out
  if (plan_.coarse && plan_.coarse->unit != Unit::months && plan_.months == kAllMonths) plan_.months = 0;
  if (plan_.count > 0 && !check_count()) return false;
  out_.add(plan_);
  return true;
}

bool Grammar::enter(Group group, const Token& at) {
  const bool time = group == Group::time;
  bool split = false;
  const bool excepted = plan_.except.any() || plan_.except_months != 0 || !plan_.except_windows.empty();
  if (time && !plan_.moments.empty() && excepted)
    return refuse(at, "a second time after an exception: separate whole schedules with \";\"", ";");
  if (time) {
    const bool days_between = saw_time_ && latest_ != Group::time;
    split = days_between && connected_;
    if (days_between && !connected_) {
      return refuse(at, "a second time after the days: separate whole schedules with \";\"", ";");
    }
  } else if (saw_time_ && latest_ == Group::time && connected_) {
    split = saw_day_ || (saw_weak_day_ && strong_);
  } else if (group == Group::weak_day && saw_time_ && saw_day_ && connected_ &&
             (strong_ || (plan_.fine && at.is(Word::adverb)))) {
    split = true;  // "hourly on weekends and daily …"
  }
  if (group == Group::day && saw_day_ && latest_ == Group::time && !connected_) {
    return refuse(at, "days again after the time: separate whole schedules with \";\"", ";");
  }
  if (group == Group::day && repeated_at_ && saw_weak_day_ && latest_ == Group::time && !connected_) {
    return refuse(at, "it is not clear which times belong to which days: separate whole schedules with \";\"",
                  ";");
  }
  if (!time && nth_months_ && connected_) {
    return refuse(
        at, "it is not clear which months belong to which days: separate whole schedules with \";\"", ";");
  }
  if (split) {
    const bool both = saw_time_ && (saw_day_ || saw_weak_day_);
    if (!finish_plan()) return false;
    plan_ = {};
    saw_time_ = saw_day_ = saw_weak_day_ = nth_months_ = repeated_at_ = false;
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
    case Kind::minute:
      return parse_colon_minutes();
    case Kind::decimal:
      return parse_decimal(at);
    case Kind::date:
      return refuse(at, "one date does not repeat: a date may follow \"starting\"",
                    "starting " + text_of(at));
    case Kind::number: {
      if (parse_short_interval()) return true;
      if (!error_.message.empty()) return false;
      if (parse_minutes_past()) return true;
      if (!error_.message.empty()) return false;
      if (peek(1).is(Word::times)) return parse_count();
      if (peek(1).is(Word::month_name) || lists_days_of_month() || ranges_before_month())
        return parse_ordinals(plan_.days, plan_.months, true);
      if (starts_time()) return parse_times();
      if (is_unit(1, UnitWord::day)) return parse_before_end(plan_.days);
      return refuse(at, "a number alone has no meaning here: expected a time or a day",
                    at.value < 24 ? text_of(at) + ":00" : "");
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
      if (at.is(Word::of) && is_whole()) return skip_whole();
      accept(Word::the);
      if (is_unit(0, UnitWord::month) && peek(1).is(Word::of) && peek(2).is(Word::month_name)) take(), take();
      if (peek().is(Kind::end)) return expected("a month or a time zone", "january");
      if (peek().is(Kind::number) && peek().digits == 4) {
        return refuse(peek(), "cron has no years: a schedule repeats every year");
      }
      if (is_number(peek()) && peek(1).is(Word::unit) && !names_interval(0)) {
        return refuse(span_from(at), "points at one moment, a schedule repeats", "every");
      }
      if (!at.is(Word::during) && starts_time() && !lists_days_of_month())
        return refuse(at, "\"" + text_of(at) + "\" does not go with a time of day", "at");
      if (peek().is(Word::at) || peek().is(Word::on) || peek().is(Word::in) || peek().is(Word::never)) {
        return expected("a month, a time zone or a part of the day", "january");
      }
      limit_ = limit_ || (!at.is(Word::of) && (ordinal_at(0) > 0 || peek().is(Word::last)));
      return parse_clause();
    case Word::past:
      if (!plan_.fine || plan_.fine->unit == Unit::hours) break;
      if (!peek(1).is(Word::every) && !is_unit(1, UnitWord::hour))
        return refuse(at, "may mean an interval or one minute of the hour", "of every hour");
      return parse_past_hours() &&
             (&peek() != &at || refuse(at, "\"" + text_of(at) + "\" needs hours after it", "past hour 9"));
    case Word::from:
      if (peek(1).is(Kind::date)) return parse_starting();
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
      if (at.is(Word::other) && at.entry->text.starts_with("alternat")) return take(), parse_every_other(at);
      if (at.is(Word::but) && peek(1).is(Word::noise) && peek(1).entry->text == "only") {
        take(), take();  // "the 1st but only on mondays": both
        only_ = true;
        return parse_clause();
      }
      // "but not", "other than"
      if (at.is(Word::but) && peek(1).is(Word::no)) take();
      if (at.is(Word::other) && peek(1).is(Word::noise) && peek(1).entry->text == "than") {
        take();  // "other than"
        return parse_except();
      }
      if (at.is(Word::other))
        return refuse(at, "\"" + text_of(at) + "\" needs \"every\" before it", "every other");
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
    case Word::end:
    case Word::penultimate:
      return parse_last(plan_.days, plan_.months);
    case Word::period_end:
      return parse_period_end(plan_.days, plan_.months);
    case Word::ordinal:
      return parse_ordinals(plan_.days, plan_.months, false);
    case Word::unit:
      if (is_unit(0, UnitWord::second) && pos_ == 0 && peek(1).is(Kind::end))
        return refuse(at, "a unit of time, or the 2nd of the month?", "every second");
      if (is_unit(0, UnitWord::hour) && starts_relative(0)) return parse_times();
      if (is_unit(0, UnitWord::hour) && !is_number(peek(1)))
        return refuse(at, "\"" + text_of(at) + "\" needs \"every\" before it", "every hour");
      return parse_on_the();
    case Word::number:
      if (ordinal_at(0) > 0) return parse_ordinals(plan_.days, plan_.months, false);  // "twenty-first"
      if (peek(1).is(Word::times)) return parse_count();
      if (parse_short_interval()) return true;
      if (!error_.message.empty()) return false;
      if (parse_minutes_past()) return true;
      if (!error_.message.empty()) return false;
      if (starts_time()) return parse_times();
      if (is_unit(1, UnitWord::day)) return parse_before_end(plan_.days);
      break;
    case Word::half: {
      const std::size_t adverb = peek(1).is(Kind::dash) ? 2 : 1;
      if (peek(adverb).is(Word::adverb) && peek(adverb).value == static_cast<int>(UnitWord::hour)) {
        for (std::size_t i = 0; i <= adverb; ++i) take();
        return enter(Group::time, at) && set_step(30, UnitWord::minute, span_from(at), false);
      }
      if (parse_minutes_past()) return true;
      if (!error_.message.empty()) return false;
      return parse_times();
    }
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

}  // namespace english_cron
