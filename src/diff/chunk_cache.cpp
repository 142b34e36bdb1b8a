#include "diff/chunk_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::diff {

const std::vector<FingerprintReader::ChunkInfo> ChunkCache::kNone;

ChunkCache::ChunkCache(FingerprintReader* reader, std::size_t memory_limit)
    : reader_(reader),
      directory_(reader == nullptr ? kNone : reader->directory()),
      memory_limit_(memory_limit),
      slots_(directory_.size(), used_.end()),
      soft_deleted_(directory_.size(), -1) {}

std::size_t ChunkCache::chunk_of(std::string_view key) const {
  const auto after = std::upper_bound(directory_.begin(), directory_.end(), key,
                                      [](std::string_view wanted, const FingerprintReader::ChunkInfo& info) {
                                        return wanted < info.first_key;
                                      });
  return after == directory_.begin() ? 0 : static_cast<std::size_t>(after - directory_.begin()) - 1;
}

bool ChunkCache::holds(std::size_t i, std::string_view key) const {
  if (i > 0 && key < directory_[i].first_key) return false;
  return i + 1 == directory_.size() || key < directory_[i + 1].first_key;
}

Result<const FingerprintChunk*> ChunkCache::get(std::size_t i) {
  if (i < highest_) ascending_ = false;
  highest_ = std::max(highest_, i);
  if (slots_[i] == used_.end()) {
    SLUICE_CHECK(load(i));
  } else {
    used_.splice(used_.begin(), used_, slots_[i]);
  }
  return &slots_[i]->chunk;
}

Result<void> ChunkCache::load(std::size_t i) {
  SLUICE_TRY(std::string bytes, reader_->load(i));
  make_room(bytes.size());
  used_.push_front({i, std::move(bytes), {}});
  auto& loaded = used_.front();
  slots_[i] = used_.begin();
  memory_ += loaded.bytes.size();

  const auto where = [&] { return fmt::format("chunk {} of {}", i + 1, directory_.size()); };
  auto parsed = FingerprintChunk::parse(loaded.bytes);
  if (!parsed) return fail_within(where(), std::move(parsed).error());
  loaded.chunk = *parsed;
  const auto& chunk = loaded.chunk;
  const auto& info = directory_[i];
  if (chunk.size() != info.entries)
    return fail(
        ErrorCode::malformed,
        fmt::format("it has {} fingerprints, its directory entry says {}", chunk.size(), info.entries),
        where());
  if (chunk.size() > 0 && (chunk.key(0) < info.first_key || !holds(i, chunk.key(chunk.size() - 1))))
    return fail(ErrorCode::malformed, "its keys do not lie between its bounds", where());
  if (soft_deleted_[i] < 0) {
    soft_deleted_[i] = 0;
    for (std::size_t entry = 0; entry < chunk.size(); ++entry)
      soft_deleted_[i] += chunk.flags(entry) & kSoftDeleted;
  }
  return {};
}

void ChunkCache::make_room(std::size_t bytes) {
  const std::size_t most = ascending_ ? 1 : SIZE_MAX;
  while (!used_.empty() && (used_.size() > most || memory_ + bytes > memory_limit_)) {
    memory_ -= used_.back().bytes.size();
    slots_[used_.back().index] = used_.end();
    used_.pop_back();
  }
}

}  // namespace sluice::diff
