// The states of the tables that one loader owns, and how they move.
#include "sql/migration.h"
#include "upsert/state_row.h"
#include "upsert/table_state.h"

namespace sluice::upsert {

Result<std::vector<OwnedTable>> tables_of(sql::Connection& connection, std::string_view loader) {
  std::vector<OwnedTable> owned;
  SLUICE_TRY(const bool known, state_exists(connection));
  if (!known) return owned;
  std::vector<std::string> names;
  SLUICE_TRY(auto select,
             connection.prepare("select table_name from _sluice_table where loader = ? order by table_name"));
  select->bind_text(1, loader);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) break;
    names.emplace_back(select->text(0));
  }
  SLUICE_TRY(auto there, connection.prepare("select 1 from sqlite_master where type = 'table' and "
                                            "name = ? collate nocase"));
  for (const auto& name : names) {
    SLUICE_TRY(auto state, read_state(connection, name));
    if (!state) continue;
    there->bind_text(1, name);
    SLUICE_TRY(const bool exists, there->step());
    there->reset();
    owned.push_back({std::move(*state), exists});
  }
  return owned;
}

Result<void> rename_state(sql::Connection& connection, std::string_view from, std::string_view to) {
  for (const std::string_view sql :
       {"update _sluice_table set table_name = ?2 where table_name = ?1",
        "update _sluice_fingerprint set table_name = ?2 where table_name = ?1"}) {
    SLUICE_TRY(auto update, connection.prepare(sql));
    update->bind_text(1, from);
    update->bind_text(2, to);
    SLUICE_CHECK(update->run());
  }
  return {};
}

Result<void> forget_state(sql::Connection& connection, std::string_view table) {
  for (const std::string_view sql : {"delete from _sluice_table where table_name = ?",
                                     "delete from _sluice_fingerprint where table_name = ?"}) {
    SLUICE_TRY(auto remove, connection.prepare(sql));
    remove->bind_text(1, table);
    SLUICE_CHECK(remove->run());
  }
  return {};
}

Result<bool> note_owner(sql::Connection& connection, std::string_view table, std::int64_t generation,
                        std::string_view loader) {
  SLUICE_TRY(auto update, connection.prepare(
                              "update _sluice_table set loader = ? where table_name = ? and generation = ?"));
  update->bind_text(1, loader);
  update->bind_text(2, table);
  update->bind_int64(3, generation);
  SLUICE_CHECK(update->run());
  return connection.changes() == 1;
}

}  // namespace sluice::upsert
