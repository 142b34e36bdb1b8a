// Keys and fingerprints of whole batches: the hot loop of every run.
//
// A fingerprint is XXH3-128 over the columns that are neither key nor NULL, in the order of their ids; per
// column one 64-bit word (id | type tag << 24 | byte length << 32, little-endian) and the value: 8 bytes for
// the fixed types, the bytes for the others. So NULL differs from '', the order of columns does not matter,
// and a column that is added and NULL changes nothing. -0.0 counts as 0.0, and there is one NaN.
#pragma once

#include "model/arena.h"
#include "model/fingerprint.h"
#include "model/row_batch.h"
#include "model/schema.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::diff {

// Stored with a table's state. Another number = fingerprints and keys cannot be compared with ours: the run
// compares by columns once. Golden tests hold the bytes.
inline constexpr int kHashVersion = 1;

// One entry a row of the batch. Valid until the next hash() into it.
struct HashedRows {
  std::vector<std::string_view> keys;     // encoded (key_codec.h), in `arena`; empty where rejected
  std::vector<Fingerprint> fingerprints;  // zero where rejected
  std::vector<std::size_t> rejected;      // rows with NULL in the key, ascending
  Arena arena;
};

// Not thread-safe; make one a thread.
class RowHasher {
 public:
  // The schema's ids must be below 2^24. A schema without a key gives empty keys and rejects nothing.
  explicit RowHasher(SchemaPtr schema);

  // Fills `out` from the batch. The batch must have the schema's columns, in its order; columns after them
  // are not looked at (compare: columns reads the soft-delete mark beside the row).
  void hash(const RowBatch& batch, HashedRows& out);
  // Keys only; fingerprints stay empty. For RowBatch::rejected_keys.
  void hash_keys(const RowBatch& batch, HashedRows& out);

  const SchemaPtr& schema() const { return schema_; }

 private:
  struct Field {
    std::size_t column;
    std::uint64_t word;  // id | tag << 24
    ValueType type;
    // Into the batch at hand.
    const std::uint8_t* null = nullptr;
    const std::int64_t* fixed = nullptr;
    const std::string_view* bytes = nullptr;
  };
  void hash_key_column(const RowBatch& batch, HashedRows& out);
  Fingerprint fingerprint_of(std::size_t row);

  SchemaPtr schema_;
  std::vector<Field> fields_;  // the non-key columns by id
  std::vector<char> scratch_;
  std::string key_;
};

}  // namespace sluice::diff
