// The packed fingerprints of one table: reading them, and rewriting only what changed.
#pragma once

#include "base/error.h"
#include "model/change_set.h"
#include "model/fingerprint.h"
#include "sql/connection.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upsert {

// The directory is read at once, chunks on demand. The connection must outlive it. Errors: malformed (a
// damaged directory), conflict (a chunk is gone by the time it is asked for: someone else committed).
class StoredFingerprints final : public FingerprintReader {
 public:
  static Result<std::unique_ptr<StoredFingerprints>> open(sql::Connection& connection,
                                                          std::string_view table);

  const std::vector<ChunkInfo>& directory() const override { return directory_; }
  std::int64_t entries() const;  // of all chunks, as the directory says
  Result<std::string> load(std::size_t i) override;

 private:
  StoredFingerprints() = default;
  std::string table_;
  std::vector<ChunkInfo> directory_;
  std::unique_ptr<sql::Statement> select_;
};

// Writes within the caller's transaction.
class FingerprintWriter {
 public:
  FingerprintWriter(sql::Connection& connection, std::string_view table)
      : connection_(connection), table_(table) {}

  // Removes every chunk of the table.
  Result<void> clear();
  // Adds one packed chunk; the caller sees to it that chunks do not overlap.
  Result<void> add_chunk(std::string_view first_key, std::uint32_t entries, std::string_view bytes);
  // Lays the changes over the stored chunks: only chunks with a change are written, split when they exceed
  // 2 × kChunkEntries, joined with a neighbour when small. Removals mark the entry when `soft_delete`, else
  // drop it. Error `conflict` when an entry that must be there is not.
  Result<void> merge(const ChangeSet& changes, bool soft_delete);
  // Writes `base` with the changes laid over it in place of all that is stored. `base` must not read the
  // stored chunks.
  Result<void> rebase(FingerprintReader& base, const ChangeSet& changes, bool soft_delete);

  // Entries written by rebase() or add_chunk() that carry kSoftDeleted.
  std::int64_t soft_deleted() const { return soft_deleted_; }

 private:
  Result<void> write(std::string_view first_key, std::uint32_t entries, std::string_view bytes);

  sql::Connection& connection_;
  std::string table_;
  std::unique_ptr<sql::Statement> insert_;
  std::int64_t soft_deleted_ = 0;
};

}  // namespace sluice::upsert
