#include "sql/transaction.h"

namespace sluice::sql {

Result<Transaction> Transaction::begin(Connection& connection, TransactionKind kind) {
  if (connection.in_transaction()) {
    return fail(ErrorCode::internal, "a transaction is open already on this connection");
  }
  if (connection.dialect() == Dialect::sqlite) {
    SLUICE_CHECK(connection.execute(kind == TransactionKind::immediate ? "begin immediate" : "begin"));
  } else {
    SLUICE_CHECK(connection.execute(kind == TransactionKind::immediate
                                        ? "begin"
                                        : "begin transaction isolation level repeatable read read only"));
  }
  return Transaction(connection);
}

Result<void> Transaction::commit() {
  if (connection_ == nullptr) return fail(ErrorCode::internal, "the transaction has ended already");
  if (!connection_->in_transaction()) {
    connection_ = nullptr;
    return fail(ErrorCode::io, "the database has rolled the transaction back; nothing was written");
  }
  SLUICE_CHECK(connection_->execute("commit"));
  connection_ = nullptr;
  return {};
}

void Transaction::rollback() noexcept {
  if (connection_ == nullptr) return;
  // A stop request must not stop the way back.
  const StopScope never(*connection_, {});
  if (connection_->in_transaction()) (void)connection_->execute("rollback");
  connection_ = nullptr;
}

}  // namespace sluice::sql
