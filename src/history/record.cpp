#include "history/record.h"

#include "history/tables.h"

namespace sluice::history {

Result<void> prepare_history(sql::Connection& connection) { return prepare_tables(connection); }

Result<std::optional<Receipt>> adopt(sql::Connection& connection, JobId job) {
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_run"}));
  if (!known) return std::nullopt;
  SLUICE_TRY(auto select,
             connection.prepare("select receipt from _sluice_run where job = ? and applied = 1"));
  select->bind_int64(1, job.value());
  SLUICE_TRY(const bool found, select->step());
  if (!found) return std::nullopt;
  SLUICE_TRY(auto receipt, receipt_from_json(select->text(0)));
  return receipt;
}

Result<void> insert_run(sql::Connection& connection, const Receipt& receipt, JobId key, Timestamp finished_at,
                        std::int64_t changes_logged) {
  SLUICE_TRY(const std::int64_t last, last_record(connection));
  // A row that was applied stays as it is, whoever comes later: no change is made then.
  SLUICE_TRY(auto insert,
             connection.prepare(
                 "insert into _sluice_run (job, loader, attempt, state, applied, started_at, finished_at, "
                 "catalog_hash, receipt, seq, changes_logged, changes_kept) "
                 "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) on conflict (job) do update set "
                 "loader = excluded.loader, attempt = excluded.attempt, state = excluded.state, "
                 "applied = excluded.applied, started_at = excluded.started_at, "
                 "finished_at = excluded.finished_at, catalog_hash = excluded.catalog_hash, "
                 "receipt = excluded.receipt, seq = excluded.seq, changes_logged = excluded.changes_logged, "
                 "changes_kept = excluded.changes_kept where _sluice_run.applied = 0"));
  const std::string json = to_json(receipt);
  insert->bind_int64(1, key.value());
  insert->bind_text(2, receipt.loader);
  insert->bind_int64(3, receipt.attempt);
  insert->bind_text(4, receipt.state);
  insert->bind_int64(5, receipt.applied ? 1 : 0);
  insert->bind_int64(6, micros(receipt.started_at));
  insert->bind_int64(7, micros(finished_at));
  insert->bind_text(8, receipt.catalog_hash);
  insert->bind_text(9, json);
  insert->bind_int64(10, last + 1);
  insert->bind_int64(11, changes_logged);
  SLUICE_CHECK(insert->run());
  if (connection.changes() == 1) return {};
  return fail(ErrorCode::conflict, "this job has been applied already, by another attempt");
}

}  // namespace sluice::history
