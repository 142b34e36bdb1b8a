// Zones by the city in their name: "Zurich" is Europe/Zurich, "New York" is America/New_York.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace english_cron {

struct CityMatch {
  std::size_t length = 0;          // bytes of `text` that name the city; 0: no city begins there
  std::vector<std::string> zones;  // one, or several that differ: the name is ambiguous
};

/// The longest city of the zone table at the head of `text`, in any letter case, with or without accents.
CityMatch find_city(std::string_view text);

/// The city (as a phrase writes it) that `text`, in lower case, is fewer than `limit` edits away from, or
/// empty.
std::string nearest_city(std::string_view text, int limit);

}  // namespace english_cron
