// Column types as YAML writes them, and what Nox's attribute types are to us.
#pragma once

#include "model/value.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::definition {

struct ColumnType {
  ValueType type = ValueType::text;
  int precision = 0;  // decimal only; 0 = not stated
  int scale = 0;
};
struct ColumnTypeError {
  std::string message, suggestion;
};
// "int64", "decimal", "decimal(12,4)", …
std::expected<ColumnType, ColumnTypeError> parse_column_type(std::string_view text);
std::string format_column_type(ValueType type, int precision, int scale);

// "nvarchar" -> text, "money" -> decimal, …; without case.
std::optional<ValueType> nox_type(std::string_view name);

}  // namespace sluice::definition
