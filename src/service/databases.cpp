#include "service/databases.h"

#include "sql/database_url.h"

#include <fmt/format.h>

namespace sluice::service {

Databases::Databases(std::string command_line, std::filesystem::path data)
    : command_line_(std::move(command_line)), data_(std::move(data)) {}

bool Databases::jobs_only() const {
  const auto parsed = sql::parse_database_url(command_line_);
  return parsed && parsed->dialect == sql::Dialect::postgres;
}

Result<std::string> Databases::url_for(const LoaderSpec& loader, const ServiceSpec& service) const {
  if (!command_line_.empty() && !jobs_only()) return command_line_;
  if (!loader.target.database.empty()) return loader.target.database;
  if (!service.database.empty()) return service.database;
  if (!service.database_problem.empty()) {
    return fail(ErrorCode::unreachable,
                fmt::format("{}; give another one with --database sqlite:PATH", service.database_problem));
  }
  if (!command_line_.empty()) return command_line_;
  return "sqlite:" + (data_ / "sluice.db").string();
}

Result<std::unique_ptr<sql::Connection>> Databases::open_for_reading(const std::string& url) const {
  SLUICE_TRY(const auto parsed, sql::parse_database_url(url));
  sql::OpenOptions options;
  options.read_only = true;
  options.create = false;
  options.cache_kib = 2 * 1024;
  auto connection = sql::open_database(parsed, options);
  if (!connection && connection.error().code == ErrorCode::not_found)
    return std::unique_ptr<sql::Connection>();
  return connection;
}

}  // namespace sluice::service
