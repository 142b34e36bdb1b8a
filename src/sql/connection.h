// The narrow seam to a database. One connection serves one thread at a time.
//
// Errors, the same for every database: locked (retryable: another holds it), conflict (a constraint said no),
// io (disk full, read-only, I/O), cancelled (the stop token of stop_on), malformed (not a database, damaged),
// unreachable, not_found, internal (a statement of ours is wrong).
#pragma once

#include "base/error.h"
#include "sql/statement.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>

namespace sluice::sql {

enum class Dialect : std::uint8_t { sqlite, postgres };

class Connection {
 public:
  virtual ~Connection() = default;

  // One statement. Trailing text after it is an error (internal).
  virtual Result<std::unique_ptr<Statement>> prepare(std::string_view sql) = 0;
  // Statements without parameters, one after the other; rows are dropped.
  virtual Result<void> execute(std::string_view script) = 0;

  virtual Dialect dialect() const = 0;
  // Rows changed by the last insert, update or delete.
  virtual std::int64_t changes() const = 0;
  // The rowid of the last insert on this connection.
  virtual std::int64_t last_insert_id() const = 0;
  virtual bool in_transaction() const = 0;

  // While the token is set, statements end with `cancelled` soon after stop is requested, even in the middle
  // of a long query or of the wait for a lock. A stopped write rolls its whole transaction back. An empty
  // token ends it. The token that held so far is the result.
  virtual std::stop_token stop_on(std::stop_token stop) = 0;
};

// stop_on() for the length of a scope; what held before holds again afterwards.
class StopScope {
 public:
  StopScope(Connection& connection, std::stop_token stop)
      : connection_(connection), before_(connection.stop_on(std::move(stop))) {}
  ~StopScope() { connection_.stop_on(std::move(before_)); }
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

 private:
  Connection& connection_;
  std::stop_token before_;
};

}  // namespace sluice::sql
