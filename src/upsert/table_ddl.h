// The texts of data definition statements, for SQLite.
#pragma once

#include "model/schema.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::upsert {

std::string create_table_sql(std::string_view table, const Schema& schema, bool with_deleted_at);
std::string add_column_sql(std::string_view table, const Column& column);
std::string unique_key_sql(std::string_view table, std::string_view index,
                           const std::vector<std::string>& key);

// The stored value of a column that held `from` values, as what `column` holds.
std::string converted_sql(const Column& column, ValueType from);
// A column beside it takes the converted values and then its name. It ends up last in the table.
std::vector<std::string> rewrite_column_sql(std::string_view table, const Column& column, ValueType from);
// A new table takes the rows (`values`: one expression a column) and then the name.
std::vector<std::string> rebuild_table_sql(std::string_view table, const Schema& schema, bool with_deleted_at,
                                           const std::vector<std::string>& values);

}  // namespace sluice::upsert
