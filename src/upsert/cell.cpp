#include "upsert/cell.h"

#include "base/text.h"
#include "model/number.h"
#include "upsert/iso_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::upsert {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <class T>
bool parse_all(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool encode_decimal(std::string_view text, Affinity affinity, sql::Value& out) {
  if (affinity == Affinity::text || affinity == Affinity::blob) {
    out = sql::Value::of(text);
    return true;
  }
  std::int64_t integer = 0;
  if (affinity != Affinity::real && text.find('.') == std::string_view::npos && parse_all(text, integer)) {
    out = sql::Value::of(integer);
    return true;
  }
  if (!sql_number_holds(text)) return false;
  double real = 0;
  parse_all(text, real);
  out = sql::Value::of(real);
  return affinity != Affinity::real || text.size() <= kDoubleDigits || double_holds(*parse_number(text));
}

bool read_integer(const sql::Value& value, std::int64_t& out) {
  if (value.kind == sql::Kind::integer) {
    out = value.integer;
    return true;
  }
  if (value.kind == sql::Kind::real) {
    if (!(std::abs(value.real) < 9.2e18) || std::trunc(value.real) != value.real) return false;
    out = static_cast<std::int64_t>(value.real);
    return true;
  }
  return value.kind == sql::Kind::text && parse_all(value.bytes, out);
}

bool read_real(const sql::Value& value, double& out) {
  if (value.kind == sql::Kind::real) {
    out = value.real;
  } else if (value.kind == sql::Kind::integer) {
    out = static_cast<double>(value.integer);
  } else {
    return value.kind == sql::Kind::text && parse_all(value.bytes, out);
  }
  return true;
}

bool read_decimal(const sql::Value& value, ColumnData& out, Arena& arena) {
  if (value.kind == sql::Kind::integer) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.integer).ptr;
    out.push_bytes(arena.store({digits.data(), end}));
    return true;
  }
  if (value.kind == sql::Kind::real) {
    if (!std::isfinite(value.real)) return false;
    out.push_bytes(arena.store(plain_text(shortest_number(value.real))));
    return true;
  }
  std::string canonical;
  if (value.kind != sql::Kind::text || !canonical_decimal(value.bytes, canonical)) return false;
  out.push_bytes(arena.store(canonical));
  return true;
}

void read_text(const sql::Value& value, ColumnData& out, Arena& arena) {
  std::array<char, 64> digits;
  switch (value.kind) {
    case sql::Kind::integer: {
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.integer).ptr;
      out.push_bytes(arena.store({digits.data(), end}));
      return;
    }
    case sql::Kind::real: {
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.real).ptr;
      out.push_bytes(arena.store({digits.data(), end}));
      return;
    }
    default:
      out.push_bytes(arena.store(value.bytes));
  }
}

}  // namespace

Affinity affinity_of(std::string_view declared) {
  const std::string type = to_lower(declared);
  if (contains(type, "int")) return Affinity::integer;
  if (contains(type, "char") || contains(type, "clob") || contains(type, "text")) return Affinity::text;
  if (type.empty() || contains(type, "blob")) return Affinity::blob;
  if (contains(type, "real") || contains(type, "floa") || contains(type, "doub")) return Affinity::real;
  return Affinity::numeric;
}

std::string declared_type(const Column& column) {
  switch (column.type) {
    case ValueType::boolean:
      return "BOOLEAN";
    case ValueType::int64:
      return "BIGINT";
    case ValueType::decimal:
      if (column.wide) return "TEXT";
      return column.precision > 0 ? fmt::format("DECIMAL({},{})", column.precision, column.scale) : "DECIMAL";
    case ValueType::real:
      return "DOUBLE";
    case ValueType::text:
    case ValueType::date:
    case ValueType::timestamp:
    case ValueType::json:
      return "TEXT";
  }
  return "TEXT";
}

bool fits(const Column& column, Affinity affinity) {
  switch (column.type) {
    case ValueType::boolean:
      return true;
    case ValueType::int64:  // a REAL column rounds past 2^53
      return affinity != Affinity::real;
    case ValueType::decimal:
      if (affinity == Affinity::text || affinity == Affinity::blob) return true;
      if (affinity == Affinity::real)
        return !column.wide && column.precision > 0 && column.precision <= kDoubleDigits;
      return !column.wide;
    case ValueType::real:  // a TEXT column would keep 15 digits
      return affinity != Affinity::text;
    case ValueType::text:  // '007' must not become 7
    case ValueType::json:
      return affinity == Affinity::text || affinity == Affinity::blob;
    case ValueType::date:
    case ValueType::timestamp:  // never look like numbers, so every affinity keeps them
      return true;
  }
  return false;
}

bool encode_cell(const ColumnData& column, std::size_t row, Affinity affinity, CellText& text,
                 sql::Value& out) {
  if (column.null[row] != 0) {
    out = sql::Value();
    return true;
  }
  switch (column.type) {
    case ValueType::boolean:
    case ValueType::int64:
      out = sql::Value::of(column.fixed[row]);
      break;
    case ValueType::real:
      out = sql::Value::of(std::bit_cast<double>(column.fixed[row]));
      break;
    case ValueType::date:
      out = sql::Value::of(write_date(column.fixed[row], text));
      break;
    case ValueType::timestamp:
      out = sql::Value::of(write_timestamp(column.fixed[row], text));
      break;
    case ValueType::decimal:
      return encode_decimal(column.bytes[row], affinity, out);
    case ValueType::text:
    case ValueType::json:
      out = sql::Value::of(column.bytes[row]);
      break;
  }
  return true;
}

bool read_cell(const sql::Value& value, ColumnData& out, Arena& arena) {
  if (value.is_null()) {
    out.push_null();
    return true;
  }
  std::int64_t fixed = 0;
  double real = 0;
  switch (out.type) {
    case ValueType::boolean:
      if (!read_integer(value, fixed) || fixed < 0 || fixed > 1) return false;
      break;
    case ValueType::int64:
      if (!read_integer(value, fixed)) return false;
      break;
    case ValueType::real:
      if (!read_real(value, real)) return false;
      fixed = std::bit_cast<std::int64_t>(real);
      break;
    case ValueType::date:
      if (value.kind != sql::Kind::text || !read_date(value.bytes, fixed)) return false;
      break;
    case ValueType::timestamp:
      if (value.kind != sql::Kind::text || !read_timestamp(value.bytes, fixed)) return false;
      break;
    case ValueType::decimal:
      return read_decimal(value, out, arena);
    case ValueType::text:
    case ValueType::json:
      read_text(value, out, arena);
      return true;
  }
  out.push_fixed(fixed);
  return true;
}

void push_foreign(ColumnData& out, Arena& arena) {
  switch (out.type) {
    case ValueType::boolean:
      out.push_fixed(2);
      break;
    case ValueType::real:
      out.push_fixed(std::bit_cast<std::int64_t>(std::numeric_limits<double>::quiet_NaN()));
      break;
    case ValueType::int64:
    case ValueType::date:
    case ValueType::timestamp:
      out.push_fixed(std::numeric_limits<std::int64_t>::min());
      break;
    case ValueType::decimal:
    case ValueType::text:
    case ValueType::json:
      out.push_bytes(arena.store("\xff not a value"));
      break;
  }
}

bool same_cell(const ColumnData& a, std::size_t i, const ColumnData& b, std::size_t j) {
  if (a.null[i] != 0 || b.null[j] != 0) return a.null[i] == b.null[j];
  if (a.type == ValueType::real) {
    const auto x = std::bit_cast<double>(a.fixed[i]);
    const auto y = std::bit_cast<double>(b.fixed[j]);
    return x == y || (x != x && y != y);
  }
  return is_fixed(a.type) ? a.fixed[i] == b.fixed[j] : a.bytes[i] == b.bytes[j];
}

}  // namespace sluice::upsert
