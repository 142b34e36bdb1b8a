// How model values are held in SQLite, and how they are read back exactly.
//
//   type       declared by us    held as
//   bool       BOOLEAN           0 or 1
//   int64      BIGINT            integer (a single key column: INTEGER PRIMARY KEY)
//   decimal    DECIMAL(p,s)      up to 15 digits: integer or real, so that SQL compares them as numbers
//              TEXT              more digits, or their number is not known: canonical text
//   double     DOUBLE            real (NaN, which SQLite cannot hold, is NULL)
//   text       TEXT
//   date       TEXT              2026-01-05
//   timestamp  TEXT              2026-01-05T09:30:00.25Z
//   json       TEXT              compact; a type named JSON would turn 1.50 into a number
#pragma once

#include "model/arena.h"
#include "model/row_batch.h"
#include "model/schema.h"
#include "sql/value.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::upsert {

// SQLite's type affinity of a declared column type (sqlite.org/datatype3.html, 3.1).
enum class Affinity : std::uint8_t { integer, text, blob, real, numeric };
Affinity affinity_of(std::string_view declared);

// Decimals of this precision survive SQLite's NUMERIC affinity.
inline constexpr int kNumericDigits = 15;
inline bool is_numeric_decimal(const Column& column) {
  return column.precision > 0 && column.precision <= kNumericDigits;
}

std::string declared_type(const Column& column);
// True when values of the column survive being stored in a column of this affinity.
bool fits(const Column& column, Affinity affinity);

// The value as it is bound; `text` is where dates are written and must live as long as `out`. False for a
// decimal with more digits than its numeric column holds.
using CellText = std::array<char, 40>;
bool encode_cell(const ColumnData& column, std::size_t row, Affinity affinity, CellText& text,
                 sql::Value& out);

// Appends a stored value as one of `type`. False when it is not of that type; nothing is appended then.
bool read_cell(const sql::Value& value, ColumnData& out, Arena& arena);
// Appends the value that no source can have.
void push_foreign(ColumnData& out, Arena& arena);

}  // namespace sluice::upsert
