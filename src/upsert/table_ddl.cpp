#include "upsert/table_ddl.h"

#include "sql/identifier.h"
#include "upsert/cell.h"
#include "upsert/table_state.h"

#include <fmt/format.h>

namespace sluice::upsert {

using sql::quote_identifier;

std::string create_table_sql(std::string_view table, const Schema& schema, bool with_deleted_at) {
  // A single integer key is the row's own number: no second b-tree.
  const bool rowid_key = schema.key.size() == 1 && schema.columns[schema.key[0]].type == ValueType::int64;
  std::string text = fmt::format("create table {} (", quote_identifier(table));
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    if (i > 0) text += ", ";
    text += quote_identifier(column.name);
    text += ' ';
    if (rowid_key && i == schema.key[0]) {
      text += "INTEGER PRIMARY KEY NOT NULL";
    } else {
      text += declared_type(column);
      if (schema.is_key(i)) text += " NOT NULL";
    }
  }
  if (with_deleted_at) text += fmt::format(", {} TEXT", quote_identifier(kDeletedAt));
  if (!rowid_key && !schema.key.empty()) {
    std::vector<std::string> key;
    key.reserve(schema.key.size());
    for (const std::size_t index : schema.key) key.push_back(schema.columns[index].name);
    text += fmt::format(", PRIMARY KEY ({}))", sql::quote_identifiers(key));
    return text;
  }
  return text + ')';
}

std::string add_column_sql(std::string_view table, const Column& column) {
  return fmt::format("alter table {} add column {} {}", quote_identifier(table),
                     quote_identifier(column.name), declared_type(column));
}

std::string unique_key_sql(std::string_view table, std::string_view index,
                           const std::vector<std::string>& key) {
  return fmt::format("create unique index {} on {} ({})", quote_identifier(index), quote_identifier(table),
                     sql::quote_identifiers(key));
}

std::string converted_sql(const Column& column, ValueType from) {
  std::string name = quote_identifier(column.name);
  // cast(… as text) keeps 15 digits of a number; this keeps all.
  auto number = fmt::format("sluice_number_text({})", name);
  switch (column.type) {
    case ValueType::text:
      if (from == ValueType::boolean) {
        return fmt::format("case {0} when 1 then 'true' when 0 then 'false' else cast({0} as text) end",
                           name);
      }
      if (from == ValueType::int64 || from == ValueType::decimal || from == ValueType::real) return number;
      return fmt::format("cast({} as text)", name);
    case ValueType::timestamp:
      if (from == ValueType::date) return fmt::format("{} || 'T00:00:00Z'", name);
      return name;
    case ValueType::decimal:
      return column.wide ? number : name;
    default:
      return name;
  }
}

std::vector<std::string> rewrite_column_sql(std::string_view table, const Column& column, ValueType from) {
  const std::string name = quote_identifier(table);
  Column fresh = column;
  fresh.name = "_sluice_new_" + column.name;
  const std::string beside = quote_identifier(fresh.name);
  const std::string old = quote_identifier(column.name);
  return {add_column_sql(table, fresh),
          fmt::format("update {} set {} = {}", name, beside, converted_sql(column, from)),
          fmt::format("alter table {} drop column {}", name, old),
          fmt::format("alter table {} rename column {} to {}", name, beside, old)};
}

std::vector<std::string> rebuild_table_sql(std::string_view table, const Schema& schema, bool with_deleted_at,
                                           const std::vector<std::string>& values) {
  const std::string fresh = fmt::format("_sluice_new_{}", table);
  std::vector<std::string> names;
  names.reserve(schema.columns.size() + 1);
  for (const Column& column : schema.columns) names.push_back(column.name);
  std::string expressions = fmt::format("{}", fmt::join(values, ", "));
  if (with_deleted_at) {
    names.emplace_back(kDeletedAt);
    expressions += ", " + quote_identifier(kDeletedAt);
  }
  return {create_table_sql(fresh, schema, with_deleted_at),
          fmt::format("insert into {} ({}) select {} from {}", quote_identifier(fresh),
                      sql::quote_identifiers(names), expressions, quote_identifier(table)),
          fmt::format("drop table {}", quote_identifier(table)),
          fmt::format("alter table {} rename to {}", quote_identifier(fresh), quote_identifier(table))};
}

}  // namespace sluice::upsert
