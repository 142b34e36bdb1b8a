#include "load/logged_row.h"

#include "decode/convert.h"
#include "history/logged_cells.h"
#include "upsert/cell.h"

#include <bit>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace sluice::load {
namespace {

template <class T>
std::optional<std::int64_t> whole(const decode::Parsed<T>& parsed) {
  if (!parsed) return std::nullopt;
  return static_cast<std::int64_t>(parsed.value);
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> real_bits(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::bit_cast<std::int64_t>(std::numeric_limits<double>::quiet_NaN());
  if (text == "Infinity") return std::bit_cast<std::int64_t>(kInfinity);
  if (text == "-Infinity") return std::bit_cast<std::int64_t>(-kInfinity);
  const auto parsed = decode::parse_real(text);
  if (!parsed) return std::nullopt;
  return std::bit_cast<std::int64_t>(parsed.value);
}

// Dates and times that the calendar cannot show stand there as numbers.
std::optional<std::int64_t> fixed_value(ValueType type, std::string_view text, bool quoted) {
  switch (type) {
    case ValueType::boolean:
      return whole(decode::parse_boolean(text, decode::Rule::exact));
    case ValueType::int64:
      return number(text);
    case ValueType::real:
      return real_bits(text);
    case ValueType::date:
      return quoted ? whole(decode::parse_date(text, decode::Rule::exact)) : number(text);
    case ValueType::timestamp:
      return quoted ? whole(decode::parse_timestamp(text, decode::Rule::exact)) : number(text);
    case ValueType::decimal:
    case ValueType::text:
    case ValueType::json:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool push_logged(const Column& column, std::string_view json, ColumnData& out, Arena& arena) {
  if (json == "null") {
    out.push_null();
    return true;
  }
  const auto unquoted = history::string_of(json);
  const std::string_view text = unquoted ? std::string_view(*unquoted) : json;
  if (is_fixed(column.type)) {
    const auto value = fixed_value(column.type, text, unquoted.has_value());
    if (value) out.push_fixed(*value);
    return value.has_value();
  }
  if (column.type == ValueType::decimal) {
    std::string scratch;
    const auto parsed = decode::parse_decimal(text, decode::Rule::declared, {}, scratch);
    if (parsed) out.push_bytes(arena.store(parsed.value));
    return static_cast<bool>(parsed);
  }
  out.push_bytes(arena.store(column.type == ValueType::json ? json : text));
  return true;
}

bool replace_logged(RowBatch& batch, std::size_t column, std::string_view json) {
  ColumnData value;
  auto& cells = batch.columns()[column];
  value.type = cells.type;
  if (!push_logged(batch.schema().columns[column], json, value, batch.arena())) return false;
  cells.pop();
  if (value.null[0] != 0) {
    cells.push_null();
  } else if (is_fixed(cells.type)) {
    cells.push_fixed(value.fixed[0]);
  } else {
    cells.push_bytes(value.bytes[0]);
  }
  return true;
}

bool holds_logged(const RowBatch& batch, std::size_t column, std::size_t row, std::string_view json) {
  Arena arena;
  ColumnData value;
  const auto& cells = batch.columns()[column];
  value.type = cells.type;
  if (!push_logged(batch.schema().columns[column], json, value, arena)) return false;
  return upsert::same_cell(value, 0, cells, row);
}

}  // namespace sluice::load
