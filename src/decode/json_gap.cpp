#include "decode/json_gap.h"

namespace sluice::decode {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Behind the token that begins at `at`: a string with its quotes, or whatever reaches up to a delimiter.
std::size_t token_end(std::string_view text, std::size_t at) {
  if (text[at] != '"') {
    const auto end = text.find_first_of(" \n\r\t,\"{}[]:", at);
    return end == std::string_view::npos ? text.size() : end;
  }
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

}  // namespace

bool is_json_number(std::string_view token) {
  std::size_t i = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const auto begin = i;
    while (i < token.size() && token[i] >= '0' && token[i] <= '9') ++i;
    return i - begin;
  };
  const auto first = i;
  const auto integer = digits();
  if (integer == 0 || (integer > 1 && token[first] == '0')) return false;
  if (i < token.size() && token[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < token.size() && (token[i] == 'e' || token[i] == 'E')) {
    ++i;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == token.size();
}

bool is_json_scalar(std::string_view token) {
  if (token.starts_with('"')) return token.size() >= 2 && token.back() == '"';
  return token == "null" || token == "true" || token == "false" || is_json_number(token);
}

JsonGap read_gap(std::string_view text, bool first, bool closed) {
  JsonGap gap;
  bool value_due = first;
  bool comma_seen = false;  // a value must follow
  std::size_t at = 0;
  const auto wrong = [&](std::string_view what) {
    gap.end = at;
    gap.wrong = what;
    return gap;
  };
  for (;;) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at == text.size()) {
      if (closed && comma_seen) return wrong("a comma stands before the closing bracket");
      break;
    }
    const char c = text[at];
    if (c == '{' || c == '[') {
      if (!value_due) return wrong("a comma is missing between two records");
      break;
    }
    if (c == ',') {
      if (value_due) return wrong("a comma stands where a record is expected");
      value_due = comma_seen = true;
      ++at;
      continue;
    }
    if (!value_due) return wrong("a comma is missing between two records");
    const auto end = token_end(text, at);
    if (!is_json_scalar(text.substr(at, end - at))) return wrong("this is no JSON value");
    gap.scalars.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)});
    at = end;
    value_due = comma_seen = false;
  }
  gap.end = at;
  return gap;
}

}  // namespace sluice::decode
