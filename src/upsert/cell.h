// How model values are held in SQLite, and how they are read back exactly.
//
//   type       declared by us    held as
//   bool       BOOLEAN           0 or 1
//   int64      BIGINT            integer (a single key column: INTEGER PRIMARY KEY)
//   decimal    DECIMAL(p,s)      integer or real, so that SQL compares them as numbers: every value is
//   exactly an
//                                int64 or the shortest text of a double (sql_number_holds in model/number.h)
//              TEXT              a column with a value for which that is not so (Column::wide): canonical
//              text
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

// Any decimal of this precision is a double exactly.
inline constexpr int kDoubleDigits = 15;

std::string declared_type(const Column& column);
// True when values of the column survive being stored in a column of this affinity.
bool fits(const Column& column, Affinity affinity);

// The value as it is bound; `text` is where dates are written and must live as long as `out`. False for a
// decimal that its numeric column would round.
using CellText = std::array<char, 40>;
bool encode_cell(const ColumnData& column, std::size_t row, Affinity affinity, CellText& text,
                 sql::Value& out);

// Appends a stored value as one of `type`. False when it is not of that type; nothing is appended then.
bool read_cell(const sql::Value& value, ColumnData& out, Arena& arena);
// Whether two values of one type are the same to a comparison: -0.0 is 0.0, and there is one NaN.
bool same_cell(const ColumnData& a, std::size_t i, const ColumnData& b, std::size_t j);
// Appends the value that no source can have.
void push_foreign(ColumnData& out, Arena& arena);

}  // namespace sluice::upsert
