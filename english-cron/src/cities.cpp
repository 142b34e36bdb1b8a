#include "cities.h"

#include "letters.h"
#include "vocabulary.h"
#include "zones.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace english_cron {
namespace {

constexpr std::size_t kMostWords = 4;  // of a city's name

// The letter under the accent of U+00C0 to U+00FF, which UTF-8 writes as C3 and this byte; 0 for none.
constexpr char without_accent(char byte) {
  constexpr std::string_view kLetters = "aaaaaaaceeeeiiiidnooooo-ouuuuy-saaaaaaaceeeeiiiidnooooo-ouuuuy-y";
  const auto at = static_cast<unsigned char>(byte);
  const char letter = at >= 0x80 && at - 0x80U < kLetters.size() ? kLetters[at - 0x80U] : '-';
  return letter == '-' ? '\0' : letter;
}

struct Folded {
  std::string text;                             // lower case, single blanks between words
  std::array<std::size_t, kMostWords> ends{};   // in bytes of the original, after each word
  std::array<std::size_t, kMostWords> sizes{};  // in `text`, up to each word
  std::size_t words = 0;
};

// The first words of `name`: accents, dots and apostrophes dropped.
Folded fold(std::string_view name) {
  Folded out;
  std::size_t i = 0;
  while (i < name.size() && out.words < kMostWords) {
    const std::size_t begin = out.text.size();
    if (begin > 0) out.text += ' ';
    std::size_t letters = 0;
    for (; i < name.size(); ++i) {
      if (is_letter(name[i])) {
        out.text += lower(name[i]);
        ++letters;
      } else if (name[i] == '\xC3' && i + 1 < name.size() && without_accent(name[i + 1]) != '\0') {
        out.text += without_accent(name[++i]);
        ++letters;
      } else if (name[i] == '\'' || (name[i] == '.' && i + 1 < name.size() && letters > 0)) {
        continue;
      } else if (name.substr(i, 3) == "\xE2\x80\x99") {
        i += 2;
      } else {
        break;
      }
    }
    if (letters == 0) {
      out.text.resize(begin);
      break;
    }
    out.ends[out.words] = i;
    out.sizes[out.words++] = out.text.size();
    if (i < name.size() && name[i] != ' ' && name[i] != '_' && name[i] != '-') break;
    ++i;
  }
  return out;
}

struct City {
  std::string name;  // folded
  std::string zone;
};

struct NamedZone {
  std::string_view name, zone;
};
// Names of zones in full. One that stands twice with different zones is refused as ambiguous.
constexpr auto kNamedZones = std::to_array<NamedZone>({
    {"eastern", "America/New_York"},
    {"eastern time", "America/New_York"},
    {"us eastern", "America/New_York"},
    {"eastern standard time", "America/New_York"},
    {"eastern daylight time", "America/New_York"},
    {"us central", "America/Chicago"},
    {"central time", "America/Chicago"},
    {"central time", "Australia/Adelaide"},
    {"central standard time", "America/Chicago"},
    {"central standard time", "Australia/Adelaide"},
    {"central daylight time", "America/Chicago"},
    {"central daylight time", "Australia/Adelaide"},
    {"pacific", "America/Los_Angeles"},
    {"central", "America/Chicago"},
    {"central", "Australia/Adelaide"},
    {"mountain", "America/Denver"},
    {"mountain time", "America/Denver"},
    {"us mountain", "America/Denver"},
    {"mountain standard time", "America/Denver"},
    {"mountain daylight time", "America/Denver"},
    {"pacific time", "America/Los_Angeles"},
    {"us pacific", "America/Los_Angeles"},
    {"pacific standard time", "America/Los_Angeles"},
    {"pacific daylight time", "America/Los_Angeles"},
    {"central european time", "CET"},
    {"central european summer time", "CET"},
    {"eastern european time", "EET"},
    {"western european time", "WET"},
    {"greenwich mean time", "GMT"},
    {"coordinated universal time", "UTC"},
    {"universal time", "UTC"},
    {"uk time", "Europe/London"},
    {"india standard time", "Asia/Kolkata"},
    {"indian standard time", "Asia/Kolkata"},
    {"japan standard time", "Asia/Tokyo"},
    {"irish standard time", "Europe/Dublin"},
    {"israel standard time", "Asia/Jerusalem"},
    {"british summer time", "Europe/London"},
});

std::vector<City> all_cities() {
  constexpr std::array<std::string_view, 7> kNoCities{"Etc/",    "US/",      "Canada/", "Brazil/",
                                                      "Mexico/", "SystemV/", "Chile/"};
  constexpr std::array<std::string_view, 6> kNoNames{"north", "south", "east", "west", "center", "general"};
  std::vector<City> out;
  for (const std::string& zone : zone_names()) {
    const std::size_t slash = zone.rfind('/');
    const bool area = std::any_of(kNoCities.begin(), kNoCities.end(),
                                  [&zone](std::string_view a) { return zone.starts_with(a); });
    if (slash == std::string::npos || area) continue;
    const Folded folded = fold(std::string_view(zone).substr(slash + 1));
    const bool name = folded.words > 0 && folded.ends[folded.words - 1] == zone.size() - slash - 1 &&
                      std::find(kNoNames.begin(), kNoNames.end(), folded.text) == kNoNames.end();
    if (name) out.push_back({folded.text, zone});
  }
  for (const NamedZone& named : kNamedZones)
    out.push_back({std::string(named.name), std::string(named.zone)});
  std::sort(out.begin(), out.end(), [](const City& a, const City& b) {
    return std::pair(a.name, a.zone) < std::pair(b.name, b.zone);
  });
  return out;
}

const std::vector<City>& cities() {
  static const std::vector<City> kCities = all_cities();
  return kCities;
}

// Several names of one zone (America/Buenos_Aires, America/Argentina/Buenos_Aires) are one: the longest.
std::vector<std::string> distinct(std::vector<std::string> zones) {
  std::sort(zones.begin(), zones.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  std::vector<std::string> out;
  for (const std::string& zone : zones) {
    const auto table = find_zone(zone);
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&table](const std::string& other) { return find_zone(other) == table; });
    if (!known) out.push_back(zone);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

CityMatch find_city(std::string_view text) {
  const Folded folded = fold(text.substr(0, 48));
  for (std::size_t words = folded.words; words > 0; --words) {
    const std::string_view name = std::string_view(folded.text).substr(0, folded.sizes[words - 1]);
    const auto [first, last] = std::equal_range(cities().begin(), cities().end(), City{std::string(name), ""},
                                                [](const City& a, const City& b) { return a.name < b.name; });
    if (first == last) continue;
    CityMatch out{folded.ends[words - 1], {}};
    for (auto city = first; city != last; ++city) out.zones.push_back(city->zone);
    if (out.zones.size() > 1) out.zones = distinct(std::move(out.zones));
    return out;
  }
  return {};
}

std::string nearest_city(std::string_view text, int limit) {
  if (text.size() < 4) return {};
  int best = std::min(limit, text.size() < 7 ? 2 : 3);  // anything at this distance or beyond is no help
  std::string found;
  for (const City& city : cities()) {
    const int distance = edit_distance(text, city.name, best - 1);
    if (distance >= best) continue;
    if (city.zone.find('/') == std::string::npos || city.name.ends_with(" time")) continue;
    best = distance;
    found = city.zone.substr(city.zone.rfind('/') + 1);
    std::replace(found.begin(), found.end(), '_', ' ');
  }
  return found;
}

}  // namespace english_cron
