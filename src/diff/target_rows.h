// compare: columns. Fingerprints made from the rows of the target table itself, for when the stored ones are
// missing, of another version, or contradicted by the table.
#pragma once

#include "base/error.h"
#include "diff/row_hasher.h"
#include "model/fingerprint.h"
#include "model/row_batch.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

namespace sluice::diff {

struct FingerprintsOfRows {
  std::unique_ptr<FingerprintReader> reader;  // owns its chunks
  std::int64_t rows = 0;                      // rows read
  std::int64_t without_key = 0;               // rows with NULL in the key: no loader can have written them
  std::int64_t duplicate_keys = 0;            // rows whose key another row has too
};

// True for rows that carry the soft-delete mark; sees the batch as the reader gave it.
using IsSoftDeleted = std::function<bool(const RowBatch& batch, std::size_t row)>;

// Reads `rows` to the end. Any order will do; key order is cheaper. The batches have the hasher's columns
// first; further ones (the soft-delete mark) may follow and are not hashed.
Result<FingerprintsOfRows> fingerprints_of_rows(RowReader& rows, RowHasher& hasher,
                                                const IsSoftDeleted& is_soft_deleted, std::stop_token stop);

}  // namespace sluice::diff
