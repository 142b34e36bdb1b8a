// A load into an empty table: rows stream into it as they come, so nothing is kept but (key, fingerprint).
#pragma once

#include "base/error.h"
#include "diff/differ.h"
#include "diff/fingerprint_log.h"
#include "diff/row_hasher.h"

#include <cstddef>
#include <vector>

namespace sluice::diff {

// What to write for one batch: row numbers in it, ascending. Of several rows with one key only the last is
// named.
struct FirstLoadRows {
  std::vector<std::size_t> inserts;
  std::vector<std::size_t> overwrites;  // update by key: an earlier batch of this run inserted the key
};

// Not thread-safe.
class FirstLoad {
 public:
  // Decides the rows of one batch; fills `out` anew. Rows with NULL in the key are left out.
  void add(const HashedRows& hashed, FirstLoadRows& out);

  // inserted, duplicates and rejected; the others stay 0.
  const DiffCounts& counts() const { return counts_; }
  // The fingerprints to store when the run commits.
  const FingerprintLog& fingerprints() const { return log_; }

 private:
  FingerprintLog log_;
  DiffCounts counts_;
  // Of the batch at hand, kept for their capacity.
  struct Overwrite {
    std::size_t index;  // in the log
    std::size_t row;
  };
  std::vector<Overwrite> overwrites_;
};

}  // namespace sluice::diff
