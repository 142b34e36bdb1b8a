// Numbered schema steps, applied once, in order. Several components may share a database, each with its own
// count in the table _sluice_migration.
#pragma once

#include "base/error.h"
#include "sql/connection.h"

#include <span>
#include <string_view>

namespace sluice::sql {

// Brings `component` up to steps.size(): step i leads from version i to i + 1. A step that was released is
// never edited. In a transaction of its own, or within the caller's when one is open; costs one small read
// when there is nothing to do. Error `unsupported` when the database was written by a newer program.
Result<void> migrate(Connection& connection, std::string_view component,
                     std::span<const std::string_view> steps);

// True when the table exists (exact name). For readers of databases that may not have been written yet.
Result<bool> table_exists(Connection& connection, std::string_view table);

}  // namespace sluice::sql
