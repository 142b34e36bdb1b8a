// Incoming rows against what was loaded last: which rows are new, changed, equal, back again or gone.
//
// The target's side is a stream of (key, fingerprint) in chunks, never table rows. Sources in key order cost
// one comparison a row; others a binary search. Of several records with one key the LAST one counts, exactly:
// each earlier one is a duplicate, and its decision is taken back.
//
// mode      new key   changed   equal      soft-deleted   not in the source
// sync      insert    update    unchanged  restore        vanished
// replace   insert    update    unchanged  restore        vanished (the caller removes them)
// upsert    insert    update    unchanged  restore        not judged
// append    insert    ignored   ignored    ignored        not judged   (but see DiffOptions::refill)
//
// Pure: no SQL, no files but the change set's own spill. Not thread-safe.
#pragma once

#include "base/error.h"
#include "diff/row_hasher.h"
#include "model/change_set.h"
#include "model/fingerprint.h"
#include "model/row_batch.h"
#include "model/spec.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

namespace sluice::diff {

struct DiffOptions {
  LoadMode mode = LoadMode::sync;
  // Bytes of fingerprint chunks kept in memory; at least one chunk is kept whatever it says. Sources in key
  // order hold two chunks only.
  std::size_t memory_limit = 64u << 20;
  // At finish() add a removal to the change set for each vanished key (vanished: softDelete or delete,
  // replace).
  bool collect_vanished = false;
  // append: columns that the target has lost. A record of a known key that has a value for one of them is an
  // update, which is to write these columns alone. Soft-deleted rows are left as they are.
  std::vector<std::size_t> refill = {};
};

// Of the rows given to add(); rows with NULL in the key are in `rejected`.
// rows added = rejected + duplicates + inserted + updated + restored + unchanged + ignored.
struct DiffCounts {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t unchanged = 0;
  std::int64_t restored = 0;
  std::int64_t ignored = 0;
  std::int64_t duplicates = 0;
  std::int64_t rejected = 0;
  friend bool operator==(const DiffCounts&, const DiffCounts&) = default;
};

struct DiffSummary {
  DiffCounts counts;
  // Keys of the target that no record had, rejected ones included, and that are not soft-deleted already.
  // Nothing where absence was not judged (upsert, append, an incomplete source).
  std::optional<std::int64_t> vanished;
  // Live rows of the target by its fingerprints. Always known where absence was judged; else only when every
  // chunk happened to be read.
  std::optional<std::int64_t> rows_before;
};

class Differ {
 public:
  // `target` and `out` must outlive this; a null target is an empty one. `out` must be empty and have the
  // schema of the batches.
  Differ(FingerprintReader* target, DiffOptions options, ChangeSet& out);
  ~Differ();
  Differ(const Differ&) = delete;
  Differ& operator=(const Differ&) = delete;

  // Decides every row of the batch. `hashed` is of this batch. Errors: the target's reader, a damaged chunk
  // (malformed), the spill file, cancelled. After an error the differ is of no further use.
  Result<void> add(const RowBatch& batch, const HashedRows& hashed, std::stop_token stop);

  // Keys of rejected records: their rows in the target stay as they are and never count as vanished. A good
  // record of the same key, before or after, is still loaded. Hashed by RowHasher::hash_keys.
  Result<void> add_rejected_keys(const HashedRows& keys, std::stop_token stop);

  const DiffCounts& counts() const;  // so far

  using VanishedVisitor = std::function<Result<void>(std::string_view key)>;
  // Ends the diff. `complete`: every source was read to its end, so that a missing key means a missing
  // record; without it absence is not judged. `visit`, if any, gets every vanished key in key order. Call
  // once, after the last add().
  Result<DiffSummary> finish(bool complete, std::stop_token stop, const VanishedVisitor& visit = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::diff
