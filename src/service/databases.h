// Which database a loader writes to, and read connections for the page and the commands.
#pragma once

#include "base/error.h"
#include "model/spec.h"
#include "sql/connection.h"

#include <filesystem>
#include <memory>
#include <string>

namespace sluice::service {

class Databases {
 public:
  // `command_line` is --database and beats everything; `data` is where the default database lives.
  Databases(std::string command_line, std::filesystem::path data);

  // The URL a loader writes to: --database, the loader's own, the service's, else sqlite:DATA/sluice.db. A
  // --database postgres://… holds the jobs, and is loaded into where neither loader nor service name another.
  // An error (unreachable, naming --database) when the service file states one that cannot be used.
  Result<std::string> url_for(const LoaderSpec& loader, const ServiceSpec& service) const;

  // Whether --database names a server for the jobs.
  bool jobs_only() const;

  // A read-only connection, or null when the database does not exist yet.
  Result<std::unique_ptr<sql::Connection>> open_for_reading(const std::string& url) const;

 private:
  std::string command_line_;
  std::filesystem::path data_;
};

}  // namespace sluice::service
