// Times of day.
#include "grammar_time.h"

#include "grammar.h"

#include <algorithm>
#include <array>
#include <utility>

namespace english_cron {

bool Grammar::starts_relative(std::size_t ahead) const {
  const Token& at = peek(ahead);
  const bool fraction =
      at.is(Word::half) || is_unit(ahead, UnitWord::quarter) || is_unit(ahead, UnitWord::hour);
  if (!fraction && !is_number(at)) return false;
  std::size_t next = ahead + 1;
  if (at.is(Word::half) && peek(next).is(Word::the) && is_unit(next + 1, UnitWord::hour)) next += 2;
  const bool minutes = is_unit(next, UnitWord::minute) || (is_number(at) && is_unit(next, UnitWord::hour));
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
  if (at.digits == 4 && (is_unit(ahead + 1, UnitWord::hour) || phrase_[at.offset] == '0')) return true;
  if (is_unit(ahead + 1, UnitWord::hour) && next.glued) return at.digits == 2;
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
  const bool half_day = number.is(Kind::clock) && hour < 12 && part > static_cast<int>(DayPart::morning);
  if (half_day && (part != static_cast<int>(DayPart::night) || hour >= 6))
    second += kNoon;  // "5:30 in the evening"
  if (number.is(Kind::clock) && hour == 12 && part == static_cast<int>(DayPart::night)) second -= kNoon;
  part_ = part;
  const bool fits = fits_part(second, number);
  part_ = before;
  return fits;
}

void Grammar::settle_bare(int second, const Token& number) {
  warn("\"" + text_of(number) + "\" is read on the 24-hour clock, as " + clock_text(second) +
       ": write am or pm to be sure");
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
  } else if (is_unit(0, UnitWord::hour)) {
    take();  // "an hour after midnight"
    minutes = 60;
  } else if (!read_number(minutes)) {
    return false;
  }
  if (at.is(Word::half) && peek().is(Word::the)) take(), take();  // "half an hour"
  const bool hours = is_unit(0, UnitWord::hour);
  if (minutes > (hours ? 23 : 60)) return refuse(at, hours ? "hours go to 23" : "minutes go to 59", "30");
  if (hours) minutes *= 60;
  if (hours || is_unit(0, UnitWord::minute)) take();
  const bool past = is_past(take());
  const Token& hour = peek();
  if (!parse_time_of_day(second, bare)) return false;
  if (second % 3600 != 0 && !hours)
    return refuse(hour, "minutes are counted from a full hour: write the time as HH:MM", "09:45");
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
    const bool hours = is_unit(0, UnitWord::hour) && !peek().is(Word::every) && peek().entry->text != "hour";
    if (hours && !peek(1).is(Word::past) && !peek(1).is(Word::after)) take();  // "18:00 hrs"
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
  if (at.digits == 4 && phrase_[at.offset] == '0' && hour % 100 < 60) {
    second = (hour / 100 * 60 + hour % 100) * 60;  // "0930": no year begins with 0
    return apply_meridiem(second, bare, at);
  }
  if (at.digits == 4) {
    const std::string digits = text_of(at);
    if (plan_.days.has_dates) return refuse(at, "cron has no years: a schedule repeats every year");
    return refuse(at, "four digits may be a time or a year: write a time as HH:MM",
                  digits.substr(0, 2) + ":" + digits.substr(2));
  }
  if (hour > 24) return refuse(at, "hours go to 23", "23:00");
  if (at.is(Kind::number) && at.digits <= 2 && is_unit(0, UnitWord::hour) && peek().glued) {
    take();
    second = hour % 24 * 3600;
    return true;
  }
  second = hour % 24 * 3600;
  bare = hour >= 1 && hour <= 12;
  const bool hyphen = at.is(Word::number) && peek().is(Kind::dash) && peek().glued && peek(1).glued &&
                      peek(1).is(Word::number) && peek(1).value >= 10 && peek(1).value < 60;
  if (hyphen) take();  // "six-thirty"
  if (peek().is(Word::number) && peek().value >= 10 && peek().value < 60) {
    // "nine thirty", "five forty-five"
    const Token& spoken = peek();
    int minute = 0;
    if (!read_number(minute)) return false;
    if (minute > 59 || peek().is(Word::unit)) return refuse(spoken, "minutes go to 59", "thirty");
    second += minute * 60;
  }
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

bool Grammar::said_half() const {
  const Token& last = tokens_.list[pos_ > 0 ? pos_ - 1 : 0];
  return last.is(Word::meridiem) || last.is(Word::day_part) || part_ >= 0;
}

// "monthly 15", "friday 13": nothing but the number stands behind the days.
bool Grammar::may_be_date(const Token& first) const {
  const Token& next = peek(1);
  if (!first.is(Kind::number) || first.digits > 2 || first.value < 1 || first.value > 31 || plan_.fine ||
      pos_ == 0 || tokens_.list[pos_ - 1].is(Word::at) || next.is(Word::meridiem) || next.is(Word::oclock) ||
      next.is(Word::unit) || next.is(Word::clock_name) || next.is(Word::number) || is_range(1) ||
      starts_relative(0) || part_ >= 0) {
    return false;
  }
  const bool month = plan_.coarse && plan_.coarse->unit == Unit::months && !plan_.days.any();
  return month || (first.value > 12 && tokens_.list[pos_ - 1].is(Word::weekday_name));
}

bool Grammar::parse_times() {
  struct Item {
    int second = 0;
    bool bare = false;
    const Token* at = nullptr;
    bool said_half = false;  // am, pm or a part of the day
  };
  const Token& first = peek();
  const bool number_before = pos_ > 0 && is_number(tokens_.list[pos_ - 1]);
  if (number_before && !plan_.moments.empty() && is_number(first) && !peek(1).is(Word::meridiem) &&
      !starts_relative(0)) {
    return refuse(first, "two numbers in a row: join two times with \"and\", write one as HH:MM", "and");
  }
  if (may_be_date(first)) {
    return refuse(first, "a time of day, or a day of the month?",
                  first.value < 24 ? "at " + clock_text(first.value * 3600) : "the " + text_of(first) + "th");
  }
  if (is_window_of_interval()) {
    latest_ = Group::time;
  } else if (!enter(Group::time, first)) {
    return false;
  }
  ShortList<Item, 144> items;
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
      if (bare_from && !bare_to && said_half()) {
        const int same_half = from % kNoon + (to >= kNoon ? kNoon : 0);
        if (same_half < to) from = same_half, bare_from = false;
      }
      if ((bare_to || bare_from) && to <= from && !is_24_hour(at))
        return refuse(bare_to ? end : at, "am or pm?",
                      text_of(bare_to ? end : at) + (bare_to ? " pm" : " am"));
      if (bare_from && !is_24_hour(end)) settle_bare(from, at);
      if (bare_to && !is_24_hour(at)) settle_bare(to, end);
      if (!add_window(from, to, at)) return false;
    } else {
      item.said_half = said_half();
      items.push_back(item);
    }
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    if (next == 0) break;
    const bool at_again = peek(next).is(Word::at);
    if (at_again) ++next;
    if (!starts_time(next)) break;
    repeated_at_ = repeated_at_ || at_again;
    for (std::size_t i = 0; i < next; ++i) take();
  }
  if (!items.empty() && plan_.fine && plan_.fine->unit == Unit::hours && plan_.fine->n == 24) {
    plan_.fine.reset();  // "every 24 hours at 3am" is every day
    if (!plan_.coarse) plan_.coarse = Step{1, Unit::days, true, false, {}};
  }
  const bool hours = plan_.fine && plan_.fine->unit == Unit::hours && 24 % plan_.fine->n == 0;
  if (hours && plan_.fine->n > 1 && items.size() == 24U / static_cast<unsigned>(plan_.fine->n)) {
    // "every 12 hours at 7am and 7pm": the times say the interval
    const int step = plan_.fine->n * 3600;
    std::array<bool, 12> seen{};
    bool even = true;
    for (const Item& item : items) {
      even = even && !item.bare && item.second % step == items.front().second % step &&
             !std::exchange(seen[static_cast<std::size_t>(item.second / step)], true);
    }
    if (even) plan_.fine.reset();
  }
  if (!items.empty() && plan_.fine) {
    const bool offset = plan_.fine->unit == Unit::hours && plan_.fine->n > 1;
    if (offset)
      return refuse(first, "an interval and times of day: say from when it is counted, or leave it out",
                    "starting at " + clock_text(items.front().second));
    return refuse(first, "an interval and times of day: separate whole schedules with \";\"", ";");
  }
  // "9 and 11 am": the last one decides, as long as the times stay in order.
  const bool decided = !items.empty() && !items.back().bare && items.back().said_half;
  for (std::size_t i = items.size(); decided && i-- > 1;) {
    Item& item = items[i - 1];
    if (!item.bare) break;
    const int same_half = item.second % kNoon + (items[i].second >= kNoon ? kNoon : 0);
    if (same_half < items[i].second) item.second = same_half, item.bare = false;
  }
  // "6, 12 and 18": one of them tells that it is the 24-hour clock
  const bool by_24 = std::any_of(items.begin(), items.end(), [](const Item& item) {
    return item.at->value > 12 && is_number(*item.at) && item.second == item.at->value * 3600;
  });
  for (const Item& item : items) {
    midnight_ = midnight_ || (item.at->is(Word::clock_name) && item.second == 0);
    if (phrase_.substr(item.at->offset, 2) == "24" && item.second == 0) ends_day_ = item.at;
    if (item.bare && !by_24) settle_bare(item.second, *item.at);
    plan_.moments.push_back(item.second);
  }
  return true;
}

// "at 5 minutes", "at 19 hours"
bool Grammar::refuse_interval_at() {
  const Token& number = take();
  const bool hour = is_unit(0, UnitWord::hour) && number.value < 24;
  take();
  const Span said = span_from(number);
  const std::string text(phrase_.substr(said.offset, said.length));
  return refuse(said, "an interval takes \"every\"",
                hour ? clock_text(number.value * 3600) : "every " + text);
}

bool Grammar::parse_at() {
  const Token& at = take();
  while (peek().is(Word::noise)) take();
  if (peek().is(Word::the)) {
    if (peek(1).is(Word::unit) || peek(1).is(Word::half)) return parse_on_the();
    take();
  }
  while (peek().is(Word::noise)) take();
  if (peek().is(Kind::minute)) return parse_colon_minutes();
  if (parse_minutes_past()) return true;
  if (!error_.message.empty()) return false;
  if (is_number(peek()) && peek(1).is(Word::to) && peek(1).entry->text == "to" && !plan_.fine) {
    // "at ten to six": after "at", no window begins
    const int minutes = peek().value;
    const bool usual = minutes == 5 || minutes == 10 || minutes == 20 || minutes == 25;
    if (usual && starts_time(2)) {
      if (!enter(Group::time, peek())) return false;
      const Token& first = peek();
      take(), take();
      int second = 0;
      bool bare = false;
      if (!parse_time_of_day(second, bare)) return false;
      second = (second - minutes * 60 + kDay) % kDay;
      if (bare) settle_bare(second, first);
      plan_.moments.push_back(second);
      return true;
    }
  }
  if (lists_minutes()) return parse_minutes_of_interval();
  const bool french = peek().is(Kind::number) && peek().digits == 1 && is_unit(1, UnitWord::hour) &&
                      peek(1).glued && !names_interval(0);  // "at 9h"
  if (starts_time() || french) return parse_times();
  if (peek().is(Word::unit)) return parse_on_the();
  if (peek().is(Word::starting) && !peek(1).is(Word::of)) return expected("a time of day", "9am");
  if (peek().is(Word::day_part) || peek().is(Word::every) || peek().is(Word::end) ||
      peek().is(Word::period_end) || peek().is(Word::starting) || peek().is(Word::weekdays)) {
    return parse_clause();
  }
  if (names_interval(0)) return parse_short_interval() || expected("an interval", "every 5 minutes");
  if (is_number(peek()) && peek(1).is(Word::unit)) return refuse_interval_at();
  return expected("a time of day after \"" + text_of(at) + "\"", "9am");
}

}  // namespace english_cron
