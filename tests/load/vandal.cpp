#include "load/vandal.h"

#include "sql/identifier.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::load::test {

std::string Vandal::strike(ReferenceTable& reference) {
  if (columns().empty()) return {};
  const int what = below(random_, 100);
  if (what < 10) {
    execute("drop table " + table_);
    reference.drop_by_hand();
    return "table dropped";
  }
  if (what < 20) {
    execute("delete from " + table_);
    while (reference.rows() > 0) reference.remove_by_hand(reference.rows() - 1);
    return "table emptied";
  }
  if (key_.empty() || reference.rows() < 2) return {};
  if (what < 55) return remove_rows(reference, what < 35);
  if (what < 70) return insert_a_row(reference);
  if (what < 90) return drop_a_column(reference);
  return forget_soft_deletes(reference);
}

std::string Vandal::damage_state() {
  static const std::vector<std::string> ways = {
      "delete from _sluice_fingerprint where table_name = '{}' and random() % 2",
      "update _sluice_fingerprint set entries = entries + 1 where table_name = '{}'",
      "update _sluice_fingerprint set data = cast(substr(data, 1, length(data) / 2) as blob) where "
      "table_name = '{}'",
      "update _sluice_fingerprint set data = cast(x'00' || data as blob) where table_name = '{}'",
      "update _sluice_fingerprint set data = cast(substr(data, 1, 24) || x'5a' || substr(data, 26) as blob) "
      "where "
      "table_name = '{}'"};
  const auto& way = ways[random_() % ways.size()];
  execute(fmt::format(fmt::runtime(way), table_));
  return way;
}

std::string Vandal::remove_rows(ReferenceTable& reference, bool several) {
  std::size_t removed = 0;
  for (std::size_t at = reference.rows(); at-- > 0 && reference.rows() > 1;) {
    if (!chance(random_, several ? 30 : 0) && !(at == 0 && removed == 0)) continue;
    const std::size_t position = several ? at : random_() % reference.rows();
    remove(reference.row(position));
    reference.remove_by_hand(position);
    ++removed;
  }
  return fmt::format("{} rows removed", removed);
}

void Vandal::remove(const Row& row) {
  std::string condition;
  for (const auto& column : key_) condition += (condition.empty() ? "" : " and ") + column.name + " = ?";
  const auto statement = connection_.prepare("delete from " + table_ + " where " + condition);
  ASSERT_TRUE(statement.has_value());
  for (std::size_t i = 0; i < key_.size(); ++i)
    (*statement)->bind_text(static_cast<int>(i) + 1, row.at(key_[i].name).text);
  ASSERT_TRUE((*statement)->run().has_value());
  ASSERT_EQ(connection_.changes(), 1);
}

std::string Vandal::drop_a_column(ReferenceTable& reference) {
  auto names = columns();
  std::erase_if(names, [&](const std::string& name) {
    return name == "_deleted_at" ||
           std::ranges::any_of(key_, [&](const SourceColumn& column) { return column.name == name; });
  });
  if (names.empty()) return {};
  const auto name = names[random_() % names.size()];
  execute(fmt::format("alter table {} drop column {}", table_, sql::quote_identifier(name)));
  reference.drop_column_by_hand(name);
  return "column " + name + " dropped";
}

std::string Vandal::forget_soft_deletes(ReferenceTable& reference) {
  const auto names = columns();
  if (std::ranges::find(names, "_deleted_at") == names.end()) return {};
  execute("alter table " + table_ + " drop column _deleted_at");
  reference.restore_by_hand();
  return "column _deleted_at dropped";
}

// A key that no source has.
std::string Vandal::insert_a_row(ReferenceTable& reference) {
  static const std::map<Kind, std::string> foreign = {{Kind::integer, "1000003"},
                                                      {Kind::text, "by hand"},
                                                      {Kind::date, "1901-02-03"},
                                                      {Kind::decimal, "1000003.5"}};
  Row row;
  std::string names, values;
  for (const auto& column : key_) {
    row[column.name] = {column.kind, foreign.at(column.kind)};
    names += (names.empty() ? "" : ", ") + column.name;
    values += (values.empty() ? "'" : ", '") + foreign.at(column.kind) + "'";
  }
  if (reference.has_key_of(row)) return {};
  execute(fmt::format("insert into {} ({}) values ({})", table_, names, values));
  reference.insert_by_hand(std::move(row));
  return "a row inserted";
}

std::vector<std::string> Vandal::columns() {
  std::vector<std::string> names;
  auto select = connection_.prepare("select name from pragma_table_info('" + table_ + "')");
  while (*(*select)->step()) names.emplace_back((*select)->text(0));
  return names;
}

void Vandal::execute(const std::string& sql) {
  const auto done = connection_.execute(sql);
  ASSERT_TRUE(done.has_value()) << sql << ": " << done.error().describe();
}

}  // namespace sluice::load::test
