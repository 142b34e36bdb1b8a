// Somebody with a database shell, between two loads: rows, columns, the table, or what is remembered of it.
#pragma once

#include "load/reference_table.h"
#include "load/source_text.h"
#include "sql/connection.h"

#include <string>
#include <vector>

namespace sluice::load::test {

class Vandal {
 public:
  Vandal(Random& random, sql::Connection& connection, std::string table, std::vector<SourceColumn> key)
      : random_(random), connection_(connection), table_(std::move(table)), key_(std::move(key)) {}

  // Does one thing to the table, and the same to the reference; says what. Nothing where there is no table.
  std::string strike(ReferenceTable& reference);
  // Damages what Sluice remembers of the table. The rows are as they were.
  std::string damage_state();

 private:
  std::string remove_rows(ReferenceTable& reference, bool several);
  std::string drop_a_column(ReferenceTable& reference);
  std::string forget_soft_deletes(ReferenceTable& reference);
  std::string insert_a_row(ReferenceTable& reference);
  std::vector<std::string> columns();
  void remove(const Row& row);
  void execute(const std::string& sql);

  Random& random_;
  sql::Connection& connection_;
  std::string table_;
  std::vector<SourceColumn> key_;
};

}  // namespace sluice::load::test
