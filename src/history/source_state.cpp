#include "history/source_state.h"

#include "history/tables.h"

namespace sluice::history {
namespace {

SourceState read_state(const sql::Statement& row) {
  return {.table = std::string(row.text(0)),
          .validators = std::string(row.text(1)),
          .config_hash = std::string(row.text(2)),
          .generation = row.int64(3),
          .seen_at = from_micros(row.int64(4))};
}

}  // namespace

Result<std::optional<SourceState>> source_state(sql::Connection& connection, std::string_view loader,
                                                std::string_view source) {
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_source"}));
  if (!known) return std::nullopt;
  SLUICE_TRY(auto select,
             connection.prepare("select table_name, validators, config_hash, generation, seen_at "
                                "from _sluice_source where loader = ? and source = ?"));
  select->bind_text(1, loader);
  select->bind_text(2, source);
  SLUICE_TRY(const bool found, select->step());
  if (!found) return std::nullopt;
  return read_state(*select);
}

Result<std::vector<SourceState>> source_states(sql::Connection& connection, std::string_view loader) {
  std::vector<SourceState> states;
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_source"}));
  if (!known) return states;
  SLUICE_TRY(auto select,
             connection.prepare("select table_name, validators, config_hash, generation, seen_at "
                                "from _sluice_source where loader = ? order by source"));
  select->bind_text(1, loader);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return states;
    states.push_back(read_state(*select));
  }
}

Result<void> save_source_state(sql::Connection& connection, std::string_view loader, std::string_view source,
                               const SourceState& state) {
  SLUICE_TRY(auto save, connection.prepare(
                            "insert into _sluice_source (loader, source, table_name, validators, "
                            "config_hash, generation, seen_at) values (?, ?, ?, ?, ?, ?, ?) "
                            "on conflict (loader, source) do update set table_name = excluded.table_name, "
                            "validators = excluded.validators, config_hash = excluded.config_hash, "
                            "generation = excluded.generation, seen_at = excluded.seen_at"));
  save->bind_text(1, loader);
  save->bind_text(2, source);
  save->bind_text(3, state.table);
  save->bind_text(4, state.validators);
  save->bind_text(5, state.config_hash);
  save->bind_int64(6, state.generation);
  save->bind_int64(7, micros(state.seen_at));
  return save->run();
}

Result<void> clear_source_states(sql::Connection& connection, std::string_view loader) {
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_source"}));
  if (!known) return {};
  SLUICE_TRY(auto remove, connection.prepare("delete from _sluice_source where loader = ?"));
  remove->bind_text(1, loader);
  return remove->run();
}

}  // namespace sluice::history
