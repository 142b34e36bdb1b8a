// A list of at most N plain values, kept where it stands: translating a usual phrase allocates its result
// only.
#pragma once

#include <array>
#include <cstddef>

namespace english_cron {

/// The caller sees to it that no more than N are added.
template <typename T, std::size_t N>
class ShortList {
 public:
  static constexpr std::size_t capacity() { return N; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == N; }
  void push_back(const T& value) { items_[size_++] = value; }
  void pop_back() { --size_; }
  void resize(std::size_t smaller) { size_ = smaller; }
  T& operator[](std::size_t i) { return items_[i]; }
  const T& operator[](std::size_t i) const { return items_[i]; }
  T& front() { return items_[0]; }
  const T& front() const { return items_[0]; }
  T& back() { return items_[size_ - 1]; }
  const T& back() const { return items_[size_ - 1]; }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, N> items_;
  std::size_t size_ = 0;
};

}  // namespace english_cron
