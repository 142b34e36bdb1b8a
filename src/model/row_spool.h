// Blocks of rows that stay in memory up to a limit; past it the oldest go to an unnamed temporary file and
// are read back one at a time. Rows are only ever appended. Not thread-safe.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "model/row_batch.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class RowSpool {
 public:
  RowSpool(SchemaPtr schema, std::size_t memory_limit, std::filesystem::path directory);

  struct Place {
    std::uint32_t block;
    std::uint16_t row;
  };
  // Copies one row; blocks are numbered in the order they are filled.
  Result<Place> append(const RowBatch& from, std::size_t row);

  // The rows of one block; valid until the next call of this or append().
  Result<const RowBatch*> block(std::uint32_t number);

  const SchemaPtr& schema() const { return schema_; }
  std::size_t memory() const { return sealed_memory_ + open_.memory(); }

 private:
  struct Block {
    std::unique_ptr<RowBatch> rows;  // null once spilled
    std::uint64_t offset = 0;        // in the file
    std::uint64_t size = 0;
  };
  Result<void> seal();
  Result<void> spill(Block& block);

  SchemaPtr schema_;
  std::size_t memory_limit_;
  std::size_t block_bytes_;
  std::filesystem::path directory_;
  std::vector<Block> sealed_;
  std::size_t first_in_memory_ = 0;  // of sealed_
  std::size_t sealed_memory_ = 0;
  RowBatch open_;
  std::size_t open_bytes_ = 0;
  FileHandle file_;
  std::uint64_t file_size_ = 0;
  RowBatch loaded_;  // the spilled block read last
  std::size_t loaded_number_ = SIZE_MAX;
};

}  // namespace sluice
