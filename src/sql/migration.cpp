#include "sql/migration.h"

#include "sql/transaction.h"

#include <fmt/format.h>

#include <optional>

namespace sluice::sql {
namespace {

Result<std::size_t> version_of(Connection& connection, std::string_view component) {
  SLUICE_TRY(const bool known, table_exists(connection, "_sluice_migration"));
  if (!known) return std::size_t{0};
  SLUICE_TRY(auto select, connection.prepare("select version from _sluice_migration where component = ?"));
  select->bind_text(1, component);
  SLUICE_TRY(const bool found, select->step());
  return found ? static_cast<std::size_t>(select->int64(0)) : std::size_t{0};
}

Result<void> climb(Connection& connection, std::string_view component,
                   std::span<const std::string_view> steps, const PresentVersion& present) {
  // Read again: another process may have climbed while this one waited for the lock.
  SLUICE_TRY(std::size_t version, version_of(connection, component));
  if (version == 0 && present) {
    SLUICE_TRY(version, present(connection));
  }
  if (version > steps.size()) return {};  // a newer program has just been here
  SLUICE_CHECK(
      connection.execute("create table if not exists _sluice_migration (component text primary key not null, "
                         "version integer not null)"));
  for (std::size_t i = version; i < steps.size(); ++i) SLUICE_CHECK(connection.execute(steps[i]));
  SLUICE_TRY(auto note,
             connection.prepare("insert into _sluice_migration (component, version) values (?, ?) "
                                "on conflict (component) do update set version = excluded.version"));
  note->bind_text(1, component);
  note->bind_int64(2, static_cast<std::int64_t>(steps.size()));
  return note->run();
}

}  // namespace

Result<bool> table_exists(Connection& connection, std::string_view table) {
  SLUICE_TRY(auto select,
             connection.prepare(connection.dialect() == Dialect::sqlite
                                    ? "select 1 from sqlite_master where type = 'table' and name = ?"
                                    : "select 1 from pg_catalog.pg_class where relname = $1 and "
                                      "relkind in ('r', 'p') and pg_table_is_visible(oid)"));
  select->bind_text(1, table);
  return select->step();
}

Result<bool> column_exists(Connection& connection, std::string_view table, std::string_view column) {
  SLUICE_TRY(auto select, connection.prepare(
                              connection.dialect() == Dialect::sqlite
                                  ? "select 1 from pragma_table_info(?1) where name = ?2"
                                  : "select 1 from pg_catalog.pg_attribute where attrelid = to_regclass($1) "
                                    "and attname = $2 and not attisdropped"));
  select->bind_text(1, table);
  select->bind_text(2, column);
  return select->step();
}

Result<void> restore_tables(Connection& connection, std::span<const OwnTable> tables) {
  const auto restore = [&]() -> Result<void> {
    for (const OwnTable& table : tables) {
      SLUICE_TRY(const bool there, table_exists(connection, table.name));
      if (!there) SLUICE_CHECK(connection.execute(table.create));
    }
    return {};
  };
  bool all = true;
  for (const OwnTable& table : tables) {
    SLUICE_TRY(const bool there, table_exists(connection, table.name));
    all = all && there;
  }
  if (all) return {};
  if (connection.in_transaction()) return restore();
  SLUICE_TRY(auto transaction, Transaction::begin(connection));
  SLUICE_CHECK(restore());
  return transaction.commit();
}

Result<void> migrate(Connection& connection, std::string_view component,
                     std::span<const std::string_view> steps, const PresentVersion& present) {
  SLUICE_TRY(const std::size_t version, version_of(connection, component));
  if (version == steps.size()) return {};
  if (version > steps.size()) {
    return fail(
        ErrorCode::unsupported,
        fmt::format("the database was written by a newer sluice: its \"{}\" tables have version {}, this "
                    "program knows {}; use the newer program",
                    component, version, steps.size()));
  }
  if (connection.in_transaction()) return climb(connection, component, steps, present);
  SLUICE_TRY(auto transaction, Transaction::begin(connection));
  SLUICE_CHECK(climb(connection, component, steps, present));
  return transaction.commit();
}

}  // namespace sluice::sql
