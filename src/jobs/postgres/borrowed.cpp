// Enqueue on a connection of the caller's, inside its transaction.
#include "jobs/store/borrowed.h"

#include "jobs/postgres/parts.h"
#include "sql/identifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace sluice::jobs {
namespace {

// The settings under which our statements mean what they say, until put back: the caller has its own.
class Settings {
 public:
  static Result<Settings> set(Database& database, std::string_view schema) {
    Settings before;
    SLUICE_CHECK(
        database.each("select current_setting('search_path'), current_setting('client_encoding'), "
                      "current_setting('transaction_isolation')",
                      [&](const Row& row) -> Result<void> {
                        before.path_ = row.text(0);
                        before.encoding_ = row.text(1);
                        before.isolation_ = row.text(2);
                        return {};
                      }));
    SLUICE_CHECK(apply(database, sql::quote_identifier(schema), "UTF8"));
    return before;
  }
  const std::string& isolation() const { return isolation_; }
  Result<void> put_back(Database& database) const { return apply(database, path_, encoding_); }

 private:
  static Result<void> apply(Database& database, std::string_view path, std::string_view encoding) {
    return database.each(
        "select set_config('search_path', ?, true), set_config('client_encoding', ?, true)",
        [](const Row&) -> Result<void> { return {}; }, path, encoding);
  }
  std::string path_, encoding_, isolation_;
};

bool looks_at_others(const NewJob& job) {
  return !job.unique_key.empty() || (job.unless_live && !job.exclusive_key.empty());
}

}  // namespace

Result<std::vector<Enqueued>> PostgresJobStore::enqueue_in(sql::Connection& transaction,
                                                           std::span<const NewJob> jobs, Timestamp now) {
  std::string identity;
  SLUICE_CHECK(pool_.once([&](Database& own) {
    return own.each("select identity from store", [&](const Row& row) -> Result<void> {
      identity = row.text(0);
      return {};
    });
  }));
  // Its statements go last: a transaction with an error, which the savepoint takes back, forgets none.
  Database database(transaction);
  SLUICE_TRY(auto savepoint, Savepoint::begin(transaction, sql::Dialect::postgres));
  std::vector<Enqueued> made;
  {
    // On an error the savepoint takes the settings back too.
    SLUICE_TRY(const auto before, Settings::set(database, pool_.schema()));
    SLUICE_CHECK(check_identity(database, "select identity from store", identity));
    if (before.isolation() != "read committed" && std::ranges::any_of(jobs, looks_at_others)) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("whether another job of the key lives cannot be seen in a transaction that is {}: it "
                      "shows the past; begin it as \"read committed\", or enqueue without unless_live and "
                      "unique_key",
                      before.isolation()),
          "enqueue inside a transaction");
    }
    for (const NewJob& job : jobs) forget_mark_after(job.priority, now);
    SLUICE_TRY(made, sluice::jobs::enqueue_in(pool_, database, jobs, now));
    // The number is not noted as our own: when the caller commits, this store is to look again as well.
    SLUICE_CHECK(database.each("select " + pool_.touching(), [](const Row&) -> Result<void> { return {}; }));
    SLUICE_CHECK(before.put_back(database));
  }
  SLUICE_CHECK(savepoint.keep());
  return made;
}

}  // namespace sluice::jobs
