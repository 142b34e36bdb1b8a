// A growing list of (key, fingerprint), about 30 bytes an entry with integer keys, that can be walked in key
// order and packed into chunks. What a first load writes down as it goes. Not thread-safe.
#pragma once

#include "base/error.h"
#include "model/fingerprint.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::diff {

class FingerprintLog {
 public:
  // Adds the pair. When the log has the key already, that entry gets the new fingerprint (and flags) instead.
  // Keys in ascending order cost one comparison; the first one out of order builds a hash set.
  struct Added {
    std::size_t index;
    bool duplicate;
  };
  Added add(std::string_view key, Fingerprint fingerprint, std::uint8_t flags = 0);

  std::size_t size() const { return size_; }
  std::string_view key(std::size_t i) const;
  Fingerprint fingerprint(std::size_t i) const;
  std::uint8_t flags(std::size_t i) const;
  std::size_t memory() const;  // bytes held

  // Every chunk in key order, ready to be stored.
  struct PackedChunk {
    std::string_view first_key;  // valid during the call
    std::uint32_t entries;
    std::string bytes;  // for FingerprintChunk::parse
  };
  Result<void> pack(const std::function<Result<void>(PackedChunk&&)>& store,
                    std::size_t entries_per_chunk = kChunkEntries) const;

 private:
  struct Block {
    std::vector<Fingerprint> fingerprints;
    std::vector<std::uint32_t> ends;  // of each key in `keys`; empty while all keys have `width` bytes
    std::string keys;
    std::string flags;  // empty while all are 0
    std::size_t width = 0;
  };
  void append(std::string_view key, Fingerprint fingerprint);
  void set(std::size_t i, Fingerprint fingerprint, std::uint8_t flags);
  std::vector<std::uint32_t> sorted() const;
  std::optional<std::size_t> find(std::string_view key) const;
  void remember(std::size_t index);
  void rebuild_index();

  std::vector<Block> blocks_;
  std::size_t size_ = 0;
  bool ascending_ = true;
  std::vector<std::uint32_t> slots_;  // open addressing, index + 1; empty while ascending
};

}  // namespace sluice::diff
