#include "model/arena.h"

#include <algorithm>

namespace sluice {

namespace {
constexpr std::size_t kBlock = 256 * 1024;
}

void Arena::grow(std::size_t n) {
  while (used_ < blocks_.size() && blocks_[used_].size < n) {
    // Too small for this request: drop it, it would otherwise be lost until clear().
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(used_));
  }
  if (used_ == blocks_.size()) {
    const auto size = std::max(n, kBlock);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  }
  next_ = blocks_[used_].bytes.get();
  left_ = blocks_[used_].size;
  ++used_;
}

void Arena::clear() {
  used_ = 0;
  next_ = nullptr;
  left_ = 0;
}

std::size_t Arena::capacity() const {
  std::size_t sum = 0;
  for (const auto& block : blocks_) sum += block.size;
  return sum;
}

}  // namespace sluice
