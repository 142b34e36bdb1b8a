#include "definition/yaml_text.h"

#include "base/text.h"
#include "definition/source_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::definition {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The first byte that is not part of a valid UTF-8 character (no overlong forms, no surrogates).
std::optional<std::size_t> invalid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = c >= 0xC2 && c < 0xE0   ? 2
                               : c >= 0xE0 && c < 0xF0 ? 3
                               : c >= 0xF0 && c < 0xF5 ? 4
                                                       : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if (!continues_character(text[i + k])) return i;
    }
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if ((c == 0xE0 && next < 0xA0) || (c == 0xED && next > 0x9F) || (c == 0xF0 && next < 0x90) ||
        (c == 0xF4 && next > 0x8F))
      return i;
    i += length;
  }
  return std::nullopt;
}

// YAML allows no control characters but tab and line ends.
std::optional<std::size_t> control_character(std::string_view text) {
  const auto found = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  });
  if (found == text.end()) return std::nullopt;
  return static_cast<std::size_t>(found - text.begin());
}

// A line with content that begins with a tab: no place in YAML where that is more than a trap.
std::optional<std::size_t> leading_tab(std::string_view text) {
  std::size_t line = 0;
  while (line < text.size()) {
    if (text[line] == '\t') {
      const auto content = text.find_first_not_of(" \t", line);
      if (content != std::string_view::npos && text[content] != '\n' && text[content] != '\r' &&
          text[content] != '#')
        return line;
    }
    const auto end = text.find('\n', line);
    if (end == std::string_view::npos) break;
    line = end + 1;
  }
  return std::nullopt;
}

}  // namespace

Place place_at(std::string_view file, std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  // A parser that stops at the end of the text points behind the last line: name that line instead.
  if (offset == text.size() && offset > 0 && text[offset - 1] == '\n') --offset;
  const auto before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto within = before.substr(line_start);
  const auto characters =
      std::count_if(within.begin(), within.end(), [](char c) { return !continues_character(c); });
  return {std::string(file), static_cast<int>(line), static_cast<int>(characters) + 1};
}

std::optional<Problem> unreadable_text(std::string_view file, std::string_view text) {
  const auto error = [&](std::size_t at, std::string message, std::string suggestion) {
    return Problem{Problem::Severity::error, place_at(file, text, at), std::move(message),
                   std::move(suggestion)};
  };
  if (text.size() > kMaxFileSize) {
    return Problem{Problem::Severity::error,
                   {std::string(file), 0, 0},
                   fmt::format("too large for a definition ({} bytes, at most {})",
                               group_digits(static_cast<long long>(text.size())),
                               group_digits(static_cast<long long>(kMaxFileSize))),
                   "is it data? data belongs beside the definitions folder"};
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return error(0, "the file is UTF-16", "save it as UTF-8");
  if (const auto at = control_character(text)) {
    return error(*at, fmt::format("control character 0x{:02X}", static_cast<unsigned char>(text[*at])),
                 text[*at] == '\0' ? "this is no text file" : "remove it");
  }
  if (const auto at = invalid_utf8(text)) return error(*at, "not valid UTF-8", "save the file as UTF-8");
  if (const auto at = leading_tab(text))
    return error(*at, "a tab in the indentation", "YAML is indented by spaces only");
  return std::nullopt;
}

std::optional<std::size_t> tab_in_indentation(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  const auto content = std::min(text.find_first_not_of(" \t"), text.size());
  const auto tab = text.substr(0, content).find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  return tab;
}

std::string yaml_hint(std::string_view message) {
  const auto says = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
  if (says("illegal map value") || says("mapping values"))
    return "a value that holds \": \" needs quotes, and keys of one map must be indented alike";
  if (says("end of map not found") || says("end of sequence not found"))
    return "check the indentation of this line and the one above, and that every bracket and quote is closed";
  if (says("end of map flow") || says("end of sequence flow") || says("flow"))
    return "a bracket is not closed";
  if (says("unknown escape")) return "in double quotes \\ begins an escape; use single quotes";
  if (says("EOF") || says("end of file") || says("illegal EOF")) return "a quote is not closed";
  if (says("unknown token")) return "@, ` and % cannot begin a value; put it in quotes";
  return {};
}

}  // namespace sluice::definition
