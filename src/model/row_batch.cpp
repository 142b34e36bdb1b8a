#include "model/row_batch.h"

namespace sluice {

std::string_view to_string(RejectStage stage) {
  switch (stage) {
    case RejectStage::decode:
      return "decode";
    case RejectStage::type:
      return "type";
    case RejectStage::key:
      return "key";
    case RejectStage::check:
      return "check";
    case RejectStage::constraint:
      return "constraint";
  }
  return "decode";
}

void ColumnData::clear() {
  null.clear();
  fixed.clear();
  bytes.clear();
}

void ColumnData::reserve(std::size_t rows) {
  null.reserve(rows);
  if (is_fixed(type)) {
    fixed.reserve(rows);
  } else {
    bytes.reserve(rows);
  }
}

void ColumnData::push_null() {
  null.push_back(1);
  if (is_fixed(type)) {
    fixed.push_back(0);
  } else {
    bytes.emplace_back();
  }
}

void ColumnData::pop() {
  null.pop_back();
  if (is_fixed(type)) {
    fixed.pop_back();
  } else {
    bytes.pop_back();
  }
}

void RowBatch::reset(SchemaPtr schema) {
  clear();
  if (schema == schema_) return;
  schema_ = std::move(schema);
  columns_.clear();
  columns_.resize(schema_->columns.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].type = schema_->columns[i].type;
}

void RowBatch::clear() {
  for (auto& column : columns_) column.clear();
  ordinals.clear();
  rejected = 0;
  rejects.clear();
  rejected_keys.reset();
  arena_.clear();
  kept_.clear();
}

void RowBatch::append_row(const RowBatch& from, std::size_t row) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& source_column = from.columns_[i];
    if (source_column.null[row] != 0) {
      columns_[i].push_null();
    } else if (is_fixed(source_column.type)) {
      columns_[i].push_fixed(source_column.fixed[row]);
    } else {
      columns_[i].push_bytes(arena_.store(source_column.bytes[row]));
    }
  }
  ordinals.push_back(from.ordinals[row]);
}

std::size_t RowBatch::memory() const {
  std::size_t sum = arena_.capacity() + ordinals.capacity() * sizeof(std::uint64_t);
  for (const auto& column : columns_) {
    sum += column.null.capacity() + column.fixed.capacity() * 8 +
           column.bytes.capacity() * sizeof(std::string_view);
  }
  return sum;
}

}  // namespace sluice
