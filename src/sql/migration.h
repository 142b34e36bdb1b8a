// Numbered schema steps, applied once, in order. Several components may share a database, each with its own
// count in the table _sluice_migration.
#pragma once

#include "base/error.h"
#include "sql/connection.h"

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace sluice::sql {

// Brings `component` up to steps.size(): step i leads from version i to i + 1. A step that was released is
// never edited. In a transaction of its own, or within the caller's when one is open; costs one small read
// when there is nothing to do. Error `unsupported` when the database was written by a newer program.
//
// `present` is asked where no count is found, since somebody may have dropped _sluice_migration: the version
// of the tables that are there, 0 for none. Step 0 must then put up with tables that exist.
using PresentVersion = std::function<Result<std::size_t>(Connection& connection)>;
Result<void> migrate(Connection& connection, std::string_view component,
                     std::span<const std::string_view> steps, const PresentVersion& present = {});

// A table of ours as the last step leaves it: `create` is one or more statements.
struct OwnTable {
  std::string_view name;
  std::string_view create;
};
// Makes those of the tables anew that somebody dropped; they come back empty. Costs one small read when all
// are there.
Result<void> restore_tables(Connection& connection, std::span<const OwnTable> tables);

// True when the table exists (exact name). For readers of databases that may not have been written yet.
Result<bool> table_exists(Connection& connection, std::string_view table);
// True when the table exists and has the column (exact names).
Result<bool> column_exists(Connection& connection, std::string_view table, std::string_view column);

}  // namespace sluice::sql
