// The types a value can have on its way from source to target, and how each is held in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

// `fixed` types live in a 64-bit integer, `bytes` types in a string_view:
//   boolean    fixed  0 or 1
//   int64      fixed
//   real       fixed  the bits of the double (std::bit_cast)
//   date       fixed  days since 1970-01-01
//   timestamp  fixed  microseconds since 1970-01-01T00:00Z
//   decimal    bytes  canonical text: [-]digits[.digits], no leading zeros, no trailing zeros after the
//   point,
//                     no exponent, never "-0"; equal numbers have equal text
//   text       bytes  UTF-8 as given
//   json       bytes  compact text, object keys sorted by bytes
enum class ValueType : std::uint8_t { boolean, int64, decimal, real, text, date, timestamp, json };

constexpr bool is_fixed(ValueType type) {
  return type == ValueType::boolean || type == ValueType::int64 || type == ValueType::real ||
         type == ValueType::date || type == ValueType::timestamp;
}

// The spelling used in YAML, in `sluice show` and in the table's pinned state: "bool", "int64", "double", …
std::string_view to_string(ValueType type);
std::optional<ValueType> value_type_from(std::string_view name);

}  // namespace sluice
