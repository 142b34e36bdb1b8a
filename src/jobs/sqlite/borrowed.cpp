// Enqueue on a connection of the caller's, inside its transaction.
#include "jobs/store/borrowed.h"

#include "jobs/sqlite/following.h"
#include "jobs/sqlite/parts.h"

namespace sluice::jobs {

Result<std::vector<Enqueued>> SqliteJobStore::enqueue_in(sql::Connection& transaction,
                                                         std::span<const NewJob> jobs, Timestamp now) {
  std::string identity;
  SLUICE_CHECK(file_.read([&](Database& own) {
    return own.each("select identity from store", [&](const Row& row) -> Result<void> {
      identity = row.text(0);
      return {};
    });
  }));
  SLUICE_TRY(auto savepoint, Savepoint::begin(transaction, sql::Dialect::sqlite));
  std::vector<Enqueued> made;
  {
    Database database(transaction);
    // "main": of an attached file, a crash could keep the one half without the other.
    SLUICE_CHECK(check_identity(database, "select identity from main.store", identity));
    Account account(database, now);
    SLUICE_TRY(made, sluice::jobs::enqueue_in(database, account, jobs));
    SLUICE_CHECK(account.close());
  }
  SLUICE_CHECK(savepoint.keep());
  return made;
}

}  // namespace sluice::jobs
