#include "decode/convert.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace sluice::decode {
namespace {

constexpr int kExactDigits = 18;      // inference: longer integers stay text
constexpr int kExactDecimals = 38;    // inference: longer decimals stay text
constexpr int kExpandedDigits = 100;  // declared exponents: the longest result

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The parts of a plain number; `ok` is false when it is none.
struct NumberParts {
  bool negative = false;
  bool plus = false;
  std::string_view integer, fraction;
  bool has_point = false;
  int exponent = 0;
  bool has_exponent = false;
  bool ok = false;
};

NumberParts split_number(std::string_view text, char decimal) {
  NumberParts parts;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
    parts.negative = text[i] == '-';
    parts.plus = text[i] == '+';
    ++i;
  }
  const auto digits = [&] {
    const auto begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return text.substr(begin, i - begin);
  };
  parts.integer = digits();
  if (i < text.size() && text[i] == decimal) {
    parts.has_point = true;
    ++i;
    parts.fraction = digits();
  }
  if (parts.integer.empty() && parts.fraction.empty()) return parts;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    parts.has_exponent = true;
    ++i;
    if (i < text.size() && text[i] == '+') ++i;
    const auto rest = text.substr(i);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), parts.exponent);
    if (error != std::errc{} || std::abs(parts.exponent) > 10'000) return parts;
    i += static_cast<std::size_t>(end - rest.data());
  }
  parts.ok = i == text.size();
  return parts;
}

bool exact_spelling(const NumberParts& parts) {
  if (parts.plus || parts.has_exponent || parts.integer.empty()) return false;
  if (parts.integer.size() > 1 && parts.integer.front() == '0') return false;
  if (parts.has_point && parts.fraction.empty()) return false;
  return static_cast<int>(parts.integer.size() + parts.fraction.size()) <= kExactDecimals;
}

// Moves the decimal point of declared exponents: the digits of integer and fraction in `digits`.
bool expand_exponent(NumberParts& parts, std::string& digits) {
  digits.assign(parts.integer);
  digits += parts.fraction;
  auto point = static_cast<int>(parts.integer.size()) + parts.exponent;
  if (std::abs(point) > kExpandedDigits || digits.size() > kExpandedDigits) return false;
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (static_cast<std::size_t>(point) > digits.size()) digits.resize(static_cast<std::size_t>(point), '0');
  parts.integer = std::string_view(digits).substr(0, static_cast<std::size_t>(point));
  parts.fraction = std::string_view(digits).substr(static_cast<std::size_t>(point));
  return true;
}

constexpr std::array<std::string_view, 6> kTrueWords = {"true", "1", "yes", "y", "t", "on"};
constexpr std::array<std::string_view, 6> kFalseWords = {"false", "0", "no", "n", "f", "off"};

}  // namespace

std::string_view code_of(Misfit misfit) {
  switch (misfit) {
    case Misfit::none:
      return "";
    case Misfit::not_a_number:
      return "notANumber";
    case Misfit::out_of_range:
      return "outOfRange";
    case Misfit::too_many_decimals:
      return "tooManyDecimals";
    case Misfit::not_a_boolean:
      return "notABoolean";
    case Misfit::not_a_date:
      return "notADate";
    case Misfit::not_a_timestamp:
      return "notATimestamp";
    case Misfit::not_json:
      return "notJson";
  }
  return "";
}

Parsed<bool> parse_boolean(std::string_view text, Rule rule) {
  text = without_blanks(text);
  if (text == "true" || text == "True" || text == "TRUE") return {true};
  if (text == "false" || text == "False" || text == "FALSE") return {false};
  if (rule == Rule::declared) {
    for (const auto word : kTrueWords) {
      if (iequals(text, word)) return {true};
    }
    for (const auto word : kFalseWords) {
      if (iequals(text, word)) return {false};
    }
  }
  return {false, Misfit::not_a_boolean};
}

Parsed<std::int64_t> parse_int64(std::string_view text, Rule rule) {
  const char* p = text.data();
  const std::size_t n = text.size();
  const std::size_t sign = n != 0 && *p == '-' ? 1 : 0;
  // The common case, a plain integer of at most 18 digits, in one loop.
  if (n > sign && n - sign <= kExactDigits) {
    std::uint64_t value = 0;
    bool digits = true;
    for (std::size_t i = sign; i < n; ++i) {
      const auto digit = static_cast<unsigned char>(p[i] - '0');
      digits &= digit < 10;
      value = value * 10 + digit;
    }
    if (digits && (p[sign] != '0' || n - sign == 1 || rule == Rule::declared)) {
      const auto number = static_cast<std::int64_t>(value);
      return {sign != 0 ? -number : number};
    }
  }
  if (n != 0 && (is_blank(p[0]) || is_blank(p[n - 1]))) return parse_int64(without_blanks(text), rule);
  if (rule == Rule::exact) return {0, Misfit::not_a_number};
  std::string scratch;
  const auto decimal = parse_decimal(text, rule, {}, scratch);
  if (!decimal) return {0, decimal.misfit};
  std::int64_t value = 0;
  const auto* const begin = decimal.value.data();
  const auto* const end = begin + decimal.value.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) return {0, Misfit::out_of_range};
  if (stop != end) return {0, Misfit::too_many_decimals};
  return {value};
}

Parsed<double> parse_real(std::string_view text, char decimal) {
  text = without_blanks(text);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const std::size_t first = !text.empty() && text.front() == '-' ? 1 : 0;
  if (first >= text.size() || !(is_digit(text[first]) || text[first] == decimal)) {
    return {0, Misfit::not_a_number};
  }
  std::string copy;
  if (decimal != '.') {
    if (text.find('.') != std::string_view::npos) return {0, Misfit::not_a_number};
    copy = text;
    std::replace(copy.begin(), copy.end(), decimal, '.');
    text = copy;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return {0, Misfit::out_of_range};
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return {0, Misfit::not_a_number};
  }
  return {value};
}

Parsed<std::string_view> parse_decimal(std::string_view text, Rule rule, DecimalLimits limits,
                                       std::string& scratch) {
  text = without_blanks(text);
  auto parts = split_number(text, limits.decimal);
  if (!parts.ok) return {{}, Misfit::not_a_number};
  const bool exact = exact_spelling(parts);
  if (!exact && rule == Rule::exact) return {{}, Misfit::not_a_number};
  std::string expanded;
  if (parts.has_exponent && !expand_exponent(parts, expanded)) return {{}, Misfit::out_of_range};
  while (!parts.fraction.empty() && parts.fraction.back() == '0') parts.fraction.remove_suffix(1);
  while (parts.integer.size() > 1 && parts.integer.front() == '0') parts.integer.remove_prefix(1);
  if (limits.precision > 0) {
    const int digits = parts.integer == "0" ? 0 : static_cast<int>(parts.integer.size());
    if (digits > limits.precision - limits.scale) return {{}, Misfit::out_of_range};
    if (static_cast<int>(parts.fraction.size()) > limits.scale) return {{}, Misfit::too_many_decimals};
  }
  const bool zero = parts.fraction.empty() && (parts.integer.empty() || parts.integer == "0");
  if (zero) return {"0"};
  if (exact && (limits.decimal == '.' || parts.fraction.empty())) {
    const auto* const end = parts.fraction.empty() ? parts.integer.data() + parts.integer.size()
                                                   : parts.fraction.data() + parts.fraction.size();
    return {text.substr(0, static_cast<std::size_t>(end - text.data()))};
  }
  scratch.clear();
  if (parts.negative) scratch += '-';
  scratch += parts.integer.empty() ? std::string_view("0") : parts.integer;
  if (!parts.fraction.empty()) {
    scratch += '.';
    scratch += parts.fraction;
  }
  return {scratch};
}

}  // namespace sluice::decode
