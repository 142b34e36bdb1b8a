// The target's chunks, loaded when needed and kept within a memory limit: the least recently used one goes
// first. As long as chunks are asked for in ascending order only two are kept, since none is wanted twice.
#pragma once

#include "base/error.h"
#include "model/fingerprint.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::diff {

class ChunkCache {
 public:
  // A null reader is an empty target.
  ChunkCache(FingerprintReader* reader, std::size_t memory_limit);

  std::size_t size() const { return slots_.size(); }
  std::size_t entries(std::size_t i) const { return directory_[i].entries; }
  // The chunk that has the key if any has it: the last one that begins at or before it, else the first.
  std::size_t chunk_of(std::string_view key) const;
  // Whether chunk_of(key) == i, without a search.
  bool holds(std::size_t i, std::string_view key) const;

  // Valid until the next get(). Checked against the directory; a contradiction is an error (malformed).
  Result<const FingerprintChunk*> get(std::size_t i);

  // Soft-deleted entries of chunk i, or -1 while it was never loaded.
  std::int64_t soft_deleted(std::size_t i) const { return soft_deleted_[i]; }
  std::size_t memory() const { return memory_; }

 private:
  struct Loaded {
    std::size_t index;
    std::string bytes;
    FingerprintChunk chunk;
  };
  using Slot = std::list<Loaded>::iterator;
  Result<void> load(std::size_t i);
  void make_room(std::size_t bytes);

  static const std::vector<FingerprintReader::ChunkInfo> kNone;
  FingerprintReader* reader_;
  const std::vector<FingerprintReader::ChunkInfo>& directory_;
  std::size_t memory_limit_;
  std::list<Loaded> used_;   // latest first
  std::vector<Slot> slots_;  // used_.end() = not loaded
  std::vector<std::int64_t> soft_deleted_;
  std::size_t memory_ = 0;
  std::size_t highest_ = 0;
  bool ascending_ = true;
};

}  // namespace sluice::diff
