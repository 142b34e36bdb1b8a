#include "upsert/table_state.h"

#include "sql/migration.h"
#include "upsert/state_row.h"

#include <nlohmann/json.hpp>

#include <array>

namespace sluice::upsert {
namespace {

using nlohmann::json;

// Table names compare as SQLite compares them: without ASCII case.
constexpr std::array<std::string_view, 1> kSteps = {R"sql(
create table _sluice_table (
  table_name text primary key not null collate nocase, loader text not null, generation integer not null,
  row_count integer not null, soft_deleted integer not null, columns text not null,
  next_column_id integer not null, has_deleted_at integer not null, mapping_hash text not null,
  hash_version integer not null, checked_at integer not null);
create table _sluice_fingerprint (
  table_name text not null collate nocase, first_key blob not null, entries integer not null,
  data blob not null, primary key (table_name, first_key));
)sql"};

constexpr std::string_view kSelect =
    "select table_name, loader, generation, row_count, soft_deleted, columns, next_column_id, "
    "has_deleted_at, "
    "mapping_hash, hash_version, checked_at from _sluice_table ";

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
      if (!type)
        return fail(ErrorCode::malformed, "the pinned columns name an unknown type", std::string(table));
      column.type = *type;
      column.precision = item.at("precision").get<int>();
      column.scale = item.at("scale").get<int>();
      column.required = item.at("required").get<bool>();
      column.wide = item.value("wide", false);
      schema->columns.push_back(std::move(column));
    }
    for (const json& name : state.at("key")) {
      const auto index = schema->find(name.get<std::string>());
      if (!index) return fail(ErrorCode::malformed, "the pinned key is not a column", std::string(table));
      schema->key.push_back(*index);
    }
  } catch (const json::exception&) {
    return fail(ErrorCode::malformed, "the pinned columns in _sluice_table cannot be read",
                std::string(table));
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
  return state;
}

}  // namespace

Result<void> prepare_state(sql::Connection& connection) { return sql::migrate(connection, "upsert", kSteps); }

Result<std::optional<TableState>> read_state(sql::Connection& connection, std::string_view table) {
  SLUICE_TRY(const bool known, sql::table_exists(connection, "_sluice_table"));
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
  SLUICE_TRY(const bool known, sql::table_exists(connection, "_sluice_table"));
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
    SLUICE_TRY(
        auto insert,
        connection.prepare(
            "insert into _sluice_table values (?, ?, 1, 0, 0, '{\"columns\":[],\"key\":[]}', 1, 0, '', 0, 0) "
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
                                "hash_version = ?9, checked_at = ?10 where table_name = ?1"));
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
  return update->run();
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

}  // namespace sluice::upsert
