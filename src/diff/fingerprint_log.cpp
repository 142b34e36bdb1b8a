#include "diff/fingerprint_log.h"

#include <xxhash.h>

#include <algorithm>

namespace sluice::diff {
namespace {

constexpr std::size_t kBlockEntries = 1u << 15;
constexpr std::size_t kFewestSlots = 1024;

// The eight bytes after the type tag, as a number in their order; enough to order most keys without a second
// look.
std::uint64_t prefix_of(std::string_view key) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto at = i + 1;
    value = value << 8 | (at < key.size() ? static_cast<unsigned char>(key[at]) : 0u);
  }
  return value;
}

}  // namespace

std::string_view FingerprintLog::key(std::size_t i) const {
  const auto& block = blocks_[i / kBlockEntries];
  const auto at = i % kBlockEntries;
  if (block.ends.empty()) return std::string_view(block.keys).substr(at * block.width, block.width);
  const std::size_t begin = at == 0 ? 0 : block.ends[at - 1];
  return std::string_view(block.keys).substr(begin, block.ends[at] - begin);
}

Fingerprint FingerprintLog::fingerprint(std::size_t i) const {
  return blocks_[i / kBlockEntries].fingerprints[i % kBlockEntries];
}

std::uint8_t FingerprintLog::flags(std::size_t i) const {
  const auto& flags = blocks_[i / kBlockEntries].flags;
  return flags.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(flags[i % kBlockEntries]);
}

FingerprintLog::Added FingerprintLog::add(std::string_view key, Fingerprint fingerprint, std::uint8_t flags) {
  if (size_ > 0 && ascending_ && !(this->key(size_ - 1) < key)) {
    if (this->key(size_ - 1) == key) {
      set(size_ - 1, fingerprint, flags);
      return {size_ - 1, true};
    }
    ascending_ = false;
    rebuild_index();
  }
  if (!ascending_) {
    if (const auto found = find(key)) {
      set(*found, fingerprint, flags);
      return {*found, true};
    }
  }
  append(key, fingerprint);
  if (flags != 0) set(size_ - 1, fingerprint, flags);
  if (!ascending_) {
    if (size_ * 4 > slots_.size() * 3) {
      rebuild_index();
    } else {
      remember(size_ - 1);
    }
  }
  return {size_ - 1, false};
}

void FingerprintLog::append(std::string_view key, Fingerprint fingerprint) {
  if (size_ % kBlockEntries == 0) {
    blocks_.emplace_back();
    // The first block grows as it is filled: most tables are small.
    if (size_ > 0) {
      blocks_.back().fingerprints.reserve(kBlockEntries);
      blocks_.back().keys.reserve(kBlockEntries * key.size());
    }
    blocks_.back().width = key.size();
  }
  auto& block = blocks_.back();
  const auto before = block.fingerprints.size();
  if (block.ends.empty() && key.size() != block.width) {
    block.ends.reserve(kBlockEntries);
    for (std::size_t i = 1; i <= before; ++i)
      block.ends.push_back(static_cast<std::uint32_t>(i * block.width));
  }
  block.keys += key;
  if (!block.ends.empty()) block.ends.push_back(static_cast<std::uint32_t>(block.keys.size()));
  block.fingerprints.push_back(fingerprint);
  if (!block.flags.empty()) block.flags.push_back('\0');
  ++size_;
}

void FingerprintLog::set(std::size_t i, Fingerprint fingerprint, std::uint8_t flags) {
  auto& block = blocks_[i / kBlockEntries];
  block.fingerprints[i % kBlockEntries] = fingerprint;
  if (block.flags.empty() && flags == 0) return;
  block.flags.resize(block.fingerprints.size());
  block.flags[i % kBlockEntries] = static_cast<char>(flags);
}

std::optional<std::size_t> FingerprintLog::find(std::string_view wanted) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = XXH3_64bits(wanted.data(), wanted.size()) & mask;; at = (at + 1) & mask) {
    if (slots_[at] == 0) return std::nullopt;
    if (key(slots_[at] - 1) == wanted) return slots_[at] - 1;
  }
}

void FingerprintLog::remember(std::size_t index) {
  const std::size_t mask = slots_.size() - 1;
  const auto added = key(index);
  std::size_t at = XXH3_64bits(added.data(), added.size()) & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = static_cast<std::uint32_t>(index + 1);
}

void FingerprintLog::rebuild_index() {
  std::size_t wanted = kFewestSlots;
  while (wanted < size_ * 2) wanted *= 2;
  slots_.clear();
  slots_.resize(wanted);
  for (std::size_t i = 0; i < size_; ++i) remember(i);
}

std::size_t FingerprintLog::memory() const {
  std::size_t sum = slots_.capacity() * sizeof(std::uint32_t);
  for (const auto& block : blocks_) {
    sum += block.fingerprints.capacity() * sizeof(Fingerprint) +
           block.ends.capacity() * sizeof(std::uint32_t) + block.keys.capacity() + block.flags.capacity();
  }
  return sum;
}

std::vector<std::uint32_t> FingerprintLog::sorted() const {
  struct Item {
    std::uint64_t prefix;
    std::uint32_t index;
  };
  std::vector<Item> items(size_);
  for (std::size_t i = 0; i < size_; ++i) items[i] = {prefix_of(key(i)), static_cast<std::uint32_t>(i)};
  // All keys of a log have the same first tag, so the prefix decides unless it is equal.
  std::sort(items.begin(), items.end(), [this](const Item& a, const Item& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : key(a.index) < key(b.index);
  });
  std::vector<std::uint32_t> order(size_);
  for (std::size_t i = 0; i < size_; ++i) order[i] = items[i].index;
  return order;
}

Result<void> FingerprintLog::pack(const std::function<Result<void>(PackedChunk&&)>& store,
                                  std::size_t entries_per_chunk) const {
  FingerprintChunkBuilder builder;
  const auto flush = [&]() -> Result<void> {
    const std::string first(builder.first_key());
    const auto entries = static_cast<std::uint32_t>(builder.size());
    return store({first, entries, builder.finish()});
  };
  const auto order = ascending_ ? std::vector<std::uint32_t>() : sorted();
  for (std::size_t at = 0; at < size_; ++at) {
    const std::size_t i = ascending_ ? at : order[at];
    if (builder.size() >= entries_per_chunk || builder.full()) SLUICE_CHECK(flush());
    builder.add(key(i), fingerprint(i), flags(i));
  }
  if (!builder.empty()) SLUICE_CHECK(flush());
  return {};
}

}  // namespace sluice::diff
