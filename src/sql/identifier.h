// Names in SQL text. The one place where they are quoted; values are always bound.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sql {

// "my ""table""": fits SQLite and PostgreSQL. A NUL byte, which no name can hold, is left out.
std::string quote_identifier(std::string_view name);
// Quoted names with ", " between.
template <class Names>
std::string quote_identifiers(const Names& names) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += ", ";
    text += quote_identifier(name);
  }
  return text;
}

}  // namespace sluice::sql
