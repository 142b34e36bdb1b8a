#include "raw_cron.h"

#include "cron_fields.h"
#include "letters.h"
#include "vocabulary.h"
#include "zones.h"

#include <algorithm>
#include <array>

namespace english_cron {
namespace {

struct Piece {
  std::string_view text;
  std::size_t offset = 0;
};
struct Pieces {
  std::array<Piece, 9> list;
  std::size_t count = 0;  // may be larger than what the list holds
};

Pieces split(std::string_view phrase) {
  Pieces out;
  for (std::size_t i = 0; i < phrase.size();) {
    if (is_blank(phrase[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < phrase.size() && !is_blank(phrase[end])) ++end;
    if (out.count < out.list.size()) out.list[out.count] = {phrase.substr(i, end - i), i};
    ++out.count;
    i = end;
  }
  return out;
}

bool has_only(std::string_view text, std::string_view set) {
  return text.find_first_not_of(set) == std::string_view::npos;
}
bool is_time_field(std::string_view text) {
  return has_only(text, "0123456789*/,-?") && text != "-" &&
         text.find_first_of("0123456789*?") != std::string_view::npos;
}

// Digits, signs, L, W and three-letter names: what a day, month or weekday field may hold.
bool is_day_field(std::string_view text) {
  constexpr std::string_view kNames = "sunmontuewedthufrisatjanfebmaraprmayjunjulaugsepoctnovdec";
  for (std::size_t i = 0; i < text.size();) {
    const char c = lower(text[i]);
    if (c < 'a' || c > 'z') {
      if (std::string_view("0123456789*/,-?#").find(c) == std::string_view::npos) return false;
      ++i;
      continue;
    }
    std::size_t end = i;
    std::string word;
    while (end < text.size() && lower(text[end]) >= 'a' && lower(text[end]) <= 'z')
      word += lower(text[end++]);
    bool known = word == "l" || word == "w" || word == "lw";
    for (std::size_t n = 0; n < kNames.size(); n += 3) {
      const std::string_view name = kNames.substr(n, 3);
      known = known || word == name || (word.size() == 4 && word.starts_with(name) && word[3] == 'l');
    }
    if (!known) return false;
    i = end;
  }
  return text != "-";
}

struct Macro {
  std::string_view name, cron;
};
constexpr auto kMacros = std::to_array<Macro>({{"@yearly", "0 0 1 1 *"},
                                               {"@annually", "0 0 1 1 *"},
                                               {"@monthly", "0 0 1 * *"},
                                               {"@weekly", "0 0 * * 0"},
                                               {"@daily", "0 0 * * *"},
                                               {"@midnight", "0 0 * * *"},
                                               {"@hourly", "0 * * * *"},
                                               {"@every_minute", "* * * * *"},
                                               {"@every_second", "* * * * * *"}});

}  // namespace

std::expected<std::optional<RawCron>, PhraseError> read_raw_cron(std::string_view phrase) {
  // A cron begins with its second or minute, with "@" or with "TZ="; most phrases begin with a word.
  const std::size_t begin = phrase.find_first_not_of(" \t\n\r");
  const char initial = begin == std::string_view::npos ? '\0' : phrase[begin];
  if (lower(initial) >= 'a' && lower(initial) <= 'z' && initial != 'T' && initial != 'C') return std::nullopt;
  Pieces pieces = split(phrase);
  if (pieces.count == 0) return std::nullopt;
  RawCron out;
  std::size_t first = 0;
  std::size_t count = std::min(pieces.count, pieces.list.size());
  for (const std::string_view prefix : {"CRON_TZ=", "TZ="}) {
    const Piece& piece = pieces.list[0];
    if (!piece.text.starts_with(prefix)) continue;
    out.zone = canonical_zone(piece.text.substr(prefix.size()));
    if (out.zone.empty()) {
      return std::unexpected(PhraseError{piece.offset + prefix.size(), piece.text.size() - prefix.size(),
                                         "unknown time zone", "Europe/Zurich"});
    }
    first = 1;
  }
  if (first == count)
    return std::unexpected(
        PhraseError{phrase.size(), 0, "expected a cron expression after the time zone", "0 9 * * *"});

  const Piece head = pieces.list[first];
  if (first == 1 && head.text[0] != '@' && !is_time_field(head.text)) {
    out.phrase = std::string(head.offset, ' ') + std::string(phrase.substr(head.offset));
    return out;  // "TZ=Europe/Paris every day at noon"
  }
  const bool macro =
      head.text.size() > 1 && head.text[0] == '@' && lower(head.text[1]) >= 'a' && lower(head.text[1]) <= 'z';
  if (macro) {
    std::string name;
    for (const char c : head.text) name += lower(c);
    if (name == "@every" && pieces.count > first + 1) {
      out.phrase = std::string(head.offset + 1, ' ') + std::string(phrase.substr(head.offset + 1));
      return out;
    }
    const auto found =
        std::find_if(kMacros.begin(), kMacros.end(), [&name](const Macro& m) { return m.name == name; });
    if (found != kMacros.end() && pieces.count <= first + 2) {
      if (pieces.count == first + 2) {
        const Piece& tail = pieces.list[first + 1];
        out.zone = canonical_zone(tail.text);
        if (out.zone.empty())
          return std::unexpected(
              PhraseError{tail.offset, tail.text.size(), "unknown time zone", "Europe/Zurich"});
      }
      out.cron = found->cron;
      return out;
    }
    if (name == "@reboot") {
      return std::unexpected(PhraseError{head.offset, head.text.size(),
                                         "@reboot is not a time: use runOnStartup in the schedule", ""});
    }
    return std::nullopt;  // "@noon": at noon
  }

  std::size_t fields = count - first;
  const Piece& tail = pieces.list[count - 1];
  const bool zone_last = pieces.count <= pieces.list.size() && fields >= 6 && lower(tail.text[0]) >= 'a' &&
                         lower(tail.text[0]) <= 'z' && !is_day_field(tail.text) &&
                         !canonical_zone(tail.text).empty();
  if (zone_last) {
    out.zone = canonical_zone(tail.text);
    std::string name;
    for (const char c : tail.text) name += lower(c);
    // EST means here what it means in a phrase, not the zone of that name without daylight saving time.
    const Entry* word = find_word(name);
    if (word != nullptr && word->word == Word::zone) {
      const ZoneWord meant = zone_of(*word);
      out.zone = meant.zone;
      if (meant.fixed_part_only)
        out.warning =
            "\"" + std::string(tail.text) + "\" is read as " + out.zone + ", with its daylight saving time";
    }
    --fields;
    --count;
  }
  bool starred = false;
  bool all = fields == 5 || fields == 6;
  for (std::size_t i = first; i < count; ++i) {
    const std::string_view text = pieces.list[i].text;
    starred = starred || text.find_first_of("*?") != std::string_view::npos;
    all = all && (i < first + 2 ? is_time_field(text) : is_day_field(text));
  }
  const bool meant = all || (is_time_field(head.text) && starred) || first == 1;
  if (!meant) return std::nullopt;

  const Piece& last = pieces.list[count - 1];
  const std::size_t end = pieces.count > pieces.list.size() ? phrase.size() : last.offset + last.text.size();
  auto parsed = parse_cron(phrase.substr(head.offset, end - head.offset));
  if (!parsed) {
    parsed.error().offset += head.offset;
    return std::unexpected(std::move(parsed.error()));
  }
  for (std::size_t i = first; i < count; ++i) {
    if (i > first) out.cron += ' ';
    out.cron += pieces.list[i].text;
  }
  return out;
}

}  // namespace english_cron
