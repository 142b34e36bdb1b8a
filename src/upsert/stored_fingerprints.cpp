#include "upsert/stored_fingerprints.h"

#include "sql/migration.h"
#include "upsert/chunk_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace sluice::upsert {
namespace {

// Far above what the writer packs, far below what would hurt to reserve.
constexpr std::int64_t kMostEntries = 16 * static_cast<std::int64_t>(kChunkEntries);

}  // namespace

Result<std::unique_ptr<StoredFingerprints>> StoredFingerprints::open(sql::Connection& connection,
                                                                     std::string_view table) {
  auto stored = std::unique_ptr<StoredFingerprints>(new StoredFingerprints);
  stored->table_ = table;
  SLUICE_TRY(const bool known, sql::table_exists(connection, "_sluice_fingerprint"));
  if (!known) return stored;
  SLUICE_TRY(auto list, connection.prepare("select first_key, entries from _sluice_fingerprint where "
                                           "table_name = ? order by first_key"));
  list->bind_text(1, table);
  for (;;) {
    SLUICE_TRY(const bool row, list->step());
    if (!row) break;
    const auto first_key = list->blob(0);
    const auto entries = list->int64(1);
    auto& directory = stored->directory_;
    if (entries < 1 || entries > kMostEntries ||
        (!directory.empty() && first_key <= directory.back().first_key))
      return fail(ErrorCode::malformed,
                  fmt::format("the directory of stored fingerprints is damaged: chunk {} "
                              "has {} entries, or is out of order",
                              directory.size() + 1, entries));
    directory.push_back({std::string(first_key), static_cast<std::uint32_t>(entries)});
  }
  SLUICE_TRY(
      stored->select_,
      connection.prepare("select data from _sluice_fingerprint where table_name = ? and first_key = ?"));
  return stored;
}

std::int64_t StoredFingerprints::entries() const {
  return std::accumulate(directory_.begin(), directory_.end(), std::int64_t{0},
                         [](std::int64_t sum, const ChunkInfo& chunk) { return sum + chunk.entries; });
}

Result<std::string> StoredFingerprints::load(std::size_t i) {
  if (i >= directory_.size()) return fail(ErrorCode::internal, "no such chunk of fingerprints");
  select_->bind_text(1, table_);
  select_->bind_blob(2, directory_[i].first_key);
  SLUICE_TRY(const bool row, select_->step());
  if (!row) {
    return fail_transient(ErrorCode::conflict,
                          "another run has changed the table while this one compared it");
  }
  std::string bytes(select_->blob(0));
  select_->reset();
  return bytes;
}

Result<void> FingerprintWriter::clear() {
  SLUICE_TRY(auto remove, connection_.prepare("delete from _sluice_fingerprint where table_name = ?"));
  remove->bind_text(1, table_);
  soft_deleted_ = 0;
  return remove->run();
}

Result<void> FingerprintWriter::write(std::string_view first_key, std::uint32_t entries,
                                      std::string_view bytes) {
  if (insert_ == nullptr) {
    // The statement replaces a chunk that keeps its first key; nothing refers to these rows.
    SLUICE_TRY(insert_, connection_.prepare(
                            "insert into _sluice_fingerprint (table_name, first_key, entries, data) values "
                            "(?, ?, ?, ?) on conflict (table_name, first_key) do update set "
                            "entries = excluded.entries, data = excluded.data"));
  }
  insert_->bind_text(1, table_);
  insert_->bind_blob(2, first_key);
  insert_->bind_int64(3, entries);
  insert_->bind_blob(4, bytes);
  return insert_->run();
}

Result<void> FingerprintWriter::add_chunk(std::string_view first_key, std::uint32_t entries,
                                          std::string_view bytes) {
  SLUICE_TRY(const auto chunk, FingerprintChunk::parse(bytes));
  for (std::size_t i = 0; i < chunk.size(); ++i)
    soft_deleted_ += (chunk.flags(i) & kSoftDeleted) != 0 ? 1 : 0;
  return write(first_key, entries, bytes);
}

Result<void> FingerprintWriter::merge(const ChangeSet& changes, bool soft_delete) {
  if (changes.empty()) return {};
  SLUICE_TRY(auto stored, StoredFingerprints::open(connection_, table_));
  const auto sorted = changes.by_key();
  SLUICE_TRY(auto remove,
             connection_.prepare("delete from _sluice_fingerprint where table_name = ? and first_key = ?"));
  remove->bind_text(1, table_);
  // Chunks stay where they are in the directory while they are rewritten: each has been read before its
  // rows are touched, and new first keys lie inside the range that was read.
  return merge_chunks(*stored, sorted, {.soft_delete = soft_delete, .rewrite_all = false},
                      [&](const ChunkRewrite& rewrite) -> Result<void> {
                        for (const std::string_view old : rewrite.replaced) {
                          const bool stays = std::ranges::any_of(
                              rewrite.chunks, [&](const NewChunk& chunk) { return chunk.first_key == old; });
                          if (stays) continue;
                          remove->bind_blob(2, old);
                          SLUICE_CHECK(remove->run());
                        }
                        for (const NewChunk& chunk : rewrite.chunks) {
                          SLUICE_CHECK(write(chunk.first_key, chunk.entries, chunk.bytes));
                        }
                        return {};
                      });
}

Result<void> FingerprintWriter::rebase(FingerprintReader& base, const ChangeSet& changes, bool soft_delete) {
  SLUICE_CHECK(clear());
  const auto sorted = changes.by_key();
  return merge_chunks(base, sorted, {.soft_delete = soft_delete, .rewrite_all = true},
                      [&](const ChunkRewrite& rewrite) -> Result<void> {
                        for (const NewChunk& chunk : rewrite.chunks) {
                          SLUICE_CHECK(add_chunk(chunk.first_key, chunk.entries, chunk.bytes));
                        }
                        return {};
                      });
}

}  // namespace sluice::upsert
