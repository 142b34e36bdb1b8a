// Small text functions that several folders need. ASCII case rules only: YAML keys, header names, words.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
std::vector<std::string_view> split(std::string_view text, char separator);

// "ExchangeRate" -> "exchange_rate", "HTTPCode" -> "http_code", "my loader" -> "my_loader".
std::string snake_case(std::string_view name);

// The candidate nearest to `word` by edit distance (with transpositions), or empty when none is near
// enough to be a likely slip: a third of its length, at least one.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// Replaces invalid UTF-8 by U+FFFD and control characters by spaces: for error excerpts and logs.
std::string printable(std::string_view bytes, std::size_t limit = 200);

// "1,234,567"
std::string group_digits(long long number);

}  // namespace sluice
