// Pieces of a schedule in words, appended to the text so far.
#pragma once

#include "english_told.h"
#include "short_list.h"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace english_cron {

void append_number(std::string& out, std::int64_t value);

/// What stands before part `index` of a list: "a, b and c".
void append_joint(std::string& out, std::size_t index, std::size_t count);

/// "09:05", or "09:05:30" when there are seconds. `second` of the day.
void append_clock(std::string& out, std::int64_t second);

/// "every hour", "every 5 hours"
void append_unit(std::string& out, int n, std::string_view unit);

/// An interval of so many minutes of the day.
void append_step(std::string& out, int minutes);

/// "5 and 35"; with `ranges` "0 through 55 in steps of 5", which makes the cron an interval; with `pairs`
/// also two values so, "0 through 30 in steps of 30".
void append_numbers(std::string& out, std::uint64_t bits, bool ranges, bool pairs = false);

/// False: every day is meant, which needs no words.
bool has_day_words(const Told& cron);

/// " on weekdays in july"; nothing for every day. False: there are no words for L-nW.
bool append_days(std::string& out, const Told& cron);

using Values = ShortList<int, 64>;

inline Values values_of(std::uint64_t bits) {
  Values out;
  for (; bits != 0; bits &= bits - 1) out.push_back(std::countr_zero(bits));
  return out;
}

// The common step of even values, or 0.
template <typename List>
int step_of(const List& values) {
  if (values.size() < 2) return 0;
  const int step = values[1] - values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] - values[i - 1] != step) return 0;
  }
  return step;
}

// Runs of `shortest` and more as "a through b".
template <typename Name>
void append_names(std::string& out, std::uint64_t bits, Name append, std::size_t shortest = 3) {
  const Values values = values_of(bits);
  ShortList<std::pair<int, int>, 64> runs;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i;
    while (end + 1 < values.size() && values[end + 1] == values[end] + 1) ++end;
    if (end - i + 1 < shortest) end = i;
    runs.push_back({values[i], values[end]});
    i = end + 1;
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    append_joint(out, i, runs.size());
    append(out, runs[i].first);
    if (runs[i].second == runs[i].first) continue;
    out += " through ";
    append(out, runs[i].second);
  }
}

}  // namespace english_cron
