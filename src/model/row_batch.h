// Rows on their way: columnar, typed, a few thousand at a time. Not thread-safe; a batch has one owner.
#pragma once

#include "base/error.h"
#include "model/arena.h"
#include "model/reject.h"
#include "model/schema.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

namespace sluice {

// One column of a batch. Exactly one of `fixed` and `bytes` is in use (is_fixed(type)), with one entry a row;
// entries under null[i] != 0 are 0 or empty.
struct ColumnData {
  ValueType type = ValueType::text;
  std::vector<std::uint8_t> null;
  std::vector<std::int64_t> fixed;
  std::vector<std::string_view> bytes;  // into the batch's arena or a block it keeps alive

  void clear();
  void reserve(std::size_t rows);
  void push_null();
  void push_fixed(std::int64_t value) {
    null.push_back(0);
    fixed.push_back(value);
  }
  void push_bytes(std::string_view value) {
    null.push_back(0);
    bytes.push_back(value);
  }
  void pop();  // removes the last entry: a record rejected half-way
};

class RowBatch {
 public:
  RowBatch() = default;
  explicit RowBatch(SchemaPtr schema) { reset(std::move(schema)); }
  RowBatch(RowBatch&&) = default;
  RowBatch& operator=(RowBatch&&) = default;

  // Empties the batch and gives it the schema's columns.
  void reset(SchemaPtr schema);
  void clear();  // empties, keeps schema and capacity

  const Schema& schema() const { return *schema_; }
  const SchemaPtr& schema_ptr() const { return schema_; }
  std::size_t rows() const { return ordinals.size(); }
  std::vector<ColumnData>& columns() { return columns_; }
  const std::vector<ColumnData>& columns() const { return columns_; }

  Arena& arena() { return arena_; }
  // Keeps a block that `bytes` entries point into alive for as long as the batch is not cleared.
  void keep(std::shared_ptr<const void> block) { kept_.push_back(std::move(block)); }

  // Appends a copy of one row of a batch with the same schema; bytes go into this arena.
  void append_row(const RowBatch& from, std::size_t row);
  // Bytes held, for memory limits.
  std::size_t memory() const;

  std::vector<std::uint64_t> ordinals;  // per row: record number in its source, from 0, rejected ones counted
  std::size_t source = 0;               // index into LoaderSpec::sources

  // Records that did not become rows. `rejected` is exact; `rejects` may stop at a cap.
  std::uint64_t rejected = 0;
  std::vector<Reject> rejects;
  // Rejected records whose key columns could still be read: a batch of the same schema with only the key
  // columns filled. Their rows in the target stay as they are and must not count as vanished. Null when there
  // are none.
  std::unique_ptr<RowBatch> rejected_keys;

 private:
  SchemaPtr schema_;
  std::vector<ColumnData> columns_;
  Arena arena_;
  std::vector<std::shared_ptr<const void>> kept_;
};

// Pulled row by batch: decoders, target tables and decorators alike.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // Fills `batch` (cleared first; reset to the reader's schema). False = no more rows, the batch is empty
  // but may carry rejects.
  virtual Result<bool> next(RowBatch& batch, std::stop_token stop) = 0;
};

}  // namespace sluice
