// The tables of the job store in a PostgreSQL schema, as numbered steps up and down.
#pragma once

#include "base/error.h"
#include "sql/connection.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace sluice::jobs {

std::span<const std::string_view> postgres_schema_versions();

// Back to an earlier version, 0 for nothing at all: what that one does not know is lost. For going back to an
// older program; stop every node first. An error when the schema has a newer version than this program's.
Result<void> revert_postgres_schema(sql::Connection& connection, std::size_t version);

}  // namespace sluice::jobs
