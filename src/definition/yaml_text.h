// What can be said about a YAML text before it is parsed, and where in it a byte stands.
#pragma once

#include "definition/problem.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::definition {

// Line and column (from 1, columns in characters) of a byte of the text.
Place place_at(std::string_view file, std::string_view text, std::size_t offset);

// Too long, binary, not UTF-8, indented by tabs: a text that must not reach the parser.
std::optional<Problem> unreadable_text(std::string_view file, std::string_view text);

// Where in the line's indentation a tab stands (from 0), if one does. `line` from 1.
std::optional<std::size_t> tab_in_indentation(std::string_view text, int line);

// What a message of the YAML parser usually means, or empty.
std::string yaml_hint(std::string_view parser_message);

}  // namespace sluice::definition
