// Phrases put together from words: gets past the vocabulary, where raw bytes seldom do.
#include "english_cron/translation.h"
#include "fuzz/phrase_checks.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr std::string_view kWords[] = {
    "every",
    "each",
    "other",
    "at",
    "on",
    "in",
    "of",
    "the",
    "and",
    ",",
    ";",
    "-",
    "to",
    "until",
    "from",
    "between",
    "after",
    "before",
    "past",
    "except",
    "but not",
    "unless",
    "only",
    "if",
    "starting",
    "once",
    "twice",
    "a",
    "times",
    "minute",
    "minutes",
    "hour",
    "hours",
    "second",
    "seconds",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "quarter",
    "year",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "yearly",
    "monday",
    "tuesday",
    "fri",
    "saturday",
    "sunday",
    "weekday",
    "weekdays",
    "weekend",
    "business",
    "january",
    "march",
    "dec",
    "q1",
    "first",
    "1st",
    "2nd",
    "3rd",
    "15th",
    "31st",
    "last",
    "nearest",
    "end",
    "even",
    "odd",
    "half",
    "noon",
    "midnight",
    "am",
    "pm",
    "9",
    "5",
    "15",
    "30",
    "17",
    "22",
    "2",
    "1",
    "9am",
    "5pm",
    "9:30",
    "22:00",
    "17:30:15",
    ":30",
    "25",
    "90",
    "7",
    "morning",
    "evening",
    "night",
    "o'clock",
    "christmas",
    "friday the 13th",
    "never",
    "2026-01-05",
    "UTC+2",
    "Europe/Zurich",
    "Zurich",
    "EST",
    "top",
    "intervals",
    "also",
    "no",
    "45",
    "59",
    "0",
    "100",
    "twenty",
    "thirty",
};

}  // namespace

// Keeps the input a list of words: each mutation replaces, adds or drops one.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned int seed) {
  std::vector<std::string> words;
  std::string text(reinterpret_cast<const char*>(data), size);
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(' ', from), text.size());
    if (end > from) words.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  const auto pick = [&seed](std::size_t count) {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<std::size_t>(seed >> 8) % count;
  };
  const std::string word(kWords[pick(std::size(kWords))]);
  const std::size_t place = pick(words.size() + 1);
  const std::size_t action = pick(4);
  if (action == 0 && !words.empty()) {
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(pick(words.size())));
  } else if (action == 1 && !words.empty()) {
    words[pick(words.size())] = word;
  } else if (action == 2 && words.size() > 1) {
    std::swap(words[pick(words.size())], words[pick(words.size())]);
  } else {
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(place), word);
  }
  text.clear();
  for (const std::string& each : words) text += (text.empty() ? "" : " ") + each;
  const std::size_t length = std::min(text.size(), most);
  std::copy_n(text.begin(), length, data);
  return length;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  english_cron::fuzz::check_phrase({reinterpret_cast<const char*>(data), size});
  return 0;
}
