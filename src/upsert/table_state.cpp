#include "upsert/table_state.h"

#include "sql/migration.h"
#include "upsert/state_row.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::upsert {
namespace {

using nlohmann::json;

constexpr std::string_view kSelect =
    "select table_name, loader, generation, row_count, soft_deleted, columns, next_column_id, "
    "has_deleted_at, mapping_hash, hash_version, checked_at, fingerprints, foreign_rows from _sluice_table ";

std::string columns_json(const Schema& schema) {
  json columns = json::array();
  for (const Column& column : schema.columns) {
    columns.push_back({{"id", column.id},
                       {"name", column.name},
                       {"from", column.from},
                       {"type", to_string(column.type)},
                       {"precision", column.precision},
                       {"scale", column.scale},
                       {"required", column.required}});
    if (column.wide) columns.back()["wide"] = true;
  }
  json key = json::array();
  for (const std::size_t index : schema.key) key.push_back(schema.columns[index].name);
  return json{{"columns", columns}, {"key", key}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::unexpected<Error> unreadable(std::string_view table, std::string_view what) {
  return fail(
      ErrorCode::malformed,
      fmt::format("the columns of table {} in _sluice_table cannot be read ({}): delete the table's row "
                  "there, and the next run finds out about them anew",
                  table, what));
}

Result<SchemaPtr> schema_from(std::string_view text, std::string_view table) {
  auto schema = std::make_shared<Schema>();
  try {
    const json state = json::parse(text);
    for (const json& item : state.at("columns")) {
      Column column;
      column.id = item.at("id").get<int>();
      column.name = item.at("name").get<std::string>();
      column.from = item.at("from").get<std::string>();
      const auto type = value_type_from(item.at("type").get<std::string>());
      if (!type) return unreadable(table, "an unknown type");
      column.type = *type;
      column.precision = item.at("precision").get<int>();
      column.scale = item.at("scale").get<int>();
      column.required = item.at("required").get<bool>();
      column.wide = item.value("wide", false);
      schema->columns.push_back(std::move(column));
    }
    for (const json& name : state.at("key")) {
      const auto index = schema->find(name.get<std::string>());
      if (!index) return unreadable(table, "a key that is no column");
      schema->key.push_back(*index);
    }
  } catch (const json::exception&) {
    return unreadable(table, "not the JSON of columns");
  }
  return schema;
}

Result<TableState> read_row(const sql::Statement& row) {
  TableState state;
  state.table = row.text(0);
  state.loader = row.text(1);
  state.generation = row.int64(2);
  state.rows = row.int64(3);
  state.soft_deleted = row.int64(4);
  SLUICE_TRY(state.schema, schema_from(row.text(5), state.table));
  state.next_column_id = static_cast<int>(row.int64(6));
  state.has_deleted_at = row.int64(7) != 0;
  state.mapping_hash = row.text(8);
  state.hash_version = static_cast<int>(row.int64(9));
  state.checked_at = Timestamp(std::chrono::microseconds(row.int64(10)));
  state.fingerprints = row.int64(11);
  state.foreign_rows = row.int64(12);
  return state;
}

}  // namespace

// Tables that an earlier program wrote are brought up to date by the next run; until then they read as none.
Result<bool> state_exists(sql::Connection& connection) {
  return sql::column_exists(connection, "_sluice_table", "fingerprints");
}

Result<std::optional<TableState>> read_state(sql::Connection& connection, std::string_view table) {
  SLUICE_TRY(const bool known, state_exists(connection));
  if (!known) return std::nullopt;
  SLUICE_TRY(auto select, connection.prepare(std::string(kSelect) + "where table_name = ?"));
  select->bind_text(1, table);
  SLUICE_TRY(const bool found, select->step());
  if (!found) return std::nullopt;
  SLUICE_TRY(auto state, read_row(*select));
  return state;
}

Result<std::vector<TableState>> table_states(sql::Connection& connection) {
  std::vector<TableState> states;
  SLUICE_TRY(const bool known, state_exists(connection));
  if (!known) return states;
  SLUICE_TRY(auto select, connection.prepare(std::string(kSelect) + "order by table_name"));
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return states;
    SLUICE_TRY(auto state, read_row(*select));
    states.push_back(std::move(state));
  }
}

Result<void> claim_generation(sql::Connection& connection, std::string_view table, std::string_view loader,
                              std::int64_t seen) {
  if (seen == 0) {
    SLUICE_TRY(auto insert, connection.prepare("insert into _sluice_table values (?, ?, 1, 0, 0, "
                                               "'{\"columns\":[],\"key\":[]}', 1, 0, '', 0, 0, 0, 0) "
                                               "on conflict (table_name) do nothing"));
    insert->bind_text(1, table);
    insert->bind_text(2, loader);
    SLUICE_CHECK(insert->run());
  } else {
    SLUICE_TRY(auto update, connection.prepare("update _sluice_table set generation = generation + 1 where "
                                               "table_name = ? and generation = ?"));
    update->bind_text(1, table);
    update->bind_int64(2, seen);
    SLUICE_CHECK(update->run());
  }
  if (connection.changes() == 1) return {};
  return fail_transient(
      ErrorCode::conflict,
      "another run has changed the table since this one compared it; it has to compare again");
}

Result<void> write_state(sql::Connection& connection, const TableState& state) {
  SLUICE_TRY(auto update,
             connection.prepare("update _sluice_table set loader = ?2, row_count = ?3, soft_deleted = ?4, "
                                "columns = ?5, next_column_id = ?6, has_deleted_at = ?7, mapping_hash = ?8, "
                                "hash_version = ?9, checked_at = ?10, fingerprints = ?11, foreign_rows = ?12 "
                                "where table_name = ?1"));
  const std::string columns = columns_json(*state.schema);
  update->bind_text(1, state.table);
  update->bind_text(2, state.loader);
  update->bind_int64(3, state.rows);
  update->bind_int64(4, state.soft_deleted);
  update->bind_text(5, columns);
  update->bind_int64(6, state.next_column_id);
  update->bind_int64(7, state.has_deleted_at ? 1 : 0);
  update->bind_text(8, state.mapping_hash);
  update->bind_int64(9, state.hash_version);
  update->bind_int64(10, state.checked_at.time_since_epoch().count());
  update->bind_int64(11, state.fingerprints);
  update->bind_int64(12, state.foreign_rows);
  return update->run();
}

Result<std::int64_t> stored_fingerprints(sql::Connection& connection, std::string_view table) {
  SLUICE_TRY(auto select,
             connection.prepare("select sum(entries) from _sluice_fingerprint where table_name = ?"));
  select->bind_text(1, table);
  SLUICE_TRY(const bool row, select->step());
  return row ? select->int64(0) : 0;
}

bool full_check_due(const std::optional<TableState>& state, Timestamp now) {
  if (!state) return true;
  // A clock that was set back must not put the check off.
  return now - state->checked_at >= std::chrono::hours(1) || state->checked_at > now;
}

Result<bool> note_checked(sql::Connection& connection, std::string_view table, std::int64_t generation,
                          Timestamp now) {
  SLUICE_TRY(
      auto update,
      connection.prepare("update _sluice_table set checked_at = ? where table_name = ? and generation = ?"));
  update->bind_int64(1, now.time_since_epoch().count());
  update->bind_text(2, table);
  update->bind_int64(3, generation);
  SLUICE_CHECK(update->run());
  return connection.changes() == 1;
}

Result<void> note_mismatch(sql::Connection& connection, std::string_view table, std::int64_t generation) {
  SLUICE_TRY(auto update,
             connection.prepare(
                 "update _sluice_table set hash_version = ? where table_name = ? and generation = ?"));
  update->bind_int64(1, kSuspect);
  update->bind_text(2, table);
  update->bind_int64(3, generation);
  return update->run();
}

}  // namespace sluice::upsert
