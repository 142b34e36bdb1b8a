#include "sql/database_url.h"

#include "base/secret.h"
#include "base/text.h"
#include "sql/postgres.h"

#include <fmt/format.h>

namespace sluice::sql {

Result<DatabaseUrl> parse_database_url(std::string_view url) {
  const auto colon = url.find(':');
  const std::string scheme = colon == std::string_view::npos ? std::string() : to_lower(url.substr(0, colon));
  if (scheme == "postgres" || scheme == "postgresql") {
    DatabaseUrl parsed{.dialect = Dialect::postgres, .path = {}, .server = Secret(std::string(url))};
    SLUICE_CHECK(check_postgres_url(parsed.server));
    return parsed;
  }
  if (scheme != "sqlite") {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("\"{}\" is not a database URL; write sqlite:PATH, for example sqlite:data/sluice.db, or "
                    "postgres://…",
                    printable(mask_url(url))));
  }
  std::string_view path = url.substr(colon + 1);
  // sqlite:///absolute/path and sqlite://relative/path, as other tools write them.
  if (path.starts_with("//")) path.remove_prefix(2);
  if (trim(path).empty()) {
    return fail(ErrorCode::invalid_argument, "the database URL names no file; write sqlite:PATH");
  }
  if (path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::invalid_argument, "the path in the database URL holds a NUL byte");
  }
  return DatabaseUrl{Dialect::sqlite, std::filesystem::path(path), {}};
}

Result<std::unique_ptr<Connection>> open_database(const DatabaseUrl& url, const OpenOptions& options) {
  SLUICE_CHECK(check_target(url));
  auto connection = open_sqlite(url.path, options);
  // What lies at the place of a target is the user's world, as is a disk that is full; nothing read from it
  // was wrong.
  if (!connection && connection.error().code == ErrorCode::malformed) {
    Error error = std::move(connection).error();
    error.code = ErrorCode::io;
    error.message += "; move the file away, put a backup in its place, or name another database";
    return std::unexpected(std::move(error));
  }
  return connection;
}

Result<void> check_target(const DatabaseUrl& url) {
  if (url.dialect == Dialect::sqlite) return {};
  return fail(
      ErrorCode::unsupported,
      "loading into PostgreSQL is not available yet; use --database sqlite:PATH, or keep only the jobs "
      "there and say in the service file where to load (database: sqlite:PATH)");
}

}  // namespace sluice::sql
