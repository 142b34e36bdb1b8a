// The change log of one run: which rows changed, and from what to what. Truthful because unchanged rows are
// never written.
#pragma once

#include "base/error.h"
#include "base/id.h"
#include "model/change_set.h"
#include "model/row_batch.h"
#include "model/spec.h"
#include "sql/connection.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sluice::history {

// One change. Batches have the table's schema and are read during the call only.
struct LoggedChange {
  ChangeOp op = ChangeOp::insert;
  const RowBatch* key = nullptr;  // a batch whose key columns hold the key
  std::size_t key_row = 0;
  const RowBatch* before = nullptr;  // may be null
  std::size_t before_row = 0;
  const RowBatch* after = nullptr;  // null for remove
  std::size_t after_row = 0;
  std::span<const std::size_t> changed;  // of updates and restores: columns that differ
};

// Writes within the caller's transaction. Level off writes nothing, keys the operation and the key, full the
// cells too.
class ChangeWriter {
 public:
  ChangeWriter(sql::Connection& connection, JobId job, ChangeLog level)
      : connection_(connection), job_(job), level_(level) {}

  bool wants_before() const { return level_ == ChangeLog::full; }
  Result<void> add(const LoggedChange& change);
  // A load into an empty table is one entry (op "load"), whatever its size; 0 rows are none.
  Result<void> add_first_load(std::int64_t rows);
  std::int64_t written() const { return seq_; }

 private:
  Result<void> write(std::string_view op);

  sql::Connection& connection_;
  JobId job_;
  ChangeLog level_;
  std::int64_t seq_ = 0;
  std::unique_ptr<sql::Statement> insert_;
  std::string key_json_;
  std::string cells_json_;
};

}  // namespace sluice::history
