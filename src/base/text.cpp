#include "base/text.h"

#include <algorithm>
#include <cctype>

namespace sluice {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Optimal string alignment distance (Damerau, adjacent swaps), case-insensitive.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// Bytes of the character that `text` begins with, 0 = not UTF-8 (RFC 3629: no overlong form, no surrogate,
// nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (length < 3) return length;
  const unsigned second = byte(1);
  const bool good = first == 0xE0   ? second >= 0xA0
                    : first == 0xED ? second < 0xA0
                    : first == 0xF0 ? second >= 0x90
                    : first == 0xF4 ? second < 0x90
                                    : true;
  return good ? length : 0;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string snake_case(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_alnum(c) && static_cast<unsigned char>(c) < 0x80) {
      if (!result.empty() && result.back() != '_') result += '_';
      continue;
    }
    if (is_upper(c) && i > 0) {
      const bool after_word = is_alnum(name[i - 1]) && !is_upper(name[i - 1]);
      const bool before_word = is_upper(name[i - 1]) && i + 1 < name.size() && is_alnum(name[i + 1]) &&
                               !is_upper(name[i + 1]) && !(name[i + 1] >= '0' && name[i + 1] <= '9');
      if ((after_word || before_word) && !result.empty() && result.back() != '_') result += '_';
    }
    result += lower(c);
  }
  while (!result.empty() && result.back() == '_') result.pop_back();
  return result;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : candidates) {
    if (candidate.size() > word.size() + best_distance || word.size() > candidate.size() + best_distance)
      continue;
    const auto distance = edit_distance(word.substr(0, 64), candidate.substr(0, 64));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string printable(std::string_view bytes, std::size_t limit) {
  std::string result;
  std::size_t i = 0;
  while (i < bytes.size() && result.size() < limit) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = utf8_length(bytes.substr(i));
    if (length == 0) {
      result += "\xEF\xBF\xBD";
      ++i;
    } else if (c < 0x20 || c == 0x7F || (c == 0xC2 && static_cast<unsigned char>(bytes[i + 1]) < 0xA0)) {
      result += ' ';
      i += length;
    } else {
      result.append(bytes.substr(i, length));
      i += length;
    }
  }
  if (i < bytes.size()) result += "…";
  return result;
}

std::string group_digits(long long number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (auto at = static_cast<long long>(digits.size()) - 3; at > static_cast<long long>(first); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

}  // namespace sluice
