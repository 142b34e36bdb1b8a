// Decimals inside keys: memcmp order of the bytes is the order of the numbers, of any length.
//   sign       0 negative, 1 zero (nothing follows), 2 positive
//   magnitude  4 bytes big-endian: 2^31 + the power of ten before the first digit (0.d1d2… × 10^power)
//   digits     as ASCII, first and last not '0'; then a 0 byte
// Of negative numbers all bytes after the sign are inverted.
#pragma once

#include <string>
#include <string_view>

namespace sluice::diff {

// `text` as in model/value.h: [-]digits[.digits].
void append_decimal(std::string_view text, std::string& out);
// Takes one decimal off the front of `bytes` and appends its canonical text; false when it is damaged.
bool take_decimal(std::string_view& bytes, std::string& text);

}  // namespace sluice::diff
