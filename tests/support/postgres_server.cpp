#include "support/postgres_server.h"

#include "support/paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace sluice::test {
namespace {

void script(const std::string& command, const std::string& file) {
  const std::string line = "'" + source_dir() + "/scripts/test-postgres.sh' " + command + " '" + file + "'";
  if (std::system(line.c_str()) == 0) return;
  std::cerr << "no PostgreSQL for the tests: " << line << " has failed\n";
  std::abort();
}

std::string read_url(const std::string& file) {
  std::string url;
  std::getline(std::ifstream(file), url);
  return url;
}

}  // namespace

PostgresServer::PostgresServer() {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-pg-url-XXXXXX").string();
  ::close(::mkstemp(name.data()));
  file_ = name;
  script("start", file_);
  url_ = read_url(file_);
}

PostgresServer::~PostgresServer() { script("stop", file_); }

void PostgresServer::restart() { script("restart", file_); }

std::string postgres_url() {
  if (const char* const file = std::getenv("SLUICE_TEST_POSTGRES")) {
    if (std::string url = read_url(file); !url.empty()) return url;
  }
  static const PostgresServer own;
  return own.url();
}

}  // namespace sluice::test
