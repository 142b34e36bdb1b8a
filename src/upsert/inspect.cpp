// Is the table still what we left?
#include "base/text.h"
#include "sql/identifier.h"
#include "sql/migration.h"
#include "upsert/cell.h"
#include "upsert/state_row.h"
#include "upsert/table_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::upsert {
namespace {

Result<bool> look_up(sql::Connection& connection, std::string_view table) {
  SLUICE_TRY(auto select,
             connection.prepare("select iif(type = 'table' and rootpage = 0, 'virtual table', type) "
                                "from sqlite_master where name = ? collate nocase and type in "
                                "('table', 'view', 'index')"));
  select->bind_text(1, table);
  SLUICE_TRY(const bool found, select->step());
  if (found && select->text(0) != "table") {
    return fail(
        ErrorCode::invalid_definition,
        fmt::format("\"{}\" is {} {} in the database; a loader needs a table of its own: name another "
                    "with target.table",
                    table, select->text(0) == "index" ? "an" : "a", select->text(0)));
  }
  return found;
}

Result<void> read_columns(sql::Connection& connection, std::string_view table, Inspection& found) {
  SLUICE_TRY(auto select,
             connection.prepare(
                 "select name, type, \"notnull\", pk, hidden from pragma_table_xinfo(?) where hidden <> 1"));
  select->bind_text(1, table);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) break;
    found.columns.push_back({std::string(select->text(0)), std::string(select->text(1)),
                             static_cast<int>(select->int64(3)), select->int64(2) != 0,
                             select->int64(4) != 0});
  }
  std::vector<std::pair<int, std::string>> key;
  for (const auto& column : found.columns) {
    if (column.key_part > 0) key.emplace_back(column.key_part, column.name);
  }
  if (key.empty()) return {};
  std::ranges::sort(key);
  auto& names = found.unique.emplace_back();
  for (auto& [part, name] : key) names.push_back(std::move(name));
  return {};
}

Result<void> read_indexes(sql::Connection& connection, std::string_view table, Inspection& found) {
  // Expressions have no name and are no key of ours.
  SLUICE_TRY(auto select, connection.prepare(
                              "select l.seq, i.name from pragma_index_list(?) l, pragma_index_info(l.name) i "
                              "where l.\"unique\" = 1 and l.partial = 0 and l.origin <> 'pk' "
                              "order by l.seq, i.seqno"));
  select->bind_text(1, table);
  std::int64_t current = -1;
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) break;
    if (select->int64(0) != current) found.unique.emplace_back();
    current = select->int64(0);
    found.unique.back().emplace_back(select->text(1));
  }
  SLUICE_TRY(auto attached,
             connection.prepare("select name from sqlite_master where tbl_name = ? collate nocase "
                                "and type in ('index', 'trigger') and sql is not null"));
  attached->bind_text(1, table);
  for (;;) {
    SLUICE_TRY(const bool row, attached->step());
    if (!row) return {};
    found.attached.emplace_back(attached->text(0));
  }
}

// An index may not be called like any other index or table.
Result<std::string> free_index_name(sql::Connection& connection, std::string_view table) {
  SLUICE_TRY(auto taken, connection.prepare("select 1 from sqlite_master where name = ? collate nocase"));
  for (int n = 1;; ++n) {
    auto name = n == 1 ? fmt::format("{}_key", table) : fmt::format("{}_key_{}", table, n);
    taken->bind_text(1, name);
    SLUICE_TRY(const bool found, taken->step());
    taken->reset();
    if (!found) return name;
  }
}

// Entries stored of the table; nothing when the table of fingerprints is gone.
Result<std::int64_t> count_fingerprints(sql::Connection& connection, std::string_view table) {
  SLUICE_TRY(const bool known, sql::table_exists(connection, "_sluice_fingerprint"));
  if (!known) return 0;
  return stored_fingerprints(connection, table);
}

Result<void> count_rows(sql::Connection& connection, std::string_view table, bool full, Inspection& found) {
  const std::string name = sql::quote_identifier(table);
  SLUICE_TRY(auto select, connection.prepare(full ? fmt::format("select count(*) from {}", name)
                                                  : fmt::format("select exists (select 1 from {})", name)));
  SLUICE_TRY(const bool row, select->step());
  const std::int64_t rows = row ? select->int64(0) : 0;
  found.empty = rows == 0;
  if (full) found.rows = rows;
  return {};
}

// Whoever changed the table by hand may have taken marked rows, or their mark: the state's count says nothing
// then.
Result<void> recount_soft_deleted(sql::Connection& connection, std::string_view table, Inspection& found) {
  found.state->soft_deleted = 0;
  if (!found.exists || found.find(kDeletedAt) == nullptr) return {};
  SLUICE_TRY(auto count,
             connection.prepare(fmt::format("select count({}) from {}", sql::quote_identifier(kDeletedAt),
                                            sql::quote_identifier(table))));
  SLUICE_TRY(const bool row, count->step());
  if (row) found.state->soft_deleted = count->int64(0);
  return {};
}

std::vector<std::string> key_names(const Schema& schema) {
  std::vector<std::string> names;
  names.reserve(schema.key.size());
  for (const std::size_t index : schema.key) names.push_back(schema.columns[index].name);
  return names;
}

// `fingerprints`: as many are stored; nothing = not counted.
std::string find_mismatch(const Inspection& found, std::string_view table,
                          std::optional<std::int64_t> fingerprints) {
  if (!found.state) return {};
  const TableState& state = *found.state;
  if (!found.exists) return fmt::format("table {} was dropped by hand", table);
  for (const Column& column : state.schema->columns) {
    const ActualColumn* const actual = found.find(column.name);
    if (actual == nullptr)
      return fmt::format("column {} of table {} was dropped by hand", column.name, table);
    if (!fits(column, affinity_of(actual->type))) {
      return fmt::format("column {} of table {} was given the type {} by hand", column.name, table,
                         actual->type);
    }
  }
  if (state.has_deleted_at && found.find(kDeletedAt) == nullptr) {
    return fmt::format("column {} of table {} was dropped by hand", kDeletedAt, table);
  }
  if (found.empty && state.rows > 0) {
    return fmt::format("table {} was emptied by hand: it had {} rows", table, group_digits(state.rows));
  }
  if (found.empty != (state.rows == 0) || (found.rows && *found.rows != state.rows)) {
    return fmt::format("table {} was changed by hand: it has {} rows, the last run left {}", table,
                       found.rows ? group_digits(*found.rows) : "some", group_digits(state.rows));
  }
  const auto key = key_names(*state.schema);
  if (!key.empty() && !found.has_unique(key)) {
    return fmt::format("the unique index of table {} on ({}) was dropped by hand", table,
                       fmt::join(key, ", "));
  }
  if (!key.empty() && state.fingerprints >= 0 && fingerprints && *fingerprints != state.fingerprints) {
    return fmt::format("{} of the {} fingerprints of table {} are missing in _sluice_fingerprint",
                       group_digits(state.fingerprints - *fingerprints), group_digits(state.fingerprints),
                       table);
  }
  if (state.hash_version == kSuspect)
    return fmt::format("table {} was changed by hand, as an earlier run has found that was not applied",
                       table);
  return {};
}

Result<void> check_owner(const Inspection& found, std::string_view table, std::string_view loader,
                         const MayTakeOver& may_take_over) {
  const auto& owner = found.state->loader;
  if (may_take_over) return may_take_over(owner, found.exists);
  if (!found.exists) return {};
  return fail(
      ErrorCode::already_exists,
      fmt::format("table {} belongs to loader {}: give loader {} another table", table, owner, loader));
}

}  // namespace

const ActualColumn* Inspection::find(std::string_view name) const {
  const auto at = std::ranges::find_if(columns, [&](const ActualColumn& c) { return iequals(c.name, name); });
  return at == columns.end() ? nullptr : &*at;
}

bool Inspection::has_unique(const std::vector<std::string>& names) const {
  const auto folded = [](std::vector<std::string> list) {
    for (auto& name : list) name = to_lower(name);
    std::ranges::sort(list);
    return list;
  };
  const auto wanted = folded(names);
  return std::ranges::any_of(unique, [&](const auto& of_index) { return folded(of_index) == wanted; });
}

Result<Inspection> inspect(sql::Connection& connection, std::string_view table, std::string_view loader,
                           bool full, const MayTakeOver& may_take_over) {
  const std::string lower = to_lower(table);
  if (table.empty() || table.find('\0') != std::string_view::npos || lower.starts_with("_sluice_") ||
      lower.starts_with("sqlite_")) {
    return fail(
        ErrorCode::invalid_definition,
        fmt::format("\"{}\" cannot be the name of a target table: choose a name that does not begin with "
                    "_sluice_ or sqlite_",
                    printable(table)));
  }
  Inspection found;
  SLUICE_TRY(found.state, read_state(connection, table));
  SLUICE_TRY(found.exists, look_up(connection, table));
  if (found.state && found.state->loader != loader) {
    SLUICE_CHECK(check_owner(found, table, loader, may_take_over));
    found.taken_from = found.state->loader;
  }
  if (found.exists) {
    SLUICE_CHECK(read_columns(connection, table, found));
    SLUICE_CHECK(read_indexes(connection, table, found));
    SLUICE_CHECK(count_rows(connection, table, full, found));
  } else if (full) {
    found.rows = 0;
  }
  SLUICE_TRY(found.free_index_name, free_index_name(connection, table));
  std::optional<std::int64_t> fingerprints;
  if (full && found.state) {
    SLUICE_TRY(fingerprints, count_fingerprints(connection, table));
  }
  found.mismatch = find_mismatch(found, table, fingerprints);
  if (full && found.state && !found.mismatch.empty())
    SLUICE_CHECK(recount_soft_deleted(connection, table, found));
  return found;
}

}  // namespace sluice::upsert
