// Which type a field has, from its values. The rules, for users: docs/values.md. In short: bool only
// true/false; leading zeros, a plus sign or more than 18 digits stay text; fractions are exact decimals; a
// number with an exponent has the type of its value, and is a double where no decimal of 38 digits holds it
// and a double does; in CSV an exponent needs a point in front; dates only year-first; quoted values are
// text, dates or timestamps, never numbers; values that disagree make text.
#pragma once

#include "decode/decode.h"

#include <cstdint>
#include <string_view>

namespace sluice::decode {

// How a value stands in its source, which says what its spelling may mean.
enum class Written : std::uint8_t {
  plain,    // an unquoted CSV field
  quoted,   // a quoted CSV field
  literal,  // a number, true or false of JSON
  string,   // a string of JSON
};

// The type of one value by its spelling.
struct Kind {
  ValueType type = ValueType::text;
  int integer_digits = 0;    // int64 and decimal
  int scale = 0;             // decimal: fractional digits as written
  bool in_double = true;     // numbers: a double holds it exactly (model/number.h)
  bool wide = false;         // numbers: neither an int64 nor a double holds it exactly
  bool has_point = false;    // numbers: written with a point
  bool needs_point = false;  // 1e-05 of CSV: a number only beside others that have a point
};
Kind kind_of(std::string_view text, Written written, char decimal = '.');

// The narrowest type that holds values of both.
ValueType join(ValueType a, ValueType b);

// Collects what is seen of one field.
class Inference {
 public:
  void add_null() { nullable_ = true; }
  void add_text(std::string_view text, Written written, char decimal = '.');
  void add(Kind kind);
  void add_observed(const Observed& observed);  // joins an earlier observation or a column's present type
  Observed result(std::string_view name) const;

 private:
  Kind kind_;
  bool seen_ = false;
  bool blank_seen_ = false;  // '' in quotes: says nothing about the type of the others
  bool nullable_ = false;
  std::string_view note_;  // a literal
};

}  // namespace sluice::decode
