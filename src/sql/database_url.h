// --database: sqlite:PATH or postgres://…
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "sql/connection.h"
#include "sql/sqlite.h"

#include <filesystem>
#include <memory>
#include <string_view>

namespace sluice::sql {

struct DatabaseUrl {
  Dialect dialect = Dialect::sqlite;
  std::filesystem::path path;  // SQLite: as given; "~" and the like mean nothing
  Secret server;               // PostgreSQL: the whole URL, for open_postgres()
};

// Error: invalid_argument. Messages hold no password.
Result<DatabaseUrl> parse_database_url(std::string_view url);

// A database to load into. Error `unsupported` for PostgreSQL, which holds jobs only so far.
Result<std::unique_ptr<Connection>> open_database(const DatabaseUrl& url, const OpenOptions& options = {});

// The same error for whoever wants to say it before a database is opened.
Result<void> check_target(const DatabaseUrl& url);

}  // namespace sluice::sql
