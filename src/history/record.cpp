#include "history/record.h"

#include "history/tables.h"
#include "sql/migration.h"

#include <array>

namespace sluice::history {
namespace {

constexpr std::array<std::string_view, 1> kSteps = {R"sql(
create table _sluice_run (
  job integer primary key not null, loader text not null, attempt integer not null, state text not null,
  applied integer not null, started_at integer not null, finished_at integer not null,
  catalog_hash text not null, receipt text not null);
create index _sluice_run_loader on _sluice_run (loader, job);
create table _sluice_change (
  job integer not null, seq integer not null, op text not null, key text not null, cells text not null,
  primary key (job, seq)) without rowid;
create table _sluice_reject (
  id integer primary key not null, loader text not null, source text not null, hash blob not null,
  stage text not null, code text not null, column_name text not null, message text not null,
  locator text not null, raw text not null, first_job integer not null, last_job integer not null,
  first_seen integer not null, last_seen integer not null, seen integer not null, status text not null,
  unique (loader, hash));
create index _sluice_reject_last on _sluice_reject (loader, last_seen);
create table _sluice_source (
  loader text not null, source text not null, etag text not null, last_modified text not null,
  body_hash text not null, length integer not null, file_identity text not null, config_hash text not null,
  generation integer not null, seen_at integer not null, primary key (loader, source)) without rowid;
create table _sluice_store (identity text primary key not null, number integer not null unique) without rowid;
)sql"};

}  // namespace

Result<bool> history_exists(sql::Connection& connection) {
  return sql::table_exists(connection, "_sluice_source");
}

Result<void> prepare_history(sql::Connection& connection) {
  return sql::migrate(connection, "history", kSteps);
}

Result<std::optional<Receipt>> adopt(sql::Connection& connection, JobId job) {
  SLUICE_TRY(const bool known, history_exists(connection));
  if (!known) return std::nullopt;
  SLUICE_TRY(auto select,
             connection.prepare("select receipt from _sluice_run where job = ? and applied = 1"));
  select->bind_int64(1, job.value());
  SLUICE_TRY(const bool found, select->step());
  if (!found) return std::nullopt;
  SLUICE_TRY(auto receipt, receipt_from_json(select->text(0)));
  return receipt;
}

Result<void> insert_run(sql::Connection& connection, const Receipt& receipt, JobId key,
                        Timestamp finished_at) {
  // A row that was applied stays as it is, whoever comes later: no change is made then.
  SLUICE_TRY(auto insert,
             connection.prepare(
                 "insert into _sluice_run (job, loader, attempt, state, applied, started_at, finished_at, "
                 "catalog_hash, receipt) values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (job) do update set "
                 "loader = excluded.loader, attempt = excluded.attempt, state = excluded.state, "
                 "applied = excluded.applied, started_at = excluded.started_at, "
                 "finished_at = excluded.finished_at, catalog_hash = excluded.catalog_hash, "
                 "receipt = excluded.receipt where _sluice_run.applied = 0"));
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
  SLUICE_CHECK(insert->run());
  if (connection.changes() == 1) return {};
  return fail(ErrorCode::conflict, "this job has been applied already, by another attempt");
}

Result<std::optional<SourceState>> source_state(sql::Connection& connection, std::string_view loader,
                                                std::string_view source) {
  SLUICE_TRY(const bool known, history_exists(connection));
  if (!known) return std::nullopt;
  SLUICE_TRY(auto select,
             connection.prepare("select etag, last_modified, body_hash, length, file_identity, config_hash, "
                                "generation, seen_at from _sluice_source where loader = ? and source = ?"));
  select->bind_text(1, loader);
  select->bind_text(2, source);
  SLUICE_TRY(const bool found, select->step());
  if (!found) return std::nullopt;
  return SourceState{.etag = std::string(select->text(0)),
                     .last_modified = std::string(select->text(1)),
                     .body_hash = std::string(select->text(2)),
                     .length = select->int64(3),
                     .file_identity = std::string(select->text(4)),
                     .config_hash = std::string(select->text(5)),
                     .generation = select->int64(6),
                     .seen_at = from_micros(select->int64(7))};
}

Result<void> save_source_state(sql::Connection& connection, std::string_view loader, std::string_view source,
                               const SourceState& state) {
  SLUICE_TRY(auto save,
             connection.prepare("insert into _sluice_source (loader, source, etag, last_modified, body_hash, "
                                "length, file_identity, "
                                "config_hash, generation, seen_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                                "on conflict (loader, source) do update set etag = excluded.etag, "
                                "last_modified = excluded.last_modified, body_hash = excluded.body_hash, "
                                "length = excluded.length, file_identity = excluded.file_identity, "
                                "config_hash = excluded.config_hash, generation = excluded.generation, "
                                "seen_at = excluded.seen_at"));
  save->bind_text(1, loader);
  save->bind_text(2, source);
  save->bind_text(3, state.etag);
  save->bind_text(4, state.last_modified);
  save->bind_text(5, state.body_hash);
  save->bind_int64(6, state.length);
  save->bind_text(7, state.file_identity);
  save->bind_text(8, state.config_hash);
  save->bind_int64(9, state.generation);
  save->bind_int64(10, micros(state.seen_at));
  return save->run();
}

Result<void> clear_source_states(sql::Connection& connection, std::string_view loader) {
  SLUICE_TRY(const bool known, history_exists(connection));
  if (!known) return {};
  SLUICE_TRY(auto remove, connection.prepare("delete from _sluice_source where loader = ?"));
  remove->bind_text(1, loader);
  return remove->run();
}

}  // namespace sluice::history
