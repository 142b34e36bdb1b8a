#include "upsert/table_plan.h"

#include "base/text.h"
#include "sql/identifier.h"
#include "upsert/cell.h"
#include "upsert/table_ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sluice::upsert {
namespace {

constexpr std::string_view kWideReason = "it has a number of more digits than SQLite's numbers hold";

const Column* pinned_column(const Inspection& found, std::string_view name) {
  if (!found.state) return nullptr;
  for (const Column& column : found.state->schema->columns) {
    if (iequals(column.name, name)) return &column;
  }
  return nullptr;
}

std::vector<std::string> key_names(const Schema& schema) {
  std::vector<std::string> names;
  names.reserve(schema.key.size());
  for (const std::size_t index : schema.key) names.push_back(schema.columns[index].name);
  return names;
}

bool same_names(std::vector<std::string> a, std::vector<std::string> b) {
  for (auto* names : {&a, &b}) {
    for (auto& name : *names) name = to_lower(name);
    std::ranges::sort(*names);
  }
  return a == b;
}

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_definition, std::move(message));
}

// SQLite's own limit, as it is built nearly everywhere.
constexpr std::size_t kMostColumns = 2000;

Result<void> check_count(const Inspection& found, const TableWish& wish) {
  if (wish.wanted.columns.empty()) return refuse(fmt::format("table {} would have no columns", wish.table));
  std::size_t count = wish.wanted.columns.size() + (wish.soft_delete ? 1 : 0);
  if (count <= kMostColumns) {
    const auto wanted = [&](const ActualColumn& actual) {
      return std::ranges::any_of(wish.wanted.columns,
                                 [&](const Column& c) { return iequals(c.name, actual.name); });
    };
    count += static_cast<std::size_t>(std::ranges::count_if(
        found.columns, [&](const ActualColumn& c) { return !wanted(c) && !iequals(c.name, kDeletedAt); }));
    if (count <= kMostColumns) return {};
  }
  return fail(
      ErrorCode::too_large,
      fmt::format(
          "table {} would have {} columns, and SQLite holds at most {}: name the fields to load under "
          "columns, with contract: {{newColumns: ignore}} for the others; where each field is a "
          "record, choose them with records",
          wish.table, group_digits(static_cast<std::int64_t>(count)),
          group_digits(static_cast<std::int64_t>(kMostColumns))));
}

std::unexpected<Error> refuse_name(const TableWish& wish, const Column& column, std::string_view why) {
  return refuse(
      fmt::format("table {}: \"{}\" cannot be a column's name, {}; give the field another under columns: "
                  "{{NAME: {{from: \"{}\"}}}}",
                  wish.table, printable(column.name), why, printable(column.from)));
}

Result<void> check_names(const TableWish& wish) {
  for (const Column& column : wish.wanted.columns) {
    if (column.name.empty()) return refuse_name(wish, column, "as it is empty");
    if (column.name.find('\0') != std::string::npos)
      return refuse_name(wish, column, "as it holds a NUL character");
    if (to_lower(column.name).starts_with("_sluice_"))
      return refuse_name(wish, column, "since names that begin with _sluice_ are Sluice's own");
    if (wish.soft_delete && iequals(column.name, kDeletedAt))
      return refuse_name(wish, column, "since it is the mark of soft deletes");
  }
  std::map<std::string, const Column*> by_folded;
  for (const Column& column : wish.wanted.columns) {
    const auto [at, fresh] = by_folded.emplace(to_lower(column.name), &column);
    if (!fresh) {
      return refuse(
          fmt::format("table {}: columns \"{}\" and \"{}\" are one to the database; map one of them to "
                      "another name",
                      wish.table, at->second->name, column.name));
    }
  }
  return {};
}

// Gives every wanted column its id and says whether fingerprints still mean what they meant.
void give_ids(const Inspection& found, Schema& schema, TablePlan& plan) {
  plan.next_column_id = found.state ? found.state->next_column_id : 1;
  for (Column& column : schema.columns) {
    const Column* const pinned = pinned_column(found, column.name);
    column.id = pinned != nullptr ? pinned->id : plan.next_column_id++;
    if (pinned != nullptr && pinned->type != column.type) plan.fingerprints_stale = true;
    // A column that is new to the loader but stood in the table holds values that no fingerprint knows: rows
    // without a value in the source would keep them.
    if (pinned == nullptr && found.state && found.find(column.name) != nullptr)
      plan.fingerprints_stale = true;
  }
  if (!found.state) return;
  for (const Column& pinned : found.state->schema->columns) {
    const bool kept =
        std::ranges::any_of(schema.columns, [&](const Column& c) { return iequals(c.name, pinned.name); });
    if (!kept) plan.fingerprints_stale = true;
  }
  // The order of the key is the order of the encoded keys.
  if (key_names(schema) != key_names(*found.state->schema)) plan.fingerprints_stale = true;
}

Result<void> check_key(const Inspection& found, const Schema& schema, const TableWish& wish) {
  if (!found.state || !found.exists) return {};
  const auto wanted = key_names(schema);
  const auto pinned = key_names(*found.state->schema);
  if (same_names(wanted, pinned)) return {};
  return refuse(
      fmt::format("table {} was loaded with the key ({}), the definition now says ({}): other keys make "
                  "other rows; give the loader another table, or drop this one and load anew",
                  wish.table, fmt::join(pinned, ", "), fmt::join(wanted, ", ")));
}

struct Rewrite {
  const Column* column;
  ValueType from;
};

// What has to be done to the columns of a table that exists.
Result<std::vector<Rewrite>> plan_columns(const Inspection& found, const Schema& schema,
                                          const TableWish& wish, TablePlan& plan) {
  std::vector<Rewrite> rewrites;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    const ActualColumn* const actual = found.find(column.name);
    const Column* const pinned = pinned_column(found, column.name);
    if (actual == nullptr) {
      if (schema.is_key(i) && !found.empty) {
        return refuse(
            fmt::format("table {} has no column {}, which is part of the key: add it, or drop the table "
                        "to load it anew",
                        wish.table, column.name));
      }
      if (pinned != nullptr) plan.made_anew.push_back(i);
      plan.ddl.push_back(add_column_sql(wish.table, column));
      plan.schema_changes.push_back(
          fmt::format("added column {} {} to {}", column.name, to_string(column.type), wish.table));
      continue;
    }
    if (actual->generated) {
      return refuse(fmt::format(
          "column {} of table {} is computed by the table and cannot be loaded: map the field to "
          "another name under columns: {{NAME: {{from: \"{}\"}}}}, or leave it out with contract: "
          "{{newColumns: ignore}}",
          column.name, wish.table, column.from));
    }
    const bool fit = fits(column, affinity_of(actual->type));
    if (pinned == nullptr) {
      if (!fit) {
        return refuse(
            fmt::format("column {} of table {} is {}, which cannot hold {} values unchanged: declare another "
                        "type in the definition, or change the table",
                        column.name, wish.table, actual->type.empty() ? "untyped" : actual->type,
                        to_string(column.type)));
      }
      continue;
    }
    if (pinned->type == column.type && fit) continue;
    if (pinned->type != column.type && !can_widen(*pinned, column, schema.is_key(i))) {
      if (schema.is_key(i) && column.type == ValueType::text) {
        return refuse(fmt::format(
            "the key column {0} of table {1} holds {2} values, and a record has another there. As "
            "text the rows would not be found again, since sources may write a {2} in several "
            "ways: declare {0} as {2}, which rejects such records, or load into another table",
            column.name, wish.table, to_string(pinned->type)));
      }
      return refuse(
          fmt::format("column {} of table {} holds {} values and cannot become {}: keep the type, or map the "
                      "field to a new column",
                      column.name, wish.table, to_string(pinned->type), to_string(column.type)));
    }
    rewrites.push_back({&column, pinned->type});
    std::string change;
    if (pinned->type != column.type) {
      change = fmt::format("widened column {} of {} from {} to {}", column.name, wish.table,
                           to_string(pinned->type), to_string(column.type));
    } else if (column.wide) {
      change = fmt::format("column {} of {} is kept as text from now on: {}", column.name, wish.table,
                           kWideReason);
    } else {
      change = fmt::format("gave column {} of {} its type back", column.name, wish.table);
    }
    plan.schema_changes.push_back(std::move(change));
  }
  return rewrites;
}

Result<void> plan_rewrites(const Inspection& found, const Schema& schema, const TableWish& wish,
                           const std::vector<Rewrite>& rewrites, TablePlan& plan) {
  bool key_changes = false;
  for (const Rewrite& rewrite : rewrites) {
    const ActualColumn* const actual = found.find(rewrite.column->name);
    key_changes = key_changes || actual->key_part > 0 ||
                  schema.is_key(static_cast<std::size_t>(rewrite.column - schema.columns.data()));
  }
  if (!key_changes) {
    for (const Rewrite& rewrite : rewrites) {
      for (auto& sql : rewrite_column_sql(wish.table, *rewrite.column, rewrite.from))
        plan.ddl.push_back(std::move(sql));
    }
    return {};
  }
  // A key column cannot be replaced in place: the table is built again.
  std::vector<std::string> foreign = found.attached;
  for (const ActualColumn& actual : found.columns) {
    const bool ours =
        iequals(actual.name, kDeletedAt) ||
        std::ranges::any_of(schema.columns, [&](const Column& c) { return iequals(c.name, actual.name); });
    if (!ours) foreign.push_back(actual.name);
  }
  if (!foreign.empty()) {
    return refuse(
        fmt::format("the type of a key column of table {} has to change, and the table has things that the "
                    "loader does not own ({}): drop or move them, or declare the key's type",
                    wish.table, fmt::join(foreign, ", ")));
  }
  std::vector<std::string> values;
  for (const Column& column : schema.columns) {
    const auto rewrite =
        std::ranges::find_if(rewrites, [&](const Rewrite& r) { return r.column == &column; });
    values.push_back(rewrite == rewrites.end() ? sql::quote_identifier(column.name)
                                               : converted_sql(column, rewrite->from));
  }
  for (auto& sql : rebuild_table_sql(wish.table, schema, plan.has_deleted_at, values))
    plan.ddl.push_back(std::move(sql));
  return {};
}

void note_wide_decimals(const Inspection& found, const Schema& schema, const TableWish& wish,
                        TablePlan& plan) {
  for (const Column& column : schema.columns) {
    if (!column.wide || pinned_column(found, column.name) != nullptr) continue;
    plan.notes.push_back(
        fmt::format("column {} of {} is kept as text, since {}: SQL compares and sums it as text",
                    column.name, wish.table, kWideReason));
  }
}

}  // namespace

bool can_widen(const Column& from, const Column& to, bool key) {
  if (from.type == to.type) return true;
  switch (to.type) {
    case ValueType::text:
      return !key || from.type == ValueType::int64 || from.type == ValueType::date;
    case ValueType::decimal:
      return from.type == ValueType::int64;
    case ValueType::real:  // doubles round integers past 2^53
      return from.type == ValueType::decimal && !from.wide && from.precision > 0 &&
             from.precision <= kDoubleDigits;
    case ValueType::timestamp:
      return from.type == ValueType::date;
    default:
      return false;
  }
}

Result<TablePlan> plan_table(const Inspection& found, const TableWish& wish) {
  SLUICE_CHECK(check_count(found, wish));
  SLUICE_CHECK(check_names(wish));
  TablePlan plan;
  plan.table = wish.table;
  plan.soft_delete = wish.soft_delete;
  auto schema = std::make_shared<Schema>(wish.wanted);
  SLUICE_CHECK(check_key(found, *schema, wish));
  give_ids(found, *schema, plan);
  note_wide_decimals(found, *schema, wish, plan);
  plan.has_deleted_at = wish.soft_delete;
  if (!found.exists) {
    plan.ddl.push_back(create_table_sql(wish.table, *schema, wish.soft_delete));
    plan.schema_changes.push_back(fmt::format("created table {}", wish.table));
    plan.schema = std::move(schema);
    return plan;
  }
  const bool marked = found.find(kDeletedAt) != nullptr && !schema->find(kDeletedAt);
  plan.has_deleted_at = marked || wish.soft_delete;
  SLUICE_TRY(const auto rewrites, plan_columns(found, *schema, wish, plan));
  if (wish.soft_delete && !marked) {
    plan.ddl.push_back(fmt::format("alter table {} add column {} TEXT", sql::quote_identifier(wish.table),
                                   sql::quote_identifier(kDeletedAt)));
    plan.schema_changes.push_back(fmt::format("added column {} to {}", kDeletedAt, wish.table));
  }
  SLUICE_CHECK(plan_rewrites(found, *schema, wish, rewrites, plan));
  const auto key = key_names(*schema);
  if (!key.empty() && !found.has_unique(key)) {
    plan.ddl.push_back(unique_key_sql(wish.table, found.free_index_name, key));
    plan.schema_changes.push_back(
        fmt::format("added a unique index on {} ({})", wish.table, fmt::join(key, ", ")));
  }
  plan.schema = std::move(schema);
  return plan;
}

}  // namespace sluice::upsert
