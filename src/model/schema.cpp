#include "model/schema.h"

#include <algorithm>

namespace sluice {

std::optional<std::size_t> Schema::find(std::string_view name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

bool Schema::is_key(std::size_t column) const {
  return std::find(key.begin(), key.end(), column) != key.end();
}

}  // namespace sluice
