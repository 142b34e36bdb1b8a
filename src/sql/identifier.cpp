#include "sql/identifier.h"

namespace sluice::sql {

std::string quote_identifier(std::string_view name) {
  std::string text;
  text.reserve(name.size() + 2);
  text += '"';
  for (const char c : name) {
    if (c == '\0') continue;
    if (c == '"') text += '"';
    text += c;
  }
  text += '"';
  return text;
}

}  // namespace sluice::sql
