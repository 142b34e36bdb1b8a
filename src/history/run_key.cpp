#include "history/run_key.h"

#include "sql/migration.h"

namespace sluice::history {
namespace {

Result<std::optional<std::int64_t>> number_of(sql::Connection& connection, std::string_view store) {
  SLUICE_TRY(auto select, connection.prepare("select number from _sluice_store where identity = ?"));
  select->bind_text(1, store);
  SLUICE_TRY(const bool found, select->step());
  if (!found) return std::nullopt;
  return select->int64(0);
}

JobId key_of(std::int64_t number, JobId job) { return JobId((number << kStoreShift) | job.value()); }

}  // namespace

Result<JobId> run_key(sql::Connection& connection, std::string_view store, JobId job) {
  SLUICE_TRY(auto number, number_of(connection, store));
  if (!number) {
    // One statement: two processes that come at once get two numbers, or find the one that was faster.
    SLUICE_TRY(auto insert, connection.prepare("insert into _sluice_store (identity, number) select ?, "
                                               "coalesce(max(number) + 1, 0) from _sluice_store where true "
                                               "on conflict (identity) do nothing"));
    insert->bind_text(1, store);
    SLUICE_CHECK(insert->run());
    SLUICE_TRY(number, number_of(connection, store));
    if (!number)
      return fail(ErrorCode::internal, "this job store could not be registered in the target database");
  }
  return key_of(*number, job);
}

Result<std::optional<JobId>> find_run_key(sql::Connection& connection, std::string_view store, JobId job) {
  SLUICE_TRY(const bool known, sql::table_exists(connection, "_sluice_store"));
  if (!known) return std::nullopt;
  SLUICE_TRY(const auto number, number_of(connection, store));
  if (!number) return std::nullopt;
  return key_of(*number, job);
}

}  // namespace sluice::history
