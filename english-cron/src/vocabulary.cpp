// The table is put together from its parts and sorted at compile time; find_word() searches the words of
// one letter by halves.
#include "vocabulary.h"

#include "words_calendar.h"
#include "words_joining.h"
#include "words_zones.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace english_cron {
namespace {

template <std::size_t... N>
constexpr auto sorted_table(const std::array<Entry, N>&... parts) {
  std::array<Entry, (N + ...)> all{};
  auto end = all.begin();
  ((end = std::copy(parts.begin(), parts.end(), end)), ...);
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
  return all;
}
constexpr auto kWords = sorted_table(kCalendarWords, kJoiningWords, kZoneAndRefusedWords);

constexpr bool every_word_once() {
  return std::adjacent_find(kWords.begin(), kWords.end(),
                            [](const Entry& a, const Entry& b) { return a.text == b.text; }) == kWords.end();
}
static_assert(every_word_once(), "a word stands in one part only, once");

// Where the words of each letter begin; one more for the end.
constexpr auto kLetters = [] {
  std::array<std::uint16_t, 27> starts{};
  for (std::size_t letter = 0; letter < starts.size(); ++letter) {
    std::size_t i = 0;
    while (i < kWords.size() && kWords[i].text[0] < static_cast<char>('a' + letter)) ++i;
    starts[letter] = static_cast<std::uint16_t>(i);
  }
  return starts;
}();

}  // namespace

const Entry* find_word(std::string_view text) {
  if (text.empty() || text[0] < 'a' || text[0] > 'z') return nullptr;
  const auto letter = static_cast<std::size_t>(text[0] - 'a');
  const auto* begin = kWords.data() + kLetters[letter];
  const auto* end = kWords.data() + kLetters[letter + 1];
  const auto* found = std::lower_bound(
      begin, end, text, [](const Entry& entry, std::string_view key) { return entry.text < key; });
  return found != end && found->text == text ? found : nullptr;
}

int edit_distance(std::string_view a, std::string_view b, int limit) {
  constexpr std::size_t kLongest = 40;
  if (a.size() > kLongest || b.size() > kLongest) return limit + 1;
  if (std::abs(static_cast<int>(a.size()) - static_cast<int>(b.size())) > limit) return limit + 1;
  std::array<std::array<int, kLongest + 1>, 3> rows{};  // the last three rows of the table
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& twice_above = rows[(i + 1) % 3];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], twice_above[j - 2] + 1);
    }
  }
  return std::min(rows[a.size() % 3][b.size()], limit + 1);
}

std::string_view nearest_word(std::string_view text) {
  if (text.size() < 3) return {};
  int best = text.size() < 5 ? 2 : 3;  // anything at this distance or beyond is no help
  std::string_view found;
  for (const Entry& entry : kWords) {
    const bool offered =
        !entry.misspelt && entry.word != Word::refused && entry.word != Word::noise && entry.text.size() > 2;
    if (!offered) continue;
    const int distance = edit_distance(text, entry.text, found.empty() ? best - 1 : best);
    // Of two as near, the longer: a letter left out is the commoner slip ("wek").
    if (distance < best || (distance == best && !found.empty() && entry.text.size() > found.size())) {
      best = distance;
      found = entry.text;
    }
  }
  return found;
}

ZoneWord zone_of(const Entry& entry) { return kZones[static_cast<std::size_t>(entry.extra)]; }

Refusal refusal_of(const Entry& entry) { return kRefusals[static_cast<std::size_t>(entry.extra)]; }

std::span<const Entry> vocabulary() { return kWords; }

std::string_view weekday_name(int weekday) {
  constexpr std::array<std::string_view, 7> kNames{"sunday",   "monday", "tuesday", "wednesday",
                                                   "thursday", "friday", "saturday"};
  return kNames[static_cast<std::size_t>(weekday % 7)];
}

std::string ordinal_text(int n) {
  constexpr std::array<std::string_view, 4> kSuffixes{"th", "st", "nd", "rd"};
  const bool plain = n / 10 % 10 == 1 || n % 10 > 3;
  return std::to_string(n).append(kSuffixes[plain ? 0 : static_cast<std::size_t>(n % 10)]);
}

std::string_view month_name(int month) {
  constexpr std::array<std::string_view, 12> kNames{"january",   "february", "march",    "april",
                                                    "may",       "june",     "july",     "august",
                                                    "september", "october",  "november", "december"};
  return kNames[static_cast<std::size_t>(month - 1) % 12];
}

}  // namespace english_cron
