// From the columns a run wants and the table as it is to the table as it will be.
#pragma once

#include "base/error.h"
#include "model/schema.h"
#include "upsert/table_state.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::upsert {

struct TableWish {
  std::string table;
  Schema wanted;             // in table order; ids are ignored
  bool soft_delete = false;  // vanished: softDelete, so that _deleted_at is needed
};

struct TablePlan {
  std::string table;
  SchemaPtr schema;  // the wanted columns with their ids
  int next_column_id = 1;
  bool soft_delete = false;                 // vanished rows are marked, not deleted
  bool has_deleted_at = false;              // the table has or gets _deleted_at
  std::vector<std::string> ddl;             // run inside the apply transaction, in this order
  std::vector<std::string> schema_changes;  // for the receipt: "added column note text to country"
  std::vector<std::string> notes;           // warnings, for people
  // A column changed its type or left the definition: stored fingerprints say nothing, the run must compare
  // by columns (TableReader reads the old table with the new schema).
  bool fingerprints_stale = false;
  std::vector<std::size_t> made_anew;  // columns of the schema that somebody dropped by hand
};

// Widening is what may be done to a column that exists (can_widen). Errors (invalid_definition): the key
// differs from the table's, a column's type cannot become the wanted one, two columns differ only in case, an
// existing table lacks a key column or has one of a type that would alter values.
Result<TablePlan> plan_table(const Inspection& found, const TableWish& wish);

// Whether every value that may be stored survives exactly: int64 to decimal, a decimal of up to 15 digits to
// double, date to timestamp, anything to text. A key has to be found again under its new text: only integers
// and dates are written as sources write them.
bool can_widen(const Column& from, const Column& to, bool key);

}  // namespace sluice::upsert
