#include "model/fingerprint.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace sluice {
namespace {

static_assert(std::endian::native == std::endian::little, "chunks are read in place");
static_assert(sizeof(Fingerprint) == 16);

constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kSumAt = 12;
constexpr std::size_t kHeader = kSumAt + sizeof(std::uint64_t);

constexpr std::size_t kPrefixed = 9;  // a type tag and eight bytes: every integer key

// The eight bytes after the type tag of a key, as a number in their order.
std::uint64_t read_prefix(const char* key) {
  std::uint64_t value = 0;
  std::memcpy(&value, key + 1, sizeof value);
  return __builtin_bswap64(value);
}

std::uint32_t read_u32(const char* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

void append_u32(std::string& out, std::uint32_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::uint64_t sum_of(std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data() + kHeader, bytes.size() - kHeader,
                              XXH3_64bits(bytes.data(), kSumAt));
}

std::unexpected<Error> damaged(std::string_view why) {
  return fail(ErrorCode::malformed, fmt::format("a chunk of stored fingerprints is damaged: {}", why));
}

}  // namespace

Result<FingerprintChunk> FingerprintChunk::parse(std::string_view bytes) {
  if (bytes.size() < kHeader) return damaged(fmt::format("{} bytes are too few", bytes.size()));
  const auto version = static_cast<std::uint8_t>(bytes[0]);
  if (version != kVersion) return damaged(fmt::format("its version is {}, not {}", version, kVersion));
  if (bytes[1] != 0 || bytes[2] != 0 || bytes[3] != 0) return damaged("its reserved bytes are not 0");
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + kSumAt, sizeof sum);
  if (sum != sum_of(bytes)) return damaged("its bytes do not have its checksum");
  const std::uint64_t count = read_u32(bytes.data() + 4);
  const std::uint64_t width = read_u32(bytes.data() + 8);
  // All of this fits in 64 bits: count and width are below 2^32 and checked before they are multiplied again.
  std::uint64_t left = bytes.size() - kHeader;
  if (left / 17 < count) return damaged(fmt::format("it is too short for {} entries", count));
  left -= count * 17;

  FingerprintChunk chunk;
  chunk.count_ = count;
  chunk.key_width_ = width;
  chunk.fingerprints_ = bytes.data() + kHeader;
  chunk.flags_ = chunk.fingerprints_ + count * 16;
  if (width != 0) {
    if (left != count * width)
      return damaged(fmt::format("{} bytes of keys, not {} × {}", left, count, width));
    chunk.keys_ = chunk.flags_ + count;
    return chunk;
  }
  if (left / 4 < count + 1) return damaged("it is too short for its key offsets");
  left -= (count + 1) * 4;
  chunk.offsets_ = chunk.flags_ + count;
  chunk.keys_ = chunk.offsets_ + (count + 1) * 4;
  std::uint32_t last = 0;
  for (std::size_t i = 0; i <= count; ++i) {
    const auto offset = read_u32(chunk.offsets_ + i * 4);
    if (offset < last || (i == 0 && offset != 0)) return damaged("its key offsets do not ascend");
    last = offset;
  }
  if (last != left) return damaged(fmt::format("{} bytes of keys, not {}", left, last));
  return chunk;
}

std::string_view FingerprintChunk::key(std::size_t i) const {
  if (key_width_ != 0) return {keys_ + i * key_width_, key_width_};
  const auto begin = read_u32(offsets_ + i * 4);
  return {keys_ + begin, read_u32(offsets_ + i * 4 + 4) - begin};
}

Fingerprint FingerprintChunk::fingerprint(std::size_t i) const {
  Fingerprint value;
  std::memcpy(&value, fingerprints_ + i * 16, sizeof value);
  return value;
}

std::size_t FingerprintChunk::lower_bound(std::string_view wanted, std::size_t from) const {
  if (from < count_ && key_width_ >= kPrefixed && wanted.size() >= kPrefixed && keys_[0] == wanted[0] &&
      keys_[(count_ - 1) * key_width_] == wanted[0]) {
    from = lower_bound_of_prefix(wanted, from);
    if (from == count_ || !(key(from) < wanted)) return from;
  }
  std::size_t length = count_ - std::min(from, count_);
  while (length > 0) {
    const auto half = length / 2;
    if (key(from + half) < wanted) {
      from += half + 1;
      length -= half + 1;
    } else {
      length = half;
    }
  }
  return from;
}

// First entry from `from` on whose eight bytes after the tag are not less than those of the key; the tags are
// equal. Without a branch on the comparison, which no processor could predict.
std::size_t FingerprintChunk::lower_bound_of_prefix(std::string_view wanted, std::size_t from) const {
  const auto prefix = read_prefix(&wanted[0]);
  const char* at = keys_ + from * key_width_;
  for (std::size_t length = count_ - from; length > 1;) {
    const auto half = length / 2;
    at += read_prefix(at + (half - 1) * key_width_) < prefix ? half * key_width_ : 0;
    length -= half;
  }
  return static_cast<std::size_t>(at - keys_) / key_width_ + (read_prefix(at) < prefix ? 1 : 0);
}

void FingerprintChunkBuilder::add(std::string_view key, Fingerprint fingerprint, std::uint8_t flags) {
  assert(empty() || std::string_view(keys_).substr(offsets_[size() - 1]) < key);
  equal_width_ = equal_width_ && !key.empty() && (empty() || key.size() == offsets_[1]);
  fingerprints_.push_back(fingerprint);
  flags_.push_back(static_cast<char>(flags));
  keys_ += key;
  offsets_.push_back(static_cast<std::uint32_t>(keys_.size()));
}

std::string_view FingerprintChunkBuilder::first_key() const {
  return empty() ? std::string_view() : std::string_view(keys_).substr(0, offsets_[1]);
}

std::string FingerprintChunkBuilder::finish() {
  const auto count = size();
  const bool fixed = equal_width_ && count > 0;
  std::string bytes;
  bytes.reserve(kHeader + count * 17 + (fixed ? 0 : offsets_.size() * 4) + keys_.size());
  bytes.push_back(static_cast<char>(kVersion));
  bytes.append(3, '\0');
  append_u32(bytes, static_cast<std::uint32_t>(count));
  append_u32(bytes, fixed ? offsets_[1] : 0);
  bytes.append(kHeader - kSumAt, '\0');
  bytes.append(reinterpret_cast<const char*>(fingerprints_.data()), count * sizeof(Fingerprint));
  bytes += flags_;
  if (!fixed)
    bytes.append(reinterpret_cast<const char*>(offsets_.data()), offsets_.size() * sizeof offsets_[0]);
  bytes += keys_;
  const auto sum = sum_of(bytes);
  std::memcpy(bytes.data() + kSumAt, &sum, sizeof sum);
  fingerprints_.clear();
  flags_.clear();
  offsets_.assign(1, 0);
  keys_.clear();
  equal_width_ = true;
  return bytes;
}

}  // namespace sluice
