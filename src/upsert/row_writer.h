// The prepared statements that write and read single rows of one target table.
#pragma once

#include "base/error.h"
#include "model/row_batch.h"
#include "sql/connection.h"
#include "upsert/cell.h"
#include "upsert/table_plan.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upsert {

// Statements are made on first use. Functions that find a row by key return the number of rows touched.
class RowWriter {
 public:
  // `affinities`: of the table's columns, one a schema column. `refill`: updates write the plan's made_anew
  // columns alone.
  RowWriter(sql::Connection& connection, const TablePlan& plan, std::vector<Affinity> affinities,
            bool refill = false);

  Result<void> insert(const RowBatch& batch, std::size_t row);
  // Writes every owned column but the key (or those to refill). `restore` takes the soft-delete mark away.
  Result<std::int64_t> update(const RowBatch& batch, std::size_t row, bool restore);
  Result<std::int64_t> remove(const RowBatch& keys, std::size_t row);
  Result<std::int64_t> mark_deleted(const RowBatch& keys, std::size_t row, std::string_view at);
  // Appends the stored row of this key to `out`. False when there is none.
  Result<bool> read(const RowBatch& keys, std::size_t row, RowBatch& out);
  // The key for messages, as the database would print it: id = 7, code = 'DE'. Empty without a key.
  std::string key_text(const RowBatch& keys, std::size_t row);

 private:
  using Statement = std::unique_ptr<sql::Statement>;
  // Encodes one cell into values_.
  Result<void> put(std::size_t parameter, const RowBatch& batch, std::size_t column, std::size_t row) {
    if (encode_cell(batch.columns()[column], row, affinities_[column], texts_[column], values_[parameter]))
      return {};
    return too_many_digits(batch.columns()[column].bytes[row], column);
  }
  std::unexpected<Error> too_many_digits(std::string_view number, std::size_t column) const;
  Result<void> put_key(std::size_t first, const RowBatch& batch, std::size_t row);
  std::span<const sql::Value> first_values(std::size_t count) const {
    return std::span(values_).first(count);
  }
  // Starts a query with the key as its parameters.
  Result<bool> find(sql::Statement& statement, const RowBatch& keys, std::size_t row);
  Result<void> prepare(Statement& statement, const std::string& sql);
  Result<std::int64_t> run_counted(sql::Statement& statement, std::size_t parameters);

  sql::Connection& connection_;
  SchemaPtr schema_;
  std::vector<Affinity> affinities_;
  std::vector<CellText> texts_;
  std::vector<sql::Value> values_;   // of the statement at hand
  std::vector<std::size_t> others_;  // the columns beside the key
  std::string table_;                // quoted
  std::string where_;                // "a" = ? and "b" = ?
  bool has_deleted_at_;
  Statement insert_, update_, restore_, remove_, mark_, read_;
};

}  // namespace sluice::upsert
