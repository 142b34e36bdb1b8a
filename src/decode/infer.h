// Which type a field has, from its values. The rules : bool only true/false; leading zeros,
// a plus sign or more than 18 digits stay text; fractions are exact decimals; exponents are doubles; dates
// only year-first; quoted values are text, dates or timestamps, never numbers; values that disagree make
// text.
#pragma once

#include "decode/decode.h"

#include <cstdint>
#include <string_view>

namespace sluice::decode {

// The type of one value by its spelling. `quoted`: a quoted CSV field or a JSON string.
struct Kind {
  ValueType type = ValueType::text;
  int integer_digits = 0;  // int64 and decimal
  int scale = 0;           // decimal: fractional digits as written
};
Kind kind_of(std::string_view text, bool quoted, char decimal = '.');

// The narrowest type that holds values of both.
ValueType join(ValueType a, ValueType b);

// Collects what is seen of one field.
class Inference {
 public:
  void add_null() { nullable_ = true; }
  void add_text(std::string_view text, bool quoted, char decimal = '.');
  void add(Kind kind);
  void add_observed(const Observed& observed);  // joins an earlier observation or a column's present type
  Observed result(std::string_view name) const;

 private:
  Kind kind_;
  bool seen_ = false;
  bool blank_seen_ = false;  // '' in quotes: says nothing about the type of the others
  bool nullable_ = false;
  bool ambiguous_date_ = false;
};

}  // namespace sluice::decode
