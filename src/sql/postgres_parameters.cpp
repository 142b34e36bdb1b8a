#include "sql/postgres_parameters.h"

#include <algorithm>

namespace sluice::sql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::size_t after(std::string_view sql, std::string_view end, std::size_t from) {
  const auto found = sql.find(end, from);
  return found == std::string_view::npos ? sql.size() : found + end.size();
}

// Comments nest in PostgreSQL.
std::size_t after_comment(std::string_view sql, std::size_t at) {
  int depth = 0;
  for (; at < sql.size(); ++at) {
    if (sql.substr(at, 2) == "/*") {
      ++depth;
      ++at;
    } else if (sql.substr(at, 2) == "*/") {
      ++at;
      if (--depth == 0) return at + 1;
    }
  }
  return sql.size();
}

// The end of what starts at `at` and is to be copied as it is: a quoted text or name, a $tag$ text, a
// comment, or one character.
std::size_t end_of_part(std::string_view sql, std::size_t at) {
  const char c = sql[at];
  if (c == '\'' || c == '"') return after(sql, std::string_view(&sql[at], 1), at + 1);
  if (sql.substr(at, 2) == "--") return after(sql, "\n", at);
  if (sql.substr(at, 2) == "/*") return after_comment(sql, at);
  const bool in_word = at > 0 && is_word(sql[at - 1]);
  if (c == '$' && !in_word && at + 1 < sql.size() && !is_digit(sql[at + 1])) {
    std::size_t end = at + 1;
    while (end < sql.size() && is_word(sql[end])) ++end;
    if (end < sql.size() && sql[end] == '$') return after(sql, sql.substr(at, end + 1 - at), end + 1);
  }
  return at + 1;
}

}  // namespace

std::string number_parameters(std::string_view sql) {
  std::string text;
  text.reserve(sql.size() + 16);
  int last = 0;
  for (std::size_t at = 0; at < sql.size();) {
    if (sql[at] != '?') {
      const std::size_t end = end_of_part(sql, at);
      text += sql.substr(at, end - at);
      at = end;
      continue;
    }
    ++at;
    text += '$';
    if (at < sql.size() && is_digit(sql[at])) {
      int number = 0;
      for (; at < sql.size() && is_digit(sql[at]) && number < 100'000; ++at)
        number = number * 10 + (sql[at] - '0');
      last = std::max(last, number);
      text += std::to_string(number);
    } else {
      text += std::to_string(++last);
    }
  }
  return text;
}

}  // namespace sluice::sql
