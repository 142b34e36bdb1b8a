// Numbers by their spelling: exact, whatever their length and exponent. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// 0.DIGITS × 10^point, with a sign. `digits` begins and ends with another digit than 0; empty is zero, which
// has no sign and point 0. Equal numbers are equal, however they were spelled.
struct Number {
  bool negative = false;
  std::string digits;
  std::int64_t point = 0;

  bool is_zero() const { return digits.empty(); }
  bool is_integer() const { return static_cast<std::int64_t>(digits.size()) <= point || is_zero(); }
  // Written without an exponent: digits before the point (0 for 0.5) and behind it.
  std::int64_t integer_digits() const { return point > 0 ? point : 0; }
  std::int64_t fraction_digits() const {
    return is_integer() ? 0 : static_cast<std::int64_t>(digits.size()) - point;
  }
  friend bool operator==(const Number&, const Number&) = default;
};

// [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point. Nothing for other text,
// and for exponents beyond 10^15, unless the number is zero anyway.
std::optional<Number> parse_number(std::string_view text, char decimal = '.');
// The number that the shortest text of a finite double says.
Number shortest_number(double value);

// The canonical text of a decimal (model/value.h). The caller bounds integer_digits and fraction_digits: that
// many characters are written.
std::string plain_text(const Number& number);
// One text for each number: plain where that takes up to 38 digits, or up to 20 zeros beside its own digits;
// else like -1.5e-60.
std::string number_text(const Number& number);

// True when the double next to the number is written back as this number: 0.1 and 0.30000000000000004, not
// 0.12345678901234567890. Always so for up to 15 digits of a usual size.
bool double_holds(const Number& number);
// True when an SQL number, a 64-bit integer or a double, holds it.
bool sql_number_holds(const Number& number);
// The same of a decimal's canonical text; quick for short ones.
bool sql_number_holds(std::string_view decimal);

}  // namespace sluice
