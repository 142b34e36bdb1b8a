#include "model/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace sluice {
namespace {

constexpr std::int64_t kMostExponent = 1'000'000'000'000'000;
constexpr std::int64_t kPlainDigits = 38;
constexpr std::int64_t kPlainZeros = 20;
// Any decimal of 15 digits comes back from a double of this range (DBL_DIG; no subnormals).
constexpr std::size_t kAlwaysExact = 15;
constexpr std::int64_t kUsualPoint = 290;
constexpr std::size_t kLongestDouble = 17;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// [+-] digits, all of the text. Exponents too large to count are made just too large.
bool parse_exponent(std::string_view text, std::int64_t& exponent) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  exponent = 0;
  for (const char c : text) exponent = std::min(exponent * 10 + (c - '0'), kMostExponent + 1);
  if (negative) exponent = -exponent;
  return true;
}

// The digits of a double's shortest text, and its point.
struct Digits {
  std::array<char, kLongestDouble + 1> text{};
  std::size_t size = 0;
  std::int64_t point = 0;
};

Digits shortest_digits(double magnitude) {
  std::array<char, 40> buffer{};
  const auto* const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, std::chars_format::scientific)
          .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const auto e = text.find('e');
  Digits digits;
  for (const char c : text.substr(0, e)) {
    if (c != '.' && digits.size < digits.text.size()) digits.text[digits.size++] = c;
  }
  while (digits.size > 0 && digits.text[digits.size - 1] == '0') --digits.size;
  if (digits.size == 0 || e == std::string_view::npos) return {};
  parse_exponent(text.substr(e + 1), digits.point);
  ++digits.point;
  return digits;
}

}  // namespace

std::optional<Number> parse_number(std::string_view text, char decimal) {
  Number number;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  bool any = false;
  bool behind = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == decimal && !behind) {
      behind = true;
      continue;
    }
    if (!is_digit(c)) break;
    any = true;
    if (c == '0' && number.digits.empty()) {
      if (behind) --number.point;
      continue;
    }
    number.digits += c;
    if (!behind) ++number.point;
  }
  if (!any) return std::nullopt;
  std::int64_t exponent = 0;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    if (!parse_exponent(text.substr(i + 1), exponent)) return std::nullopt;
  }
  const auto last = number.digits.find_last_not_of('0');
  number.digits.resize(last == std::string::npos ? 0 : last + 1);
  if (number.digits.empty()) return Number{};
  if (std::abs(exponent) > kMostExponent) return std::nullopt;
  number.point += exponent;
  return number;
}

Number shortest_number(double value) {
  const auto digits = shortest_digits(std::abs(value));
  if (digits.size == 0) return {};
  return {std::signbit(value), std::string(digits.text.data(), digits.size), digits.point};
}

std::string plain_text(const Number& number) {
  if (number.is_zero()) return "0";
  std::string text(number.negative ? "-" : "");
  const auto size = static_cast<std::int64_t>(number.digits.size());
  if (number.point >= size) {
    text += number.digits;
    text.append(static_cast<std::size_t>(number.point - size), '0');
  } else if (number.point > 0) {
    text.append(number.digits, 0, static_cast<std::size_t>(number.point));
    text += '.';
    text.append(number.digits, static_cast<std::size_t>(number.point));
  } else {
    text += "0.";
    text.append(static_cast<std::size_t>(-number.point), '0');
    text += number.digits;
  }
  return text;
}

std::string number_text(const Number& number) {
  const auto plain = number.integer_digits() + number.fraction_digits();
  const auto zeros = plain - static_cast<std::int64_t>(number.digits.size());
  if (plain <= kPlainDigits || zeros <= kPlainZeros) return plain_text(number);
  std::string text(number.negative ? "-" : "");
  text += number.digits.front();
  if (number.digits.size() > 1) {
    text += '.';
    text.append(number.digits, 1);
  }
  text += 'e';
  text += std::to_string(number.point - 1);
  return text;
}

bool double_holds(const Number& number) {
  if (number.digits.size() <= kAlwaysExact && std::abs(number.point) <= kUsualPoint) return true;
  if (number.digits.size() > kLongestDouble || std::abs(number.point) > 400) return false;
  const std::string text = "0." + number.digits + 'e' + std::to_string(number.point);
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return false;
  const auto digits = shortest_digits(value);
  return digits.point == number.point && number.digits == std::string_view(digits.text.data(), digits.size);
}

bool sql_number_holds(const Number& number) {
  if (number.is_integer() && number.point <= 19) {
    const auto text = plain_text(number);
    std::int64_t integer = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), integer).ec == std::errc{}) return true;
  }
  return double_holds(number);
}

bool sql_number_holds(std::string_view decimal) {
  if (decimal.size() <= kAlwaysExact) return true;
  const auto number = parse_number(decimal);
  return number && sql_number_holds(*number);
}

}  // namespace sluice
