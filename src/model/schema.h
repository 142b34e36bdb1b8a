// The shape of rows: columns in target order and which of them form the key.
#pragma once

#include "model/value.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct Column {
  int id = 0;        // stable within a target table, from 1; pinned in _sluice_table; part of the fingerprint
  std::string name;  // target column
  std::string from;  // where in the record: a field name, or a dotted path into nested objects
  ValueType type = ValueType::text;
  int precision = 0;  // decimal only; 0 = not stated
  int scale = 0;
  bool required = false;  // NULL here rejects the record
  // decimal only: a value was seen that neither a 64-bit integer nor a double holds exactly (model/number.h).
  // Where a database has no exact decimals, such a column is kept as text. Never taken back.
  bool wide = false;
  friend bool operator==(const Column&, const Column&) = default;
};

struct Schema {
  std::vector<Column> columns;
  std::vector<std::size_t> key;  // indices into columns, in key order; empty = no key

  // Index of the column with this target name (exact), if any.
  std::optional<std::size_t> find(std::string_view name) const;
  bool is_key(std::size_t column) const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace sluice
