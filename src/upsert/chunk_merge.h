// Laying sorted changes over sorted chunks. Pure: where chunks come from and go to is the caller's.
#pragma once

#include "base/error.h"
#include "model/change_set.h"
#include "model/fingerprint.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upsert {

struct NewChunk {
  std::string first_key;
  std::uint32_t entries = 0;
  std::string bytes;
};
// Some neighbouring chunks of the base and what takes their place.
struct ChunkRewrite {
  std::vector<std::string_view> replaced;  // their first keys
  std::vector<NewChunk> chunks;            // none when nothing is left
};
struct MergeOptions {
  bool soft_delete = false;  // removals mark the entry instead of dropping it
  bool rewrite_all = false;  // pass on chunks without a change too
};

// `changes` ascend by key, each key once. Error `conflict` when an inserted key is there already, or another
// change's key is not: the fingerprints do not belong to this change set.
Result<void> merge_chunks(FingerprintReader& base, std::span<const ChangeSet::KeyEntry> changes,
                          const MergeOptions& options,
                          const std::function<Result<void>(const ChunkRewrite&)>& emit);

}  // namespace sluice::upsert
