#include "decode/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sluice::decode {
namespace {
constexpr std::size_t kKeptBlocks = 8;
}

Block::Block(std::size_t capacity)
    : bytes_(std::make_unique_for_overwrite<char[]>(capacity + 2 * kPadding)), capacity_(capacity) {
  std::memset(bytes_.get(), 0, kPadding);
}

std::shared_ptr<Block> BlockPool::take(std::size_t capacity) {
  std::unique_ptr<Block> block;
  {
    const std::lock_guard lock(mutex_);
    const auto fits =
        std::find_if(free_.begin(), free_.end(), [&](const auto& b) { return b->capacity() == capacity; });
    if (fits != free_.end()) {
      block = std::move(*fits);
      free_.erase(fits);
    }
  }
  if (!block) block = std::make_unique<Block>(capacity);
  block->size = 0;
  return {block.release(), [pool = weak_from_this()](Block* done) {
            std::unique_ptr<Block> owned(done);
            const auto home = pool.lock();
            if (!home) return;
            const std::lock_guard lock(home->mutex_);
            if (home->free_.size() < kKeptBlocks) home->free_.push_back(std::move(owned));
          }};
}

BlockReader::BlockReader(std::unique_ptr<ByteSource> bytes, std::size_t block_bytes,
                         std::size_t max_record_bytes)
    : bytes_(std::move(bytes)),
      block_bytes_(std::max<std::size_t>(block_bytes, 1)),
      target_(block_bytes_),
      largest_(std::max(block_bytes_, max_record_bytes + 1)) {}

Result<std::shared_ptr<Block>> BlockReader::next() {
  const auto rest = last_ ? last_->text().substr(used_) : std::string_view();
  auto block = pool_->take(std::max(target_, rest.size() + 1));
  if (!rest.empty()) std::memcpy(block->data(), rest.data(), rest.size());
  block->offset = last_ ? last_->offset + used_ : 0;
  block->size = rest.size();
  if (!at_end_) {
    const auto room = block->capacity() - block->size;
    SLUICE_TRY(const std::size_t got, read_fully(*bytes_, {block->data() + block->size, room}));
    block->size += got;
    at_end_ = got < room;
    consumed_.store(bytes_->consumed(), std::memory_order_relaxed);
  }
  std::memset(block->data() + block->size, 0, kPadding);
  used_ = block->size;
  last_ = block;
  if (block->size == 0) return nullptr;
  return block;
}

Result<void> BlockReader::carry(std::size_t used) {
  used_ = used;
  if (used > 0) {
    target_ = block_bytes_;
    // A long record was cut: leave it room to be read in one go.
    const auto rest = last_->size - used;
    if (rest >= target_) target_ = std::min(rest + block_bytes_, largest_);
    return {};
  }
  if (full()) {
    return fail(
        ErrorCode::too_large,
        fmt::format("the record at byte {} is larger than {} MiB; a quote or bracket that is never closed?",
                    last_->offset, largest_ >> 20));
  }
  target_ = std::min(std::max(target_, last_->size) * 2, largest_);
  return {};
}

}  // namespace sluice::decode
