// --database: sqlite:PATH or postgres://…
#pragma once

#include "base/error.h"
#include "sql/connection.h"
#include "sql/sqlite.h"

#include <filesystem>
#include <memory>
#include <string_view>

namespace sluice::sql {

struct DatabaseUrl {
  Dialect dialect = Dialect::sqlite;
  std::filesystem::path path;  // as given; "~" and the like mean nothing
};

// Errors: unsupported (PostgreSQL), invalid_argument (anything else). Messages hold no password.
Result<DatabaseUrl> parse_database_url(std::string_view url);

Result<std::unique_ptr<Connection>> open_database(const DatabaseUrl& url, const OpenOptions& options = {});

}  // namespace sluice::sql
