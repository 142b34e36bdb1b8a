// A source cut into blocks of whole records. A block is shared: batches keep it alive while their cells point
// into it; its memory is used again afterwards.
#pragma once

#include "decode/byte_source.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace sluice::decode {

inline constexpr std::size_t kPadding = 128;  // bytes that may be touched before and after a block's own

class Block {
 public:
  explicit Block(std::size_t capacity);
  char* data() { return bytes_.get() + kPadding; }
  const char* data() const { return bytes_.get() + kPadding; }
  std::size_t capacity() const { return capacity_; }
  std::string_view text() const { return {data(), size}; }

  std::size_t size = 0;
  std::uint64_t offset = 0;  // of its first byte in the decoded source

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_;
};

// Thread-safe: blocks come back from whichever thread drops the last batch.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  std::shared_ptr<Block> take(std::size_t capacity);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> free_;
};

// Reads block after block; what a consumer did not use is carried to the front of the next one.
class BlockReader {
 public:
  BlockReader(std::unique_ptr<ByteSource> bytes, std::size_t block_bytes, std::size_t max_record_bytes);

  // A block of at least one byte, or null at the end.
  Result<std::shared_ptr<Block>> next();
  // The consumer used `used` bytes of the last block; the rest comes again. Nothing used: the next block is
  // larger; too_large when the last one is full.
  Result<void> carry(std::size_t used);
  bool full() const { return last_ && last_->size >= largest_; }  // the last block is as large as they get
  bool at_end() const { return at_end_; }  // the last block ended where the source ends
  std::uint64_t consumed() const { return consumed_.load(std::memory_order_relaxed); }  // any thread

 private:
  std::unique_ptr<ByteSource> bytes_;
  std::size_t block_bytes_;
  std::size_t target_;
  std::size_t largest_;  // block: a record of max_record_bytes and its end, or block_bytes
  std::shared_ptr<BlockPool> pool_ = std::make_shared<BlockPool>();
  std::shared_ptr<Block> last_;
  std::size_t used_ = 0;
  bool at_end_ = false;
  std::atomic<std::uint64_t> consumed_{0};
};

}  // namespace sluice::decode
