// The type tags inside encoded keys and fingerprints. Stored on disk: never renumber; a change of meaning is
// a new kHashVersion.
#pragma once

#include "model/value.h"

#include <bit>
#include <cstdint>

namespace sluice::diff {

constexpr char tag_of(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return 0x10;
    case ValueType::int64:
      return 0x20;
    case ValueType::decimal:
      return 0x28;
    case ValueType::real:
      return 0x30;
    case ValueType::date:
      return 0x40;
    case ValueType::timestamp:
      return 0x48;
    case ValueType::text:
      return 0x50;
    case ValueType::json:
      return 0x58;
  }
  return 0;
}

// The bits of a double with -0.0 as 0.0 and every NaN as one: what equal means for keys and fingerprints.
constexpr std::int64_t canonical_real(std::int64_t bits) {
  const auto value = std::bit_cast<double>(bits);
  if (value == 0.0) return 0;
  if (value != value) return 0x7ff8'0000'0000'0000;
  return bits;
}

}  // namespace sluice::diff
