// Work inside a transaction that belongs to the store's user, on the user's connection.
#pragma once

#include "base/error.h"
#include "jobs/store/database.h"
#include "sql/connection.h"

#include <string>
#include <string_view>
#include <type_traits>

namespace sluice::jobs {

// Everything done between begin() and keep() is kept; without keep() it is undone with the object, and the
// transaction goes on as it was.
class Savepoint {
 public:
  // invalid_argument: the connection has no transaction, or is one to another kind of database.
  static Result<Savepoint> begin(sql::Connection& connection, sql::Dialect dialect);
  Savepoint(Savepoint&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Savepoint& operator=(Savepoint&&) = delete;
  ~Savepoint();
  Result<void> keep();

 private:
  explicit Savepoint(sql::Connection& connection) : connection_(&connection) {}
  sql::Connection* connection_;
};

// invalid_argument unless the query's one value is `identity`: the connection leads to another store, or
// none.
Result<void> check_identity(Database& database, std::string_view query, std::string_view identity);

}  // namespace sluice::jobs
