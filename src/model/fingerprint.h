// What we loaded last: a 128-bit fingerprint a key, packed into chunks of sorted entries.
//
// A key is the order-preserving encoding of the key columns (diff/key_codec.h): memcmp order of the bytes is
// the order of the keys. A chunk is one BLOB row of _sluice_fingerprint, read in place without decoding.
//
// Byte format, little-endian, version 2:
//   u8 version = 2 | u8 reserved[3] | u32 count | u32 key_width (0 = keys of different length)
//   u64 XXH3-64 of the bytes after it, seeded with the XXH3-64 of the bytes before it
//   count × 16 bytes fingerprint (lo, hi) | count × u8 flags | [count + 1 × u32 key offsets, if key_width =
//   0] | key bytes
#pragma once

#include "base/error.h"

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct Fingerprint {
  std::uint64_t lo = 0;
  std::uint64_t hi = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Flag of an entry: the row is soft-deleted in the target.
inline constexpr std::uint8_t kSoftDeleted = 1;

inline constexpr std::size_t kChunkEntries = 4096;
inline constexpr std::size_t kChunkKeyBytes = 1u << 20;

// A read-only view over the bytes of one chunk. The bytes must outlive it.
class FingerprintChunk {
 public:
  FingerprintChunk() = default;
  // Checks every length and offset, and the sum over all bytes: a damaged blob is an error (malformed), never
  // an overrun, and never another fingerprint.
  static Result<FingerprintChunk> parse(std::string_view bytes);

  std::size_t size() const { return count_; }
  std::string_view key(std::size_t i) const;
  Fingerprint fingerprint(std::size_t i) const;
  std::uint8_t flags(std::size_t i) const { return static_cast<std::uint8_t>(flags_[i]); }
  // First entry whose key is not less than `key`, searching [from, size()).
  std::size_t lower_bound(std::string_view key, std::size_t from = 0) const;

 private:
  std::size_t lower_bound_of_prefix(std::string_view wanted, std::size_t from) const;
  std::size_t count_ = 0;
  std::size_t key_width_ = 0;
  const char* fingerprints_ = nullptr;
  const char* flags_ = nullptr;
  const char* offsets_ = nullptr;
  const char* keys_ = nullptr;
};

// Builds the bytes of one chunk from entries added in ascending key order.
class FingerprintChunkBuilder {
 public:
  void add(std::string_view key, Fingerprint fingerprint, std::uint8_t flags);
  std::size_t size() const { return fingerprints_.size(); }
  bool empty() const { return fingerprints_.empty(); }
  // True when the chunk should be finished before the next add: kChunkEntries, or kChunkKeyBytes of long
  // keys.
  bool full() const { return size() >= kChunkEntries || keys_.size() >= kChunkKeyBytes; }
  std::string_view first_key() const;
  std::string finish();  // the bytes; the builder is empty afterwards

 private:
  std::vector<Fingerprint> fingerprints_;
  std::string flags_;
  std::vector<std::uint32_t> offsets_{0};
  std::string keys_;
  bool equal_width_ = true;
};

// The target's side of a diff: its chunks in key order. One reader serves one run; not thread-safe.
class FingerprintReader {
 public:
  struct ChunkInfo {
    std::string first_key;
    std::uint32_t entries = 0;
  };
  virtual ~FingerprintReader() = default;
  // All chunks, in key order.
  virtual const std::vector<ChunkInfo>& directory() const = 0;
  // The bytes of chunk i, for FingerprintChunk::parse.
  virtual Result<std::string> load(std::size_t i) = 0;
};

}  // namespace sluice
