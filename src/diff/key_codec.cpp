#include "diff/key_codec.h"

#include "base/clock.h"
#include "base/text.h"
#include "diff/decimal_key.h"
#include "diff/value_tags.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>

namespace sluice::diff {
namespace {

constexpr std::uint64_t kSignBit = 1ull << 63;
constexpr std::int64_t kDaysOfAnyYear = 10'000 * 365;  // beyond, a damaged key

// Unsigned numbers whose order is the order of the values.
std::uint64_t ordered(ValueType type, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (type != ValueType::real) return bits ^ kSignBit;
  const auto real = static_cast<std::uint64_t>(canonical_real(value));
  return (real & kSignBit) != 0 ? ~real : real | kSignBit;
}

std::int64_t unordered(ValueType type, std::uint64_t bits) {
  if (type != ValueType::real) return static_cast<std::int64_t>(bits ^ kSignBit);
  return static_cast<std::int64_t>((bits & kSignBit) != 0 ? bits ^ kSignBit : ~bits);
}

void append_escaped(std::string_view text, std::string& out) {
  for (std::size_t begin = 0;;) {
    const auto zero = text.find('\0', begin);
    out += text.substr(begin, zero - begin);
    if (zero == std::string_view::npos) break;
    out += std::string_view("\0\xff", 2);
    begin = zero + 1;
  }
  out += std::string_view("\0\1", 2);
}

// Takes the escaped text off the front of `bytes`; false when it has no end.
bool take_escaped(std::string_view& bytes, std::string& out) {
  for (;;) {
    const auto zero = bytes.find('\0');
    if (zero == std::string_view::npos || zero + 1 >= bytes.size()) return false;
    out += bytes.substr(0, zero);
    const char after = bytes[zero + 1];
    bytes.remove_prefix(zero + 2);
    if (after == '\1') return true;
    if (after != '\xff') return false;
    out.push_back('\0');
  }
}

struct Cell {
  std::int64_t fixed = 0;
  std::string bytes;
};

std::optional<Cell> take_part(std::string_view& bytes, ValueType type, bool last) {
  if (bytes.empty() || bytes[0] != tag_of(type)) return std::nullopt;
  bytes.remove_prefix(1);
  Cell cell;
  switch (type) {
    case ValueType::boolean:
      if (bytes.empty() || (bytes[0] != 0 && bytes[0] != 1)) return std::nullopt;
      cell.fixed = bytes[0];
      bytes.remove_prefix(1);
      return cell;
    case ValueType::int64:
    case ValueType::date:
    case ValueType::timestamp:
    case ValueType::real: {
      std::uint64_t value = 0;
      if (bytes.size() < sizeof value) return std::nullopt;
      std::memcpy(&value, bytes.data(), sizeof value);
      cell.fixed = unordered(type, __builtin_bswap64(value));
      bytes.remove_prefix(sizeof value);
      return cell;
    }
    case ValueType::decimal:
      if (!take_decimal(bytes, cell.bytes)) return std::nullopt;
      return cell;
    case ValueType::text:
    case ValueType::json:
      if (!last) return take_escaped(bytes, cell.bytes) ? std::optional(std::move(cell)) : std::nullopt;
      cell.bytes = bytes;
      bytes = {};
      return cell;
  }
  return std::nullopt;
}

std::string describe_cell(const ColumnData& column, std::size_t row) {
  switch (column.type) {
    case ValueType::boolean:
      return column.fixed[row] != 0 ? "true" : "false";
    case ValueType::int64:
      return std::to_string(column.fixed[row]);
    case ValueType::real:
      return fmt::format("{}", std::bit_cast<double>(column.fixed[row]));
    case ValueType::date:
      if (column.fixed[row] < -kDaysOfAnyYear || column.fixed[row] > kDaysOfAnyYear)
        return fmt::format("day {}", column.fixed[row]);
      return format_utc(Timestamp(std::chrono::days(column.fixed[row]))).substr(0, 10);
    case ValueType::timestamp:
      return format_utc(Timestamp(std::chrono::microseconds(column.fixed[row])));
    case ValueType::decimal:
      return std::string(column.bytes[row]);
    case ValueType::text:
    case ValueType::json:
      return fmt::format("'{}'", printable(column.bytes[row], 80));
  }
  return {};
}

}  // namespace

bool append_key(const RowBatch& batch, std::size_t row, std::string& out) {
  const auto before = out.size();
  const auto& key = batch.schema().key;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto& column = batch.columns()[key[i]];
    if (column.null[row] != 0) {
      out.resize(before);
      return false;
    }
    out.push_back(tag_of(column.type));
    if (column.type == ValueType::boolean) {
      out.push_back(column.fixed[row] != 0 ? '\1' : '\0');
    } else if (is_fixed(column.type)) {
      const auto value = __builtin_bswap64(ordered(column.type, column.fixed[row]));
      out.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else if (column.type == ValueType::decimal) {
      append_decimal(column.bytes[row], out);
    } else if (i + 1 == key.size()) {
      out += column.bytes[row];
    } else {
      append_escaped(column.bytes[row], out);
    }
  }
  return true;
}

Result<void> decode_key(std::string_view key, RowBatch& out) {
  const auto& schema = out.schema();
  std::vector<Cell> cells;
  auto left = key;
  for (std::size_t i = 0; i < schema.key.size(); ++i) {
    const auto& column = schema.columns[schema.key[i]];
    auto cell = take_part(left, column.type, i + 1 == schema.key.size());
    if (!cell)
      return fail(ErrorCode::malformed, fmt::format("a stored key is damaged or not of type {} in column {}",
                                                    to_string(column.type), column.name));
    cells.push_back(std::move(*cell));
  }
  if (!left.empty())
    return fail(ErrorCode::malformed, fmt::format("a stored key has {} bytes too many", left.size()));
  for (auto& column : out.columns()) column.push_null();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    auto& column = out.columns()[schema.key[i]];
    column.null.back() = 0;
    if (is_fixed(column.type)) {
      column.fixed.back() = cells[i].fixed;
    } else {
      column.bytes.back() = out.arena().store(cells[i].bytes);
    }
  }
  out.ordinals.push_back(0);
  return {};
}

std::string describe_key(std::string_view key, const SchemaPtr& schema) {
  RowBatch row(schema);
  std::string text;
  if (!decode_key(key, row)) {
    for (const char byte : key.substr(0, 80)) text += fmt::format("{:02x}", static_cast<std::uint8_t>(byte));
    return text;
  }
  for (const auto column : schema->key) {
    if (!text.empty()) text += ", ";
    text += schema->columns[column].name + "=" + describe_cell(row.columns()[column], 0);
  }
  return text;
}

Reject missing_key_reject(const RowBatch& batch, std::size_t row) {
  Reject reject;
  reject.stage = RejectStage::key;
  reject.source = batch.source;
  reject.ordinal = batch.ordinals[row];
  reject.locator = fmt::format("record {}", reject.ordinal + 1);
  reject.code = "missingKey";
  for (const auto column : batch.schema().key) {
    if (batch.columns()[column].null[row] == 0) continue;
    reject.column = batch.schema().columns[column].name;
    break;
  }
  reject.message =
      fmt::format("key column {} is empty: a record without its key cannot be kept", reject.column);
  return reject;
}

}  // namespace sluice::diff
