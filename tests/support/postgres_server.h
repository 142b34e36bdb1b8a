// A PostgreSQL server for tests: the one that ctest's fixture has started (SLUICE_TEST_POSTGRES names the
// file with its URL), else one of this executable's own, started at first use and stopped at exit.
#pragma once

#include <string>

namespace sluice::test {

/// postgres://… of the shared server. The process ends with a message when there is none.
std::string postgres_url();

/// A server of the test's own, which it may stop and start as it likes.
class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  const std::string& url() const { return url_; }
  /// Stops it, cutting every connection, and starts it again with all that was committed.
  void restart();

 private:
  std::string file_, url_;
};

}  // namespace sluice::test
