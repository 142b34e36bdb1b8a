// Days: of the week, of the month, the last ones, holidays.
#include "grammar.h"
#include "grammar_time.h"

#include <bit>

namespace english_cron {
namespace {

constexpr std::uint8_t kWorkdays = 0b0111110;

}  // namespace

bool Grammar::is_day_number(std::size_t ahead, bool numbers) const {
  if (ordinal_at(ahead) > 0) return true;
  const Token& at = peek(ahead);
  const Token& next = peek(ahead + 1);
  return numbers && at.is(Kind::number) && at.digits <= 2 && !next.is(Word::meridiem) &&
         !next.is(Word::oclock) && !(next.is(Word::unit) && !is_unit(ahead + 1, UnitWord::day));
}

bool Grammar::read_day_number(int& day, bool numbers) {
  const Token& at = peek();
  if (!is_day_number(0, numbers)) return expected("a day of the month", "1st");
  day = ordinal_at(0);
  if (day > 0) {
    const std::size_t length = ordinal_length(0);
    for (std::size_t i = 0; i < length; ++i) take();
  } else {
    day = take().value;
  }
  if (day < 1 || day > 31) return refuse(at, "a month has the days 1 to 31", "31st");
  return true;
}

// "1,15 of month", "1 of january": numbers that "of" makes days.
bool Grammar::lists_days_of_month() const {
  std::size_t at = 0;
  while (peek(at).is(Kind::number) && peek(at).digits <= 2) {
    ++at;
    if (peek(at).is(Word::of)) {
      const std::size_t month = skip_the(at + 1);
      return peek(month).is(Word::month_name) || is_unit(month, UnitWord::month);
    }
    while (is_separator(at) || is_range(at)) ++at;
  }
  return false;
}

// "1-7 march": nothing else than days stands before a month.
bool Grammar::ranges_before_month() const {
  return peek().is(Kind::number) && is_range(1) && peek(2).is(Kind::number) && peek(2).digits <= 2 &&
         peek(3).is(Word::month_name) && !is_day_number(4, true);
}

bool Grammar::starts_days() const {
  const Token& at = peek();
  switch (at.word) {
    case Word::weekday_name:
    case Word::weekdays:
    case Word::month_name:
    case Word::quarter_name:
    case Word::holiday:
    case Word::holiday_new:
    case Word::holiday_day:
    case Word::last:
    case Word::penultimate:
    case Word::period_end:
      return true;
    case Word::day_kind:
      return is_unit(1, UnitWord::day);
    case Word::even:
    case Word::odd:
      return false;
    default:
      break;
  }
  return ordinal_at(0) > 0 || (at.is(Kind::number) && peek(1).is(Word::month_name)) ||
         period_end_length(0) > 0;
}

bool Grammar::parse_days(Days& days, std::uint16_t& months) {
  const Token& at = peek();
  const bool main = &days == &plan_.days;
  if (at.entry != nullptr && at.entry->misspelt && !main)
    warn("\"" + text_of(at) + "\" is read as \"" + std::string(at.entry->fixed) + "\"");
  if (at.is(Word::weekday_name) || at.is(Word::weekdays))
    return (!main || enter(Group::day, at)) && parse_weekdays(days);
  if (at.is(Word::month_name) || at.is(Word::quarter_name)) return parse_month_clause(days, months);
  if (at.is(Word::last) || at.is(Word::penultimate) || (at.is(Word::end) && peek(1).is(Word::of)))
    return parse_last(days, months);
  if (period_end_length(0) > 0) return parse_period_end(days, months);
  if (at.is(Word::day_kind) && is_unit(1, UnitWord::day)) {
    take(), take();
    days.weekdays |= kWorkdays;
    return !main || enter(Group::day, at);
  }
  if (at.is(Word::holiday) || at.is(Word::holiday_new) || at.is(Word::holiday_day)) {
    return (!main || enter(Group::day, at)) && parse_holiday(days);
  }
  if (is_day_number(0, true)) return parse_ordinals(days, months, true);
  return expected("a day", "monday");
}

bool Grammar::parse_weekdays(Days& days) {
  const Token& first = peek();
  int names = 0;
  for (;;) {
    const Token& at = take();
    if (at.entry->misspelt && &at != &first)
      warn("\"" + text_of(at) + "\" is read as \"" + std::string(at.entry->fixed) + "\"");
    if (at.is(Word::weekdays)) {
      if (peek().is(Word::nearest)) {
        take();
        accept(Word::to);
        accept(Word::the);
        if (is_unit(0, UnitWord::day)) take();
        int day = 0;
        if (!read_day_number(day, true)) return false;
        days.nearest |= 1U << day;
        skip_month_phrase();
        return true;
      }
      days.weekdays |= static_cast<std::uint8_t>(at.value);
    } else if (is_range(0) && peek(skip_the(1)).is(Word::weekday_name)) {
      const std::size_t end = skip_the(1);
      for (std::size_t i = 0; i < end; ++i) take();
      const Token& last = take();
      for (int v = at.value;; v = (v + 1) % 7) {
        days.weekdays |= static_cast<std::uint8_t>(1U << v);
        if (v == last.value) break;
      }
      names += 2;
    } else {
      days.weekdays |= static_cast<std::uint8_t>(1U << at.value);
      ++names;
    }
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    const std::size_t word = next == 0 ? 0 : skip_the(peek(next).is(Word::on) ? next + 1 : next);
    const Token& day = peek(word);
    const bool more =
        day.is(Word::weekday_name) || (day.is(Word::weekdays) && !peek(word + 1).is(Word::nearest));
    if (!more) break;
    for (std::size_t i = 0; i < word; ++i) take();
  }
  // "friday the 13th": both at once.
  if (names == 1 && &days == &plan_.days && peek().is(Word::the) && ordinal_at(1) > 0) {
    const Token& noun = peek(1 + ordinal_length(1));
    if (!noun.is(Word::weekday_name) && !noun.is(Word::weekdays)) {
      take();
      plan_.both = true;
      return parse_ordinals(days, plan_.months, false);
    }
  }
  return true;
}

bool Grammar::parse_ordinals(Days& days, std::uint16_t& months, bool numbers) {
  const Token& at = peek();
  const bool main = &days == &plan_.days;
  if (main && !enter(Group::day, at)) return false;
  std::uint32_t named = 0;
  bool last_too = false;
  const std::size_t count = ordinal_at(0) == 1 ? ordinal_length(0) : 0;
  const Token& counted = peek(count + 1);
  if (count > 0 && is_number(peek(count)) && (counted.is(Word::weekdays) || counted.is(Word::day_kind)))
    return refuse(at, "cron knows only the first and the last weekday of a month: name the days", "");
  if (count > 0 && is_number(peek(count)) && is_unit(count + 1, UnitWord::day)) {
    // "the first 7 days of the month"
    for (std::size_t i = 0; i < count; ++i) take();
    int n = 0;
    if (!read_number(n)) return false;
    if (n < 1 || n > 31) return refuse(at, "a month has at most 31 days", "first 7 days");
    take();
    return parse_of_month(days, months, static_cast<std::uint32_t>((std::uint64_t{2} << n) - 2));
  }
  for (;;) {
    const Token& item = peek();
    int from = 0;
    if (!read_day_number(from, numbers)) return false;
    const bool from_end = (peek().is(Word::to) && peek(1).is(Word::last)) || peek().is(Word::last);
    if (from_end) {
      // "the second to last day"
      accept(Word::to);
      const Token& noun = peek(1);
      if (!is_unit(1, UnitWord::day)) return refuse(noun, "only days count from the end of the month", "day");
      take(), take();
      days.days_before_last |= 1U << (from - 1);
      return parse_of_month(days, months, 0);
    }
    int to = from;
    const std::size_t end = skip_the(1);
    if (is_range(0) && (peek(end).is(Word::end) || (end > 1 && peek(end).is(Word::last)))) {
      // "from the 25th to the end of the month", "the 25th to the last day"
      for (std::size_t i = 0; i <= end; ++i) take();
      for (int day = from; day <= 31; ++day) named |= 1U << day;
      break;
    }
    if (is_range(0) && is_day_number(end, numbers)) {
      for (std::size_t i = 0; i < end; ++i) take();
      if (!read_day_number(to, numbers)) return false;
      if (to < from) return refuse(span_from(item), "the range runs backwards");
    }
    for (int day = from; day <= to; ++day) named |= 1U << day;
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    if (next > 0 && peek(next).is(Word::on)) ++next;
    if (next > 0) next = skip_the(next);
    if (next > 0 && peek(next).is(Word::last) && !peek(next + 1).is(Word::weekdays)) {
      for (std::size_t i = 0; i <= next; ++i) take();
      last_too = true;
      break;
    }
    const bool own_month = is_day_number(next, numbers) && peek(next).is(Kind::number) &&
                           peek(next + 1).is(Word::month_name) && !at.is(Kind::number);
    if (next == 0 || !is_day_number(next, numbers) || own_month) break;
    for (std::size_t i = 0; i < next; ++i) take();
  }
  const Token& noun = peek();
  if (is_unit(0, UnitWord::week))
    return refuse(Span{at.offset, static_cast<std::size_t>(noun.offset + noun.length - at.offset)},
                  "the weeks of a month begin on other days each time: name the days",
                  named == 2 ? "first 7 days" : "8th to 14th");
  if (noun.is(Word::weekday_name)) {
    Days temporary;
    if (!parse_weekdays(temporary)) return false;
    if (temporary.weekdays == 0 || (named >> 6) != 0)
      return refuse(at, "a month has at most five of each weekday", "5th");
    for (std::size_t k = 1; k <= 5; ++k) {
      if ((named >> k & 1U) != 0) days.nth[k] |= temporary.weekdays;
    }
    if (last_too) days.last_weekdays |= temporary.weekdays;
    return parse_of_month(days, months, 0);
  }
  const bool workday = (noun.is(Word::weekdays) && noun.value == kWorkdays) ||
                       (noun.is(Word::day_kind) && is_unit(1, UnitWord::day));
  if (workday) {
    if (named != 2) return refuse(at, "cron knows only the first and the last weekday of a month", "first");
    if (noun.is(Word::day_kind)) take();
    take();
    days.nearest |= 1U << 1;
    if (last_too) days.last_nearest |= 1;
    return parse_of_month(days, months, 0);
  }
  if (noun.is(Word::weekdays)) return refuse(noun, "expected a day of the week", "saturday");
  if (is_unit(0, UnitWord::day)) take();
  if (last_too) days.days_before_last |= 1;
  if (last_too && peek().is(Word::of) && peek(1).is(Word::month_name)) {
    return refuse(peek(1), "separate whole schedules with \";\"", ";");
  }
  return parse_of_month(days, months, named);
}

// "last day of the month", "last 3 days", "last friday of march", "end of the month".
bool Grammar::parse_last(Days& days, std::uint16_t& months) {
  const Token& at = take();
  if (&days == &plan_.days && !enter(Group::day, at)) return false;
  if (at.is(Word::end)) {
    if (!peek().is(Word::of)) return expected("\"of the month\" after \"end\"", "of the month");
    days.days_before_last |= 1;
  } else if (peek().is(Kind::number) || peek().is(Word::number)) {
    const Token& number = peek();
    int n = 0;
    if (!read_number(n)) return false;
    if (!is_unit(0, UnitWord::day)) return expected("\"days\"", "days");
    if (n < 1 || n > 31) return refuse(number, "a month has at most 31 days", "31");
    take();
    days.days_before_last |= static_cast<std::uint32_t>((std::uint64_t{1} << n) - 1);
  } else if (at.is(Word::penultimate)) {
    if (!is_unit(0, UnitWord::day)) return expected("\"day\"", "day");
    take();
    days.days_before_last |= 1U << 1;
  } else if (peek().is(Word::but) && is_number(peek(1))) {
    const int before = read_but_one();
    if (!is_unit(0, UnitWord::day)) return expected("\"day\"", "day");
    take();
    days.days_before_last |= 1U << before;
  } else if (is_unit(0, UnitWord::day)) {
    take();
    days.days_before_last |= 1U << read_but_one();
  } else if (peek().is(Word::weekday_name)) {
    Days temporary;
    if (!parse_weekdays(temporary)) return false;
    days.last_weekdays |= temporary.weekdays;
  } else if (peek().is(Word::weekdays) && peek().value == kWorkdays) {
    take();
    days.last_nearest |= 1;
  } else if (peek().is(Word::day_kind) && is_unit(1, UnitWord::day)) {
    take(), take();
    days.last_nearest |= 1;
  } else if (is_unit(0, UnitWord::week)) {
    take();
    return refuse(span_from(at), "the weeks of a month begin on other days each time: name the days",
                  "last 7 days");
  } else {
    return expected("\"day\", \"weekday\" or a day of the week after \"last\"", "day");
  }
  return parse_of_month(days, months, 0);
}

bool Grammar::parse_holiday(Days& days) {
  const Token& at = take();
  int date = at.value;
  if (at.is(Word::holiday_new)) {
    if (!is_unit(0, UnitWord::year)) return expected("\"year\"", "year");
    take();
    date = 101;
  } else if (at.is(Word::holiday_day)) {
    const bool known = peek().is(Word::holiday) && (peek().value == 317 || peek().value == 214);
    if (!known) return expected("\"patrick's day\"", "patrick's day");
    date = take().value;
  }
  if (accept(Word::eve)) {
    date = date == 101 ? 1231 : date - 1;
  } else if (is_unit(0, UnitWord::day)) {
    take();
  } else if (date == 704 || date == 1226 || date == 229) {
    return expected("\"day\"", "day");
  }
  days.has_dates = true;
  days.dates[static_cast<std::size_t>(date / 100)] |= 1U << (date % 100);
  return true;
}

}  // namespace english_cron
