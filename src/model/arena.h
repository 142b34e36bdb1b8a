// Bump allocation for the bytes of one batch: freed all at once, blocks are reused after clear().
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace sluice {

class Arena {
 public:
  // Uninitialised room for n bytes, stable until clear().
  char* allocate(std::size_t n) {
    if (n > left_) grow(n);
    char* at = next_;
    next_ += n;
    left_ -= n;
    return at;
  }
  std::string_view store(std::string_view bytes) {
    if (bytes.empty()) return "";
    char* at = allocate(bytes.size());
    std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }
  // Gives back the unused tail of the last allocation.
  void shrink_last(std::size_t unused) {
    next_ -= unused;
    left_ += unused;
  }
  void clear();
  std::size_t capacity() const;  // bytes held

 private:
  void grow(std::size_t n);
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // blocks in use
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace sluice
