// A statement prepared at a PostgreSQL server.
#pragma once

#include "sql/postgres_session.h"
#include "sql/statement.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::sql {

class PostgresStatement final : public Statement {
 public:
  // `description` is the server's: the parameters' types and the columns.
  PostgresStatement(PostgresSession& session, std::string name, std::string sql, Answer description);
  ~PostgresStatement() override;
  PostgresStatement(const PostgresStatement&) = delete;
  PostgresStatement& operator=(const PostgresStatement&) = delete;

  void bind(int parameter, const Value& value) override;
  Result<bool> step() override;
  Result<void> run_with(std::span<const Value> values) override;
  void reset() override;
  Value column(int index) const override;
  int column_count() const override;
  std::string column_name(int index) const override;

 private:
  Result<void> execute();

  PostgresSession& session_;  // the connection's
  const std::string name_, sql_;
  const Answer description_;
  std::vector<std::string> texts_;  // what is sent as text, by parameter
  std::vector<const char*> data_;
  std::vector<int> lengths_, formats_;
  std::optional<Error> bind_error_;
  Answer rows_;
  int row_ = -1;
  mutable std::vector<std::string> decoded_;  // bytea columns of the current row
};

}  // namespace sluice::sql
