#include "history/tables.h"

#include "sql/migration.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace sluice::history {
namespace {

// The layout of the last version. `seq` counts the records of this database in the order in which they were
// written, whichever job store the jobs are of; a job that is recorded again moves to the end.
constexpr std::array<sql::OwnTable, 6> kTables = {
    {{"_sluice_run", R"sql(
create table _sluice_run (
  job integer primary key not null, seq integer not null, loader text not null, attempt integer not null,
  state text not null, applied integer not null, started_at integer not null, finished_at integer not null,
  catalog_hash text not null, changes_logged integer not null, changes_kept integer not null,
  receipt text not null);
create unique index _sluice_run_seq on _sluice_run (seq);
create index _sluice_run_loader on _sluice_run (loader, seq);
create index _sluice_run_job on _sluice_run (loader, job);
create index _sluice_run_changes on _sluice_run (loader, seq, changes_kept) where changes_kept > 0;
)sql"},
     {"_sluice_change", R"sql(
create table _sluice_change (
  job integer not null, seq integer not null, op text not null, key text not null, cells text not null,
  primary key (job, seq)) without rowid;
)sql"},
     {"_sluice_reject", R"sql(
create table _sluice_reject (
  id integer primary key not null, loader text not null, source text not null, hash blob not null,
  stage text not null, code text not null, column_name text not null, message text not null,
  locator text not null, raw text not null, first_job integer not null, last_job integer not null,
  first_seen integer not null, last_seen integer not null, seen integer not null, status text not null,
  unique (loader, hash));
create index _sluice_reject_last on _sluice_reject (loader, last_seen);
)sql"},
     // A reject was seen by every run of the loader from first_run to last_run (seq of _sluice_run). The
     // entry itself may have moved to a loader of another name since.
     {"_sluice_reject_span", R"sql(
create table _sluice_reject_span (
  reject integer not null, first_run integer not null, last_run integer not null, loader text not null,
  primary key (reject, first_run)) without rowid;
)sql"},
     {"_sluice_source", R"sql(
create table _sluice_source (
  loader text not null, source text not null, table_name text not null, validators text not null,
  config_hash text not null, generation integer not null, seen_at integer not null,
  primary key (loader, source)) without rowid;
)sql"},
     {"_sluice_store", R"sql(
create table _sluice_store (identity text primary key not null, number integer not null unique) without rowid;
)sql"}}};

// Puts up with tables that exist: after the count of versions was lost it runs again.
constexpr std::string_view kFirst = R"sql(
create table if not exists _sluice_run (
  job integer primary key not null, loader text not null, attempt integer not null, state text not null,
  applied integer not null, started_at integer not null, finished_at integer not null,
  catalog_hash text not null, receipt text not null);
create index if not exists _sluice_run_loader on _sluice_run (loader, job);
create table if not exists _sluice_change (
  job integer not null, seq integer not null, op text not null, key text not null, cells text not null,
  primary key (job, seq)) without rowid;
create table if not exists _sluice_reject (
  id integer primary key not null, loader text not null, source text not null, hash blob not null,
  stage text not null, code text not null, column_name text not null, message text not null,
  locator text not null, raw text not null, first_job integer not null, last_job integer not null,
  first_seen integer not null, last_seen integer not null, seen integer not null, status text not null,
  unique (loader, hash));
create index if not exists _sluice_reject_last on _sluice_reject (loader, last_seen);
create table if not exists _sluice_source (
  loader text not null, source text not null, etag text not null, last_modified text not null,
  body_hash text not null, length integer not null, file_identity text not null, config_hash text not null,
  generation integer not null, seen_at integer not null, primary key (loader, source)) without rowid;
create table if not exists _sluice_store (
  identity text primary key not null, number integer not null unique) without rowid;
)sql";

// Records in the order of writing, entries that say which runs saw a reject, and one text for validators.
std::string second() {
  return fmt::format(
      R"sql({}
drop index _sluice_run_loader;
alter table _sluice_run rename to _sluice_run_1;
{}
insert into _sluice_run
  select job, row_number() over (order by finished_at, job), loader, attempt, state, applied, started_at,
    finished_at, catalog_hash, coalesce(n, 0), coalesce(n, 0), receipt
  from _sluice_run_1 left join (select job as logged, count(*) as n from _sluice_change group by job)
    on logged = job;
drop table _sluice_run_1;
{}
insert into _sluice_reject_span
  select r.id, f.seq, l.seq, r.loader from _sluice_reject r join _sluice_run f on f.job = r.first_job
    join _sluice_run l on l.job = r.last_job where f.seq <= l.seq;
alter table _sluice_source rename to _sluice_source_1;
{}
insert into _sluice_source select loader, source, '', file_identity, config_hash, generation, seen_at
  from _sluice_source_1;
drop table _sluice_source_1;
)sql",
      kFirst, kTables[0].create, kTables[3].create, kTables[4].create);
}

Result<std::size_t> present_version(sql::Connection& connection) {
  SLUICE_TRY(const bool ordered, sql::column_exists(connection, "_sluice_run", "seq"));
  SLUICE_TRY(const bool one_text, sql::column_exists(connection, "_sluice_source", "validators"));
  return ordered || one_text ? std::size_t{2} : std::size_t{0};
}

}  // namespace

Result<bool> readable(sql::Connection& connection, std::initializer_list<std::string_view> tables) {
  // The newest of the tables: a database that an earlier program wrote is brought up to date by the next run.
  SLUICE_TRY(bool all, sql::table_exists(connection, "_sluice_reject_span"));
  for (const auto table : tables) {
    if (!all) return false;
    SLUICE_TRY(all, sql::table_exists(connection, table));
  }
  return all;
}

Result<std::int64_t> last_record(sql::Connection& connection, std::string_view loader) {
  const std::string_view all = "select max(seq) from _sluice_run";
  SLUICE_TRY(auto select,
             connection.prepare(loader.empty() ? std::string(all) : fmt::format("{} where loader = ?", all)));
  if (!loader.empty()) select->bind_text(1, loader);
  SLUICE_TRY(const bool row, select->step());
  return row ? select->int64(0) : 0;
}

Result<void> prepare_tables(sql::Connection& connection) {
  static const std::string kSecond = second();
  const std::array<std::string_view, 2> steps = {kFirst, kSecond};
  SLUICE_CHECK(sql::migrate(connection, "history", steps, present_version));
  SLUICE_TRY(const bool runs, sql::table_exists(connection, "_sluice_run"));
  SLUICE_CHECK(sql::restore_tables(connection, kTables));
  // Without the runs nobody can say whose changes these are, and which run saw a reject.
  if (!runs) return connection.execute("delete from _sluice_change; delete from _sluice_reject_span");
  return {};
}

}  // namespace sluice::history
