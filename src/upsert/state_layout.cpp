// The layout of _sluice_table and _sluice_fingerprint.
#include "sql/migration.h"
#include "upsert/table_state.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace sluice::upsert {
namespace {

// The last version. Table names compare as SQLite compares them: without ASCII case.
constexpr std::array<sql::OwnTable, 2> kTables = {{{"_sluice_table", R"sql(
create table _sluice_table (
  table_name text primary key not null collate nocase, loader text not null, generation integer not null,
  row_count integer not null, soft_deleted integer not null, columns text not null,
  next_column_id integer not null, has_deleted_at integer not null, mapping_hash text not null,
  hash_version integer not null, checked_at integer not null, fingerprints integer not null,
  foreign_rows integer not null);
create index _sluice_table_loader on _sluice_table (loader);
)sql"},
                                                   {"_sluice_fingerprint", R"sql(
create table _sluice_fingerprint (
  table_name text not null collate nocase, first_key blob not null, entries integer not null,
  data blob not null, primary key (table_name, first_key));
)sql"}}};

// Puts up with tables that exist: after the count of versions was lost it runs again.
constexpr std::string_view kFirst = R"sql(
create table if not exists _sluice_table (
  table_name text primary key not null collate nocase, loader text not null, generation integer not null,
  row_count integer not null, soft_deleted integer not null, columns text not null,
  next_column_id integer not null, has_deleted_at integer not null, mapping_hash text not null,
  hash_version integer not null, checked_at integer not null);
create table if not exists _sluice_fingerprint (
  table_name text not null collate nocase, first_key blob not null, entries integer not null,
  data blob not null, primary key (table_name, first_key));
)sql";

// How many fingerprints there are, so that missing ones are noticed (-1: not known, until the next run), and
// how many rows are nobody's.
std::string second() {
  return fmt::format(R"sql({}
alter table _sluice_table rename to _sluice_table_1;
{}
insert into _sluice_table select table_name, loader, generation, row_count, soft_deleted, columns,
  next_column_id, has_deleted_at, mapping_hash, hash_version, checked_at, -1, 0 from _sluice_table_1;
drop table _sluice_table_1;
)sql",
                     kFirst, kTables[0].create);
}

Result<std::size_t> present_version(sql::Connection& connection) {
  SLUICE_TRY(const bool counted, sql::column_exists(connection, "_sluice_table", "fingerprints"));
  return counted ? std::size_t{2} : std::size_t{0};
}

}  // namespace

Result<void> prepare_state(sql::Connection& connection) {
  static const std::string kSecond = second();
  const std::array<std::string_view, 2> steps = {kFirst, kSecond};
  SLUICE_CHECK(sql::migrate(connection, "upsert", steps, present_version));
  return sql::restore_tables(connection, kTables);
}

}  // namespace sluice::upsert
