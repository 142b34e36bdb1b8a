// A transaction that ends with its scope: rolled back unless committed.
#pragma once

#include "base/error.h"
#include "sql/connection.h"

#include <cstdint>
#include <utility>

namespace sluice::sql {

enum class TransactionKind : std::uint8_t {
  immediate,  // for writing: takes the write lock now, so that it waits for it instead of failing half-way
  deferred,   // for several reads of one state
};

class Transaction {
 public:
  // Error `locked` (retryable) when the write lock stays taken over the busy time-out.
  static Result<Transaction> begin(Connection& connection, TransactionKind kind = TransactionKind::immediate);

  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() { rollback(); }

  // After an error the transaction is still open (or was rolled back by the database) and is rolled back
  // with the object.
  Result<void> commit();
  // Also fine when the database has rolled back on its own. The connection is usable again afterwards.
  void rollback() noexcept;
  bool active() const { return connection_ != nullptr; }

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace sluice::sql
