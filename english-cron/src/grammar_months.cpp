// Months, and days of named months.
#include "calendar.h"
#include "grammar.h"

#include <bit>

namespace english_cron {
namespace {

std::uint16_t quarter_months(int quarter) { return static_cast<std::uint16_t>(0b111U << (quarter * 3 - 2)); }

}  // namespace

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

bool Grammar::parse_month_clause(Days& days, std::uint16_t& months, bool ranged) {
  const Token& at = peek();
  const std::size_t number = skip_the(1);
  if (!at.is(Word::month_name) || !is_day_number(number, true)) {
    if (const std::size_t day = month_list_length(); day > 0) return parse_day_of_months(days, day);
    nth_months_ = nth_months_ || (&days == &plan_.days && plan_.days.weekdays != 0);  // "mondays in january"
    return parse_months(months);
  }
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
    if (from > longest_month(static_cast<unsigned>(month))) return no_such_day(first, month, from);
    if (is_range(0) || (ranged && peek().is(Word::conjunction))) {
      const bool other = peek(1).is(Word::month_name);
      const std::size_t end = skip_the(other ? 2 : 1);
      if (is_day_number(end, true)) {
        if (other) last_month = peek(1).value;
        for (std::size_t i = 0; i < end; ++i) take();
        const Token& last = peek();
        if (!read_day_number(to, true)) return false;
        if (to > longest_month(static_cast<unsigned>(last_month))) return no_such_day(last, last_month, to);
        if (last_month == month && to < from) return refuse(span_from(first), "the range runs backwards");
      }
    }
    add_dates(days, from, month, to, last_month);
    month = last_month;
    std::size_t next = 0;
    while (is_separator(next)) ++next;
    next = skip_the(next);
    if (!is_separator(0) || !is_day_number(next, true) || peek(next + 1).is(Word::month_name)) return true;
    for (std::size_t i = 0; i < next; ++i) take();
  }
}

// "january, april and july 1st", "jan/jul 15th": how many tokens the months take; 0: something else.
std::size_t Grammar::month_list_length() const {
  std::size_t at = 0;
  std::size_t months = 0;
  for (; peek(at).is(Word::month_name); ++months) {
    std::size_t next = at + 1;
    if (is_day_number(skip_the(next), true)) return months > 0 ? next : 0;
    while (is_separator(next)) ++next;
    if (next == at + 1) return 0;
    at = next;
  }
  return 0;
}

bool Grammar::parse_day_of_months(Days& days, std::size_t length) {
  const Token& at = peek();
  if (&days == &plan_.days && !enter(Group::day, at)) return false;
  std::uint16_t months = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (peek().is(Word::month_name)) months |= static_cast<std::uint16_t>(1U << peek().value);
    take();
  }
  accept(Word::the);
  const Token& first = peek();
  int day = 0;
  if (!read_day_number(day, true)) return false;
  days.has_dates = true;
  for (std::size_t m = 1; m <= 12; ++m) {
    if ((months >> m & 1U) == 0) continue;
    if (day > longest_month(static_cast<unsigned>(m))) return no_such_day(first, static_cast<int>(m), day);
    days.dates[m] |= 1U << day;
  }
  warn("\"" + text_of(first) + "\" is taken in each of these months");
  return true;
}

bool Grammar::has_day(int month, int day) { return day <= longest_month(static_cast<unsigned>(month)); }

void Grammar::add_dates(Days& days, int day, int month, int last_day, int last_month) {
  days.has_dates = true;
  for (;; ++day) {
    if (!has_day(month, day)) day = 1, month = month % 12 + 1;
    days.dates[static_cast<std::size_t>(month)] |= 1U << day;
    if (day == last_day && month == last_month) return;
  }
}

bool Grammar::no_such_day(const Token& at, int month, int day) {
  const int last = longest_month(static_cast<unsigned>(month));
  return refuse(at,
                std::string(month_name(month)) + " has no day " + std::to_string(day) + ": expected 1 to " +
                    std::to_string(last),
                at.is(Kind::ordinal) ? ordinal_text(last) : std::to_string(last));
}

// "except the last day of march" is a date; what moves within a named month has none.
bool Grammar::except_in_months(const Token& at, std::uint16_t months) {
  Days& except = plan_.except;
  const std::uint32_t from_end = except.days_before_last;
  except.days_before_last = 0;
  if (from_end == 0 || except.special() || (months >> 2 & 1U) != 0)
    return refuse(at, "only dates of named months can be left out, and these days move: name the days",
                  std::string(month_name(at.value)) + " 1 to 7");
  except.has_dates = true;
  for (unsigned m = 1; m <= 12; ++m) {
    if ((months >> m & 1U) == 0) continue;
    for (int before = 0; before < longest_month(static_cast<unsigned>(m)); ++before)
      if ((from_end >> before & 1U) != 0)
        except.dates[m] |= 1U << (longest_month(static_cast<unsigned>(m)) - before);
  }
  return true;
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
    if (numbers == 0 && &days == &plan_.except) return except_in_months(at, named);
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
      const std::uint32_t real =
          numbers &
          static_cast<std::uint32_t>((std::uint64_t{2} << longest_month(static_cast<unsigned>(m))) - 2);
      any = any || real != 0;
      if (std::popcount(numbers) == 1 && real == 0)
        warn(std::string(month_name(static_cast<int>(m))) + " has no day " +
             std::to_string(std::countr_zero(numbers)) + ": it is left out");
      days.dates[m] |= real;
    }
    if (any) return true;
    no_such_day(at, at.value, 31 - std::countl_zero(numbers));
    error_.suggestion.clear();  // it would stand for the day, and the month is marked
    return false;
  }
  days.days |= numbers;
  if (!link) return true;
  if (word.is(Word::quarter_name)) {
    if (&days == &plan_.except)
      return refuse(word, "only dates of named months can be left out here: name them", "december");
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
    if (&days == &plan_.except)
      return refuse(at, "only dates of named months can be left out here: name them", "december");
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
  if (unit == UnitWord::week) return refuse(at, "which day of the week? Name it, as in \"on friday\"");
  return refuse(at, "expected \"month\", \"quarter\" or \"year\"", "month");
}

}  // namespace english_cron
