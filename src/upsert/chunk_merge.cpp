#include "upsert/chunk_merge.h"

#include <algorithm>
#include <deque>

namespace sluice::upsert {
namespace {

// A chunk this small takes the next one in.
constexpr std::size_t kTiny = kChunkEntries / 4;

struct Entry {
  std::string_view key;
  Fingerprint fingerprint;
  std::uint8_t flags = 0;
};

std::unexpected<Error> contradiction() {
  return fail_transient(ErrorCode::conflict,
                        "the stored fingerprints do not fit the changes: the table has to be compared again");
}

// Appends the merged entries of one chunk to `out`. The views are of the chunk and of the changes.
Result<void> merge_one(const FingerprintChunk& chunk, std::span<const ChangeSet::KeyEntry> changes,
                       bool soft_delete, std::vector<Entry>& out) {
  std::size_t at = 0;
  const auto copy_until = [&](std::size_t end) {
    for (; at < end; ++at) out.push_back({chunk.key(at), chunk.fingerprint(at), chunk.flags(at)});
  };
  for (const auto& change : changes) {
    copy_until(chunk.lower_bound(change.key, at));
    const bool known = at < chunk.size() && chunk.key(at) == change.key;
    if (known == (change.op == ChangeOp::insert)) return contradiction();
    if (change.op != ChangeOp::remove) {
      out.push_back({change.key, change.fingerprint, 0});
    } else if (soft_delete) {
      out.push_back(
          {chunk.key(at), chunk.fingerprint(at), static_cast<std::uint8_t>(chunk.flags(at) | kSoftDeleted)});
    }
    if (known) ++at;
  }
  copy_until(chunk.size());
  return {};
}

// Even pieces of about kChunkEntries; up to twice as many entries stay one chunk.
void pack(std::span<const Entry> entries, std::vector<NewChunk>& out) {
  const std::size_t pieces = entries.size() <= 2 * kChunkEntries
                                 ? (entries.empty() ? 0 : 1)
                                 : (entries.size() + kChunkEntries - 1) / kChunkEntries;
  FingerprintChunkBuilder builder;
  std::size_t from = 0;
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    const std::size_t to = entries.size() * (piece + 1) / pieces;
    NewChunk chunk{std::string(entries[from].key), static_cast<std::uint32_t>(to - from), {}};
    for (; from < to; ++from) builder.add(entries[from].key, entries[from].fingerprint, entries[from].flags);
    chunk.bytes = builder.finish();
    out.push_back(std::move(chunk));
  }
}

}  // namespace

Result<void> merge_chunks(FingerprintReader& base, std::span<const ChangeSet::KeyEntry> changes,
                          const MergeOptions& options,
                          const std::function<Result<void>(const ChunkRewrite&)>& emit) {
  const auto& directory = base.directory();
  if (directory.empty()) {
    std::vector<Entry> entries;
    SLUICE_CHECK(merge_one(FingerprintChunk(), changes, options.soft_delete, entries));
    ChunkRewrite rewrite;
    pack(entries, rewrite.chunks);
    return emit(rewrite);
  }
  std::size_t next_change = 0;
  for (std::size_t i = 0; i < directory.size();) {
    // Chunk i and, while what is left of them is tiny, the ones after it.
    ChunkRewrite rewrite;
    std::deque<std::string> loaded;  // the entries point into these, which must not move
    std::vector<Entry> entries;
    bool touched = options.rewrite_all;
    do {
      std::size_t end = changes.size();
      if (i + 1 < directory.size()) {
        const auto bound = std::lower_bound(
            changes.begin() + static_cast<std::ptrdiff_t>(next_change), changes.end(),
            directory[i + 1].first_key,
            [](const ChangeSet::KeyEntry& change, const std::string& key) { return change.key < key; });
        end = static_cast<std::size_t>(bound - changes.begin());
      }
      const auto mine = changes.subspan(next_change, end - next_change);
      if (mine.empty() && !touched) break;
      touched = true;
      SLUICE_TRY(auto bytes, base.load(i));
      loaded.push_back(std::move(bytes));
      SLUICE_TRY(const auto chunk, FingerprintChunk::parse(loaded.back()));
      SLUICE_CHECK(merge_one(chunk, mine, options.soft_delete, entries));
      rewrite.replaced.emplace_back(directory[i].first_key);
      next_change = end;
      ++i;
    } while (i < directory.size() && !entries.empty() && entries.size() < kTiny);
    if (!touched) {
      ++i;
      continue;
    }
    pack(entries, rewrite.chunks);
    SLUICE_CHECK(emit(rewrite));
  }
  return {};
}

}  // namespace sluice::upsert
