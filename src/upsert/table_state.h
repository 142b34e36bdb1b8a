// What Sluice knows about a target table, and whether the table still is as it was left.
//
// Two tables beside the data: _sluice_table (one row a target table) and _sluice_fingerprint (the packed
// fingerprints). They are written in the transaction that writes the data.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "model/schema.h"
#include "sql/connection.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upsert {

inline constexpr std::string_view kDeletedAt = "_deleted_at";
inline constexpr int kSuspect = -1;

// The row of _sluice_table.
struct TableState {
  std::string table;
  std::string loader;           // the owner
  std::int64_t generation = 0;  // + 1 with every commit
  std::int64_t rows = 0;        // all rows, soft-deleted ones included
  std::int64_t soft_deleted = 0;
  SchemaPtr schema;             // as of the last load, with the ids
  int next_column_id = 1;       // ids are never given twice
  bool has_deleted_at = false;  // ours
  std::string mapping_hash;
  int hash_version = 0;            // kSuspect: see note_mismatch
  Timestamp checked_at{};          // the last full check that found nothing
  std::int64_t fingerprints = -1;  // entries stored; -1 = not known
  // Rows that stood in the table before the loader and that its sources have never had. While there are any,
  // rows that vanish from the sources are not removed (docs/decisions/0021).
  std::int64_t foreign_rows = 0;

  std::int64_t live() const { return rows - soft_deleted; }
};

// A column of the target table as the database tells it.
struct ActualColumn {
  std::string name;
  std::string type;  // as declared
  int key_part = 0;  // position in the primary key from 1, 0 = not part of it
  bool not_null = false;
  bool generated = false;  // computed by the table: nobody can write it
};

struct Inspection {
  bool exists = false;
  bool empty = true;  // no rows, or no table
  std::vector<ActualColumn> columns;
  bool rowid = true;                             // SQLite: not WITHOUT ROWID
  std::vector<std::vector<std::string>> unique;  // columns of unique indexes, the primary key included
  std::vector<std::string> attached;             // names of the table's own indexes and triggers
  std::optional<std::int64_t> rows;              // count(*), of a full inspection only
  std::optional<TableState> state;  // as stored; where there is a mismatch, soft_deleted is counted anew
  // A sentence for people when the table is not as it was left ("table country was emptied by hand: it had
  // 249 rows"); empty when it is, or when Sluice has never loaded it.
  std::string mismatch;

  std::string taken_from;       // another loader owned the table until now; "" = none did
  std::string free_index_name;  // for a unique index on the key

  // The column of this name; SQLite compares names without case.
  const ActualColumn* find(std::string_view name) const;
  // A unique index on just these columns, in any order.
  bool has_unique(const std::vector<std::string>& names) const;

  // Nothing to compare with: rows may stream in.
  bool first_load() const { return !exists || empty; }
  // The fingerprints cannot be trusted, the table's rows have to be read.
  bool compare_by_columns() const { return exists && !empty && (!state || !mismatch.empty()); }
  std::int64_t generation() const { return state ? state->generation : 0; }
  // All rows of the table: counted when they were, else by the state.
  std::int64_t known_rows() const { return rows ? *rows : (state ? state->rows : 0); }
};

// Creates Sluice's own tables where they are missing, also after somebody dropped them. Cheap when they are
// there.
Result<void> prepare_state(sql::Connection& connection);

// Whether a loader may take over the table that `owner` loaded; an error says why not. `exists`: the table is
// there.
using MayTakeOver = std::function<Result<void>(std::string_view owner, bool exists)>;

// Looks at the table and its state. `full` counts the rows and the fingerprints and compares every column;
// without it the table is only checked to be there, not emptied, and with its columns and its unique key.
// Works on read-only connections, before prepare_state too. Where another loader owns the table,
// `may_take_over` decides; without it only a table that is gone is given away. Errors: already_exists when it
// is not given away (the message names the owner); unsupported when the name is that of a view or an index;
// invalid_definition when it is one of Sluice's or SQLite's own.
Result<Inspection> inspect(sql::Connection& connection, std::string_view table, std::string_view loader,
                           bool full, const MayTakeOver& may_take_over = {});

// A full inspection is due: none was made, or the last good one is an hour old.
bool full_check_due(const std::optional<TableState>& state, Timestamp now);

// Notes that a full inspection of this generation found nothing. False when someone else has committed since.
Result<bool> note_checked(sql::Connection& connection, std::string_view table, std::int64_t generation,
                          Timestamp now);

// Remembers that a full inspection of this generation found a mismatch, until a run is applied: should the
// run that found it fail, and somebody change the table once more, the counts may fit again by chance.
Result<void> note_mismatch(sql::Connection& connection, std::string_view table, std::int64_t generation);

// All states, by table name. Empty before prepare_state.
Result<std::vector<TableState>> table_states(sql::Connection& connection);

// The tables that a loader owns, by name, and whether they are there.
struct OwnedTable {
  TableState state;
  bool exists = false;
};
Result<std::vector<OwnedTable>> tables_of(sql::Connection& connection, std::string_view loader);

// Within the caller's transaction. Gives the state of a table to the name it was given by hand.
Result<void> rename_state(sql::Connection& connection, std::string_view from, std::string_view to);
// Drops the state and the fingerprints of a table that is gone.
Result<void> forget_state(sql::Connection& connection, std::string_view table);
// Notes the new owner of a table that a run found as it was left. False when someone else has committed
// since.
Result<bool> note_owner(sql::Connection& connection, std::string_view table, std::int64_t generation,
                        std::string_view loader);

}  // namespace sluice::upsert
