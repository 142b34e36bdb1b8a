// Days and months, and the cursor.
#include "grammar.h"

#include <array>
#include <bit>

namespace english_cron {
namespace {

constexpr std::uint8_t kWorkdays = 0b0111110;
constexpr std::array<int, 13> kLongest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

std::uint16_t quarter_months(int quarter) { return static_cast<std::uint16_t>(0b111U << (quarter * 3 - 2)); }

}  // namespace

bool Grammar::accept(Word word) {
  if (!peek().is(word)) return false;
  take();
  return true;
}

bool Grammar::accept(Kind kind) {
  if (!peek().is(kind)) return false;
  take();
  return true;
}

bool Grammar::is_unit(std::size_t ahead, UnitWord unit) const {
  return peek(ahead).is(Word::unit) && peek(ahead).value == static_cast<int>(unit);
}
bool Grammar::is_separator(std::size_t ahead) const {
  return peek(ahead).is(Kind::comma) || peek(ahead).is(Word::conjunction);
}
bool Grammar::is_range(std::size_t ahead) const {
  return peek(ahead).is(Kind::dash) || peek(ahead).is(Word::to) || peek(ahead).is(Word::until);
}
std::size_t Grammar::skip_the(std::size_t ahead) const {
  while (peek(ahead).is(Word::the) || peek(ahead).is(Word::every)) ++ahead;
  return ahead;
}

bool Grammar::read_number(int& value) {
  const Token& at = take();
  if (at.is(Kind::number)) {
    value = at.value;
    return true;
  }
  value = at.is(Word::hundred) ? 1 : at.value;
  if (!at.is(Word::hundred) && value >= 20) {
    const std::size_t next = peek().is(Kind::dash) ? 1 : 0;
    const Token& ones = peek(next);
    if (ones.is(Word::number) && ones.value >= 1 && ones.value <= 9) {
      for (std::size_t i = 0; i <= next; ++i) take();
      value += ones.value;
    }
  }
  if (at.is(Word::hundred) || accept(Word::hundred)) {
    value *= 100;
    const std::size_t next = peek().is(Word::conjunction) ? 1 : 0;
    const bool more = peek(next).is(Word::number) && peek(next + 1).is(Word::unit);
    if (more) {
      if (next == 1) take();
      value += take().value;
    }
  }
  return true;
}

std::size_t Grammar::ordinal_length(std::size_t ahead) const {
  if (!peek(ahead).is(Word::number)) return 1;
  return peek(ahead + 1).is(Kind::dash) ? 3 : 2;
}

int Grammar::ordinal_at(std::size_t ahead) const {
  const Token& at = peek(ahead);
  if (at.is(Kind::ordinal) || at.is(Word::ordinal)) return at.value;
  if (is_unit(ahead, UnitWord::second) && at.entry->text == "second") return 2;
  if (at.is(Word::number) && at.value >= 20) {
    const std::size_t next = ahead + (peek(ahead + 1).is(Kind::dash) ? 2 : 1);
    if (peek(next).is(Word::ordinal) && peek(next).value < 10) return at.value + peek(next).value;
    if (is_unit(next, UnitWord::second) && peek(next).entry->text == "second") return at.value + 2;
  }
  return 0;
}

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
      return true;
    case Word::day_kind:
      return is_unit(1, UnitWord::day);
    case Word::even:
    case Word::odd:
      return false;
    default:
      break;
  }
  return ordinal_at(0) > 0 || (at.is(Kind::number) && peek(1).is(Word::month_name));
}

bool Grammar::parse_days(Days& days, std::uint16_t& months) {
  const Token& at = peek();
  const bool main = &days == &plan_.days;
  if (at.entry != nullptr && at.entry->misspelt && !main)
    warn("\"" + text_of(at) + "\" is read as \"" + std::string(at.entry->fixed) + "\"");
  if (at.is(Word::weekday_name) || at.is(Word::weekdays))
    return (!main || enter(Group::day, at)) && parse_weekdays(days);
  if (at.is(Word::month_name) || at.is(Word::quarter_name)) return parse_month_clause(days, months);
  if (at.is(Word::last)) return parse_last(days, months);
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

bool Grammar::parse_months(std::uint16_t& months) {
  for (;;) {
    const Token& at = take();
    const bool quarter = at.is(Word::quarter_name);
    if (is_range(0) && peek(1).word == at.word) {
      take();
      const Token& last = take();
      const int span = quarter ? 4 : 12;
      for (int v = at.value;; v = v % span + 1) {
        months |= quarter ? quarter_months(v) : static_cast<std::uint16_t>(1U << v);
        if (v == last.value) break;
      }
    } else {
      months |= quarter ? quarter_months(at.value) : static_cast<std::uint16_t>(1U << at.value);
    }
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    if (next > 0 && peek(next).is(Word::in)) ++next;
    const bool month = peek(next).is(Word::month_name) || peek(next).is(Word::quarter_name);
    if (!month || is_day_number(next + 1, true)) return true;
    for (std::size_t i = 0; i < next; ++i) take();
  }
}

bool Grammar::parse_month_clause(Days& days, std::uint16_t& months) {
  const Token& at = peek();
  const std::size_t number = skip_the(1);
  if (!at.is(Word::month_name) || !is_day_number(number, true)) return parse_months(months);
  const bool main = &days == &plan_.days;
  if (main && !enter(Group::day, at)) return false;
  take();
  days.has_dates = true;
  for (;;) {
    accept(Word::the);
    const Token& first = peek();
    int from = 0;
    if (!read_day_number(from, true)) return false;
    int month = at.value;
    int to = from;
    int last_month = month;
    if (from > kLongest[static_cast<std::size_t>(month)])
      return refuse(first, std::string(month_name(month)) + " has no day " + std::to_string(from));
    if (is_range(0)) {
      const bool other = peek(1).is(Word::month_name);
      const std::size_t end = skip_the(other ? 2 : 1);
      if (is_day_number(end, true)) {
        if (other) last_month = peek(1).value;
        for (std::size_t i = 0; i < end; ++i) take();
        const Token& last = peek();
        if (!read_day_number(to, true)) return false;
        if (to > kLongest[static_cast<std::size_t>(last_month)])
          return refuse(last, std::string(month_name(last_month)) + " has no day " + std::to_string(to));
        if (last_month == month && to < from) return refuse(span_from(first), "the range runs backwards");
      }
    }
    for (int day = from;; ++day) {
      if (day > kLongest[static_cast<std::size_t>(month)]) day = 1, month = month % 12 + 1;
      days.dates[static_cast<std::size_t>(month)] |= 1U << day;
      if (day == to && month == last_month) break;
    }
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    next = skip_the(next);
    if (!is_separator(0) || !is_day_number(next, true) || peek(next + 1).is(Word::month_name)) return true;
    for (std::size_t i = 0; i < next; ++i) take();
  }
}

void Grammar::skip_month_phrase() {
  if (!peek().is(Word::of) && !peek().is(Word::in)) return;
  const std::size_t month = skip_the(1);
  if (!is_unit(month, UnitWord::month)) return;
  for (std::size_t i = 0; i <= month; ++i) take();
}

// What follows the days: "of the month", "of january and july", "of every 3rd month", "of the quarter".
bool Grammar::parse_of_month(Days& days, std::uint16_t& months, std::uint32_t numbers) {
  const bool link = peek().is(Word::of) || peek().is(Word::in);
  const std::size_t noun = skip_the(link ? 1 : 0);
  const Token& word = peek(noun);
  if (word.is(Word::month_name) && (link || numbers != 0)) {
    for (std::size_t i = 0; i < noun; ++i) take();
    std::uint16_t named = 0;
    const Token& at = peek();
    if (!parse_months(named)) return false;
    if (numbers == 0) {
      if (nth_months_ || months != 0)
        return refuse(
            at, "it is not clear which months belong to which days: separate whole schedules with \";\"",
            ";");
      nth_months_ = true;
      months |= named;
      return true;
    }
    days.has_dates = true;
    bool any = false;
    for (std::size_t m = 1; m <= 12; ++m) {
      if ((named >> m & 1U) == 0) continue;
      const std::uint32_t real = numbers & static_cast<std::uint32_t>((std::uint64_t{2} << kLongest[m]) - 2);
      any = any || real != 0;
      days.dates[m] |= real;
    }
    return any || refuse(at, "no such day in this month");
  }
  days.days |= numbers;
  if (!link) return true;
  if (word.is(Word::quarter_name)) {
    for (std::size_t i = 0; i < noun; ++i) take();
    nth_months_ = true;
    return parse_months(months);
  }
  const bool step = (word.is(Kind::number) || word.is(Word::number) || ordinal_at(noun) > 0) &&
                    is_unit(noun + 1, UnitWord::month);
  if (step || (word.is(Word::other) && is_unit(noun + 1, UnitWord::month))) {
    const Token& at = peek();
    const int n = word.is(Word::other) ? 2 : word.value;
    for (std::size_t i = 0; i <= noun + 1; ++i) take();
    return set_step(is_unit(0, UnitWord::month) ? 1 : n, UnitWord::month, span_from(at), false);
  }
  if (!word.is(Word::unit)) return true;
  const Token& at = word;
  const auto unit = static_cast<UnitWord>(word.value);
  if (unit == UnitWord::month) {
    for (std::size_t i = 0; i <= noun; ++i) take();
    return true;
  }
  const bool last = days.days_before_last != 0 || days.last_nearest != 0 || days.last_weekdays != 0;
  if (unit == UnitWord::year || unit == UnitWord::quarter) {
    if (numbers != 0 && numbers != 2)
      return refuse(at, "only the first and the last day of a " + text_of(at) + " are a date", "month");
    for (std::size_t i = 0; i <= noun; ++i) take();
    constexpr std::uint16_t kFirstMonths = 1U << 1 | 1U << 4 | 1U << 7 | 1U << 10;
    constexpr std::uint16_t kLastMonths = 1U << 3 | 1U << 6 | 1U << 9 | 1U << 12;
    nth_months_ = true;
    if (unit == UnitWord::year) months |= static_cast<std::uint16_t>(last ? 1U << 12 : 1U << 1);
    if (unit == UnitWord::quarter) months |= last ? kLastMonths : kFirstMonths;
    return true;
  }
  return refuse(at, "expected \"month\", \"quarter\" or \"year\"", "month");
}

bool Grammar::parse_ordinals(Days& days, std::uint16_t& months, bool numbers) {
  const Token& at = peek();
  const bool main = &days == &plan_.days;
  if (main && !enter(Group::day, at)) return false;
  std::uint32_t named = 0;
  bool last_too = false;
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

bool Grammar::parse_last(Days& days, std::uint16_t& months) {
  const Token& at = take();
  if (&days == &plan_.days && !enter(Group::day, at)) return false;
  if (peek().is(Kind::number) || peek().is(Word::number)) {
    const Token& number = peek();
    int n = 0;
    if (!read_number(n)) return false;
    if (!is_unit(0, UnitWord::day)) return expected("\"days\"", "days");
    if (n < 1 || n > 31) return refuse(number, "a month has at most 31 days", "31");
    take();
    days.days_before_last |= static_cast<std::uint32_t>((std::uint64_t{1} << n) - 1);
  } else if (is_unit(0, UnitWord::day)) {
    take();
    days.days_before_last |= 1;
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
  } else {
    return expected("\"day\", \"weekday\" or a day of the week after \"last\"", "day");
  }
  return parse_of_month(days, months, 0);
}

bool Grammar::parse_before_end(Days& days) {
  const Token& at = peek();
  if (&days == &plan_.days && !enter(Group::day, at)) return false;
  int n = 0;
  if (!read_number(n)) return false;
  take();
  if (!accept(Word::before))
    return expected("\"before the end of the month\"", "before the end of the month");
  accept(Word::the);
  if (accept(Word::last)) {
    if (!is_unit(0, UnitWord::day)) return expected("\"day\"", "day");
    take();
  } else if (!accept(Word::end)) {
    return expected("\"the end of the month\"", "the end of the month");
  }
  if (n < 1 || n > 30) return refuse(at, "a month has at most 31 days", "30");
  days.days_before_last |= 1U << n;
  return parse_of_month(days, plan_.months, 0);
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
  } else if (date == 704 || date == 1226) {
    return expected("\"day\"", "day");
  }
  days.has_dates = true;
  days.dates[static_cast<std::size_t>(date / 100)] |= 1U << (date % 100);
  return true;
}

bool Grammar::refuse(Span at, std::string message, std::string suggestion) {
  if (error_.message.empty()) error_ = {at.offset, at.length, std::move(message), std::move(suggestion)};
  return false;
}

bool Grammar::refuse(const Token& at, std::string message, std::string suggestion) {
  return refuse(Span{at.offset, at.length}, std::move(message), std::move(suggestion));
}

bool Grammar::expected(std::string what, std::string suggestion) {
  return refuse(peek(), "expected " + what, std::move(suggestion));
}

void Grammar::warn(std::string text) {
  for (const std::string& known : out_.warnings) {
    if (known == text) return;
  }
  out_.warnings.push_back(std::move(text));
}

Span Grammar::span_from(const Token& first) const {
  const Token& last = tokens_.list[pos_ > 0 ? pos_ - 1 : 0];
  const std::size_t end = std::max<std::size_t>(last.offset + last.length, first.offset + first.length);
  return {first.offset, end - first.offset};
}

}  // namespace english_cron
