#include "service/job_store.h"

#include "jobs/postgres/store.h"
#include "jobs/sqlite/store.h"
#include "sql/database_url.h"
#include "sql/postgres.h"

#include <fmt/format.h>

#include <optional>
#include <system_error>

namespace sluice::service {
namespace {

std::optional<Secret> server_of(const std::string& database) {
  if (database.empty()) return std::nullopt;
  const auto parsed = sql::parse_database_url(database);
  if (!parsed || parsed->dialect != sql::Dialect::postgres) return std::nullopt;
  return parsed->server;
}

}  // namespace

Result<std::unique_ptr<jobs::Store>> open_job_store(const std::string& database,
                                                    const std::filesystem::path& data) {
  const auto server = server_of(database);
  if (!server) return jobs::open_sqlite_store(data);
  auto store = jobs::open_postgres_store(*server);
  if (!store) return fail_within("--database " + sql::describe_postgres(*server), std::move(store).error());
  return store;
}

Result<bool> job_store_exists(const std::string& database, const std::filesystem::path& data) {
  if (server_of(database)) return true;
  std::error_code failed;
  const auto folder = std::filesystem::status(data, failed);
  if (folder.type() == std::filesystem::file_type::not_found) return false;
  if (!failed && !std::filesystem::is_directory(folder))
    return fail(ErrorCode::io, fmt::format("{} is not a folder", data.string()));
  const bool there = !failed && std::filesystem::exists(data / "jobs.db", failed);
  if (failed)
    return fail(ErrorCode::io, fmt::format("cannot look into {}: {}", data.string(), failed.message()));
  return there;
}

std::string describe_job_store(const std::string& database, const std::filesystem::path& data) {
  const auto server = server_of(database);
  return server ? sql::describe_postgres(*server) : data.string();
}

}  // namespace sluice::service
