// The rows of a target table as model values: for compare: columns.
#pragma once

#include "base/error.h"
#include "model/row_batch.h"
#include "model/schema.h"
#include "sql/connection.h"
#include "upsert/table_state.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

namespace sluice::upsert {

// Streams every row once, in the table's own order (key order where the key is its b-tree). Values are
// canonical: what a source would give for the same row. Wanted columns that the table does not have yet are
// NULL. A value that is not of its column's type (written by hand) becomes one that equals no source's value,
// or NULL in a key column. When the table has _deleted_at, the batches have it as one more column (text)
// after the schema's. The connection must outlive it.
class TableReader final : public RowReader {
 public:
  // `found` tells which columns the table has.
  static Result<std::unique_ptr<TableReader>> open(sql::Connection& connection, const Inspection& found,
                                                   std::string_view table, SchemaPtr wanted);
  Result<bool> next(RowBatch& batch, std::stop_token stop) override;

  // The wanted columns, and _deleted_at where the table has it.
  const SchemaPtr& schema() const { return schema_; }
  // Of a batch of this reader: the row carries the mark. Copyable, outlives the reader.
  std::function<bool(const RowBatch&, std::size_t)> is_soft_deleted() const;

 private:
  TableReader() = default;
  SchemaPtr schema_;
  std::size_t wanted_columns_ = 0;
  std::vector<int> at_;  // column of the query per schema column, -1 = not in the table
  std::unique_ptr<sql::Statement> select_;
  std::uint64_t ordinal_ = 0;
  bool done_ = false;
};

}  // namespace sluice::upsert
