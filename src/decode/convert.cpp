#include "decode/convert.h"

#include "base/text.h"
#include "model/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace sluice::decode {
namespace {

constexpr int kExactDigits = 18;       // inference: longer integers stay text
constexpr int kExactDecimals = 38;     // inference: longer decimals stay text
constexpr int kExpandedInteger = 100;  // declared exponents: the longest result
constexpr int kExpandedFraction = 200;

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
  bool has_exponent = false;  // what it says is for parse_number
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
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits().empty()) return parts;
  }
  parts.ok = i == text.size();
  return parts;
}

bool exact_spelling(const NumberParts& parts) {
  if (parts.plus || parts.integer.empty()) return false;
  if (parts.integer.size() > 1 && parts.integer.front() == '0') return false;
  if (parts.has_point && parts.fraction.empty()) return false;
  return parts.has_exponent ||
         static_cast<int>(parts.integer.size() + parts.fraction.size()) <= kExactDecimals;
}

Misfit judge_digits(std::int64_t integer, std::int64_t fraction, const DecimalLimits& limits) {
  if (limits.precision == 0) return Misfit::none;
  if (integer > limits.precision - limits.scale) return Misfit::out_of_range;
  return fraction > limits.scale ? Misfit::too_many_decimals : Misfit::none;
}

Parsed<std::string_view> parse_with_exponent(std::string_view text, Rule rule, const DecimalLimits& limits,
                                             std::string& scratch) {
  if (!exponent_counts(text, rule, limits.decimal)) return {{}, Misfit::not_a_number};
  const auto number = parse_number(text, limits.decimal);
  if (!number) return {{}, Misfit::out_of_range};
  const auto integer = number->integer_digits();
  const auto fraction = number->fraction_digits();
  const bool short_enough = rule == Rule::declared
                                ? integer <= kExpandedInteger && fraction <= kExpandedFraction
                                : integer + fraction <= kExactDecimals;
  if (!short_enough) return {{}, Misfit::out_of_range};
  if (const auto misfit = judge_digits(integer, fraction, limits); misfit != Misfit::none)
    return {{}, misfit};
  scratch = plain_text(*number);
  return {scratch};
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

bool exponent_counts(std::string_view text, Rule rule, char decimal) {
  if (rule != Rule::exact) return true;
  const auto at = text.find_first_of("eE");
  if (at == std::string_view::npos || at + 1 >= text.size()) return false;
  return text[at + 1] == '+' || text[at + 1] == '-' ||
         text.substr(0, at).find(decimal) != std::string_view::npos;
}

Parsed<std::int64_t> parse_int64(std::string_view text, Rule rule, char decimal) {
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
  if (n != 0 && (is_blank(p[0]) || is_blank(p[n - 1])))
    return parse_int64(without_blanks(text), rule, decimal);
  if (rule != Rule::declared && text.find_first_of("eE") == std::string_view::npos)
    return {0, Misfit::not_a_number};
  // 1e-05 is a number only in columns of numbers with a point.
  if (rule == Rule::exact && text.find(decimal) == std::string_view::npos) return {0, Misfit::not_a_number};
  std::string scratch;
  const auto number = parse_decimal(text, rule, {0, 0, decimal}, scratch);
  if (!number) return {0, number.misfit};
  std::int64_t value = 0;
  const auto* const begin = number.value.data();
  const auto* const end = begin + number.value.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) return {0, Misfit::out_of_range};
  if (stop != end) return {0, Misfit::too_many_decimals};
  if (rule != Rule::declared && end - begin > kExactDigits + (value < 0 ? 1 : 0))
    return {0, Misfit::out_of_range};
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
  if (!exact && rule != Rule::declared) return {{}, Misfit::not_a_number};
  if (parts.has_exponent) return parse_with_exponent(text, rule, limits, scratch);
  while (!parts.fraction.empty() && parts.fraction.back() == '0') parts.fraction.remove_suffix(1);
  while (parts.integer.size() > 1 && parts.integer.front() == '0') parts.integer.remove_prefix(1);
  const auto digits = parts.integer == "0" ? 0 : static_cast<std::int64_t>(parts.integer.size());
  const auto fraction = static_cast<std::int64_t>(parts.fraction.size());
  if (const auto misfit = judge_digits(digits, fraction, limits); misfit != Misfit::none) return {{}, misfit};
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
