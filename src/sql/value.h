// One SQL value, bound or read. A view: text and blob bytes belong to someone else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::sql {

enum class Kind : std::uint8_t { null, integer, real, text, blob };

struct Value {
  Kind kind = Kind::null;
  union {
    std::int64_t integer = 0;
    double real;
  };
  std::string_view bytes;  // text (UTF-8) or blob

  Value() = default;
  static Value of(std::int64_t value) {
    Value v;
    v.kind = Kind::integer;
    v.integer = value;
    return v;
  }
  static Value of(double value) {
    Value v;
    v.kind = Kind::real;
    v.real = value;
    return v;
  }
  static Value of(std::string_view value) {
    Value v;
    v.kind = Kind::text;
    v.bytes = value;
    return v;
  }
  static Value of_blob(std::string_view value) {
    Value v;
    v.kind = Kind::blob;
    v.bytes = value;
    return v;
  }
  bool is_null() const { return kind == Kind::null; }
};

}  // namespace sluice::sql
