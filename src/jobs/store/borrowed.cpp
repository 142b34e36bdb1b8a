#include "jobs/store/borrowed.h"

#include <utility>

namespace sluice::jobs {
namespace {

constexpr std::string_view kWhere = "enqueue inside a transaction";

}  // namespace

Result<Savepoint> Savepoint::begin(sql::Connection& connection, sql::Dialect dialect) {
  if (connection.dialect() != dialect) {
    return fail(ErrorCode::invalid_argument,
                dialect == sql::Dialect::sqlite
                    ? "the connection is to PostgreSQL and the job store is an SQLite file"
                    : "the connection is to an SQLite file and the job store is in PostgreSQL",
                std::string(kWhere));
  }
  if (!connection.in_transaction()) {
    return fail(ErrorCode::invalid_argument,
                "the connection has no transaction; begin one, or enqueue without it", std::string(kWhere));
  }
  SLUICE_CHECK(connection.execute("savepoint sluice_enqueue"));
  return Savepoint(connection);
}

Savepoint::~Savepoint() {
  if (connection_ == nullptr) return;
  // Where this fails, the database has rolled back the whole transaction.
  (void)connection_->execute("rollback to savepoint sluice_enqueue; release savepoint sluice_enqueue");
}

Result<void> Savepoint::keep() {
  SLUICE_CHECK(connection_->execute("release savepoint sluice_enqueue"));
  connection_ = nullptr;
  return {};
}

Result<void> check_identity(Database& database, std::string_view query, std::string_view identity) {
  std::string found;
  const auto read = database.each(query, [&](const Row& row) -> Result<void> {
    found = row.text(0);
    return {};
  });
  // "no such table" is an error of a statement, which is called internal.
  if (!read && read.error().code != ErrorCode::internal && read.error().code != ErrorCode::not_found)
    return read;
  if (read && found == identity) return {};
  return fail(ErrorCode::invalid_argument,
              "the connection is not to the database of the job store; what one transaction writes is in one "
              "database",
              std::string(kWhere));
}

}  // namespace sluice::jobs
