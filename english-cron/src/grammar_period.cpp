// Days counted from the end of a month, a quarter or a year: "month end", "2 days before the end of the
// month".
#include "grammar.h"
#include "grammar_time.h"

namespace english_cron {
namespace {

void limit_to_ends(UnitWord unit, std::uint16_t& months) {
  constexpr std::uint16_t kQuarterEnds = 1U << 3 | 1U << 6 | 1U << 9 | 1U << 12;
  if (unit == UnitWord::quarter) months |= kQuarterEnds;
  if (unit == UnitWord::year) months |= std::uint16_t{1U << 12};
}

}  // namespace

// "month end", "year-end", "eom", "the month's end": how many tokens that is; 0: something else.
std::size_t Grammar::period_end_length(std::size_t ahead) const {
  if (peek(ahead).is(Word::period_end)) return 1;
  if (!peek(ahead).is(Word::unit)) return 0;
  const std::size_t end = peek(ahead + 1).is(Kind::dash) ? 2 : 1;
  const Token& word = peek(ahead + end);
  const bool ends = word.is(Word::end) || (word.is(Word::until) && word.entry->text == "ends");
  return ends && !peek(ahead + end + 1).is(Word::of) ? end + 1 : 0;
}

// The month's end, or the quarter's: false without an error when something else follows.
bool Grammar::parse_period_end(Days& days, std::uint16_t& months) {
  const Token& at = peek();
  const std::size_t length = period_end_length(0);
  if (length == 0) return false;
  const auto unit = static_cast<UnitWord>(at.value);
  const bool last_day = unit == UnitWord::month || unit == UnitWord::quarter || unit == UnitWord::year;
  if (!last_day) {
    const Token& end = peek(length - 1);
    return refuse(Span{at.offset, static_cast<std::size_t>(end.offset + end.length - at.offset)},
                  "only the end of a month, a quarter or a year is one day",
                  unit == UnitWord::week ? "friday" : "last day of the month");
  }
  if (&days == &plan_.days && !enter(Group::day, at)) return false;
  for (std::size_t i = 0; i < length; ++i) take();
  days.days_before_last |= 1;
  if (&days == &plan_.except && unit != UnitWord::month)
    return refuse(span_from(at), "only dates of named months can be left out here: name them", "december 31");
  limit_to_ends(unit, months);
  return true;
}

// "2 days before the end of the month", "3 days before month end", "two days before the last day"
bool Grammar::parse_before_end(Days& days) {
  const Token& at = peek();
  if (&days == &plan_.days && !enter(Group::day, at)) return false;
  int n = 1;  // "the day before the last"
  if (!is_unit(0, UnitWord::day) && !read_number(n)) return false;
  take();
  if (!accept(Word::before))
    return expected("\"before the end of the month\"", "before the end of the month");
  if (n < 1 || n > 30) return refuse(at, "a month has at most 31 days: expected 1 to 30", "30");
  accept(Word::the);
  days.days_before_last |= 1U << n;
  if (const std::size_t length = period_end_length(0); length > 0) {
    const Token& unit = peek();
    for (std::size_t i = 0; i < length; ++i) take();
    if (unit.value < +UnitWord::month)
      return refuse(unit, "only the end of a month, a quarter or a year is one day", "the end of the month");
    limit_to_ends(static_cast<UnitWord>(unit.value), plan_.months);
    return true;
  }
  if (accept(Word::last)) {
    if (!is_unit(0, UnitWord::day)) return expected("\"day\"", "day");
    take();
  } else if (!accept(Word::end)) {
    return expected("\"the end of the month\"", "the end of the month");
  }
  return parse_of_month(days, plan_.months, 0);
}

// Behind "last": "but one day", "day but one"; 0: the last day itself.
int Grammar::read_but_one() {
  if (!peek().is(Word::but) || !is_number(peek(1)) || peek(1).value < 1 || peek(1).value > 9) return 0;
  take();
  return take().value;
}

}  // namespace english_cron
