// The one table of words, its rows in words_*.h. Grammar, misspellings and suggestions all read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace english_cron {

enum class Word : std::uint8_t {
  none,
  noise,         // no meaning of its own: "run", "please"
  the,           // the, a, an
  every,         // every, each
  other,         // every other day
  unit,          // value: UnitWord
  adverb,        // hourly … yearly; value: UnitWord, step in `extra`
  weekday_name,  // value 0 (Sunday)..6
  weekdays,      // value: bit mask of days
  month_name,    // value 1..12
  quarter_name,  // q1..q4
  number,
  hundred,
  ordinal,
  half,
  meridiem,    // value 0 am, 1 pm
  clock_name,  // value: minutes since midnight
  day_part,    // morning, afternoon, evening, night; value: DayPart
  past,
  after,
  before,
  to,
  until,
  from,
  between,
  conjunction,  // and, or, &, plus
  at,
  on,
  in,
  of,
  during,
  last,
  nearest,
  day_kind,  // business, working, work: before "day" or "hours"
  even,
  odd,
  except,
  but,
  no,
  condition,  // if, when, "it is"
  never,
  starting,
  oclock,
  count,  // once, twice; value
  times,
  per,
  end,
  period_end,  // eom; value: UnitWord
  penultimate,
  steps,
  holiday,  // value: month * 100 + day
  holiday_new,
  holiday_day,  // saint, st
  eve,
  zone,       // extra: index into zone_of()
  zone_word,  // time, timezone
  refused,    // understood as ambiguous or impossible; extra: index into refusal_of()
};

enum class UnitWord : std::uint8_t {
  second,
  minute,
  hour,
  day,
  week,
  fortnight,
  month,
  quarter,
  half_year,
  year
};
enum class DayPart : std::uint8_t { morning, afternoon, evening, night };
constexpr std::int16_t operator+(UnitWord unit) { return static_cast<std::int16_t>(unit); }  // as a value
constexpr std::int16_t operator+(DayPart part) { return static_cast<std::int16_t>(part); }

struct Entry {
  std::string_view text;
  Word word;
  std::int16_t value = 0;
  std::int16_t extra = 0;
  bool misspelt = false;  // accepted with a warning; `fixed` is what was meant
  std::string_view fixed = {};
};

/// Lower-case letters and digits only. Null when the word is unknown.
const Entry* find_word(std::string_view lower_case);

/// The known word that `lower_case` comes nearest to, or empty when none is near.
std::string_view nearest_word(std::string_view lower_case);

/// How many single-letter edits (swaps included) lead from one to the other; `limit + 1` when more than
/// `limit`.
int edit_distance(std::string_view a, std::string_view b, int limit);

struct ZoneWord {
  std::string_view zone;
  bool fixed_part_only;  // the word names one half of a zone with daylight saving time (EST, PDT)
};
ZoneWord zone_of(const Entry& entry);

struct Refusal {
  std::string_view message;
  std::string_view suggestion;
};
Refusal refusal_of(const Entry& entry);

std::span<const Entry> vocabulary();

std::string_view weekday_name(int weekday);  // "sunday"…
std::string_view month_name(int month);      // "january"…
std::string ordinal_text(int n);             // "1st"…

}  // namespace english_cron
