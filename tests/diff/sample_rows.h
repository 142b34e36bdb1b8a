// Small tables for the tests of the diff: schema (id int64 key, name text), and targets held in memory.
#pragma once

#include "diff/fingerprint_log.h"
#include "diff/row_hasher.h"
#include "model/fingerprint.h"
#include "model/row_batch.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::diff::testing {

inline Column column(int id, std::string name, ValueType type) {
  Column result;
  result.id = id;
  result.name = std::move(name);
  result.type = type;
  return result;
}

inline SchemaPtr schema_of(std::vector<Column> columns, std::vector<std::size_t> key) {
  return std::make_shared<Schema>(Schema{std::move(columns), std::move(key)});
}

inline SchemaPtr id_name_schema() {
  static const auto schema =
      schema_of({column(1, "id", ValueType::int64), column(2, "name", ValueType::text)}, {0});
  return schema;
}

using IdName = std::pair<std::int64_t, std::string>;

inline RowBatch batch_of(const std::vector<IdName>& rows) {
  RowBatch batch(id_name_schema());
  for (const auto& [id, name] : rows) {
    batch.ordinals.push_back(batch.ordinals.size());
    batch.columns()[0].push_fixed(id);
    batch.columns()[1].push_bytes(batch.arena().store(name));
  }
  return batch;
}

struct TargetRow {
  std::string name;
  bool soft_deleted = false;
};

// The target's fingerprints as a run before would have left them, in small chunks.
class MemoryTarget final : public FingerprintReader {
 public:
  MemoryTarget() = default;
  MemoryTarget(const std::map<std::int64_t, TargetRow>& rows, std::size_t entries_per_chunk) {
    std::vector<IdName> plain;
    for (const auto& [id, row] : rows) plain.emplace_back(id, row.name);
    const auto batch = batch_of(plain);
    RowHasher hasher(id_name_schema());
    HashedRows hashed;
    hasher.hash(batch, hashed);
    FingerprintLog log;
    std::size_t i = 0;
    for (const auto& [id, row] : rows) {
      log.add(hashed.keys[i], hashed.fingerprints[i], row.soft_deleted ? kSoftDeleted : std::uint8_t{0});
      ++i;
    }
    const auto packed = log.pack(
        [&](FingerprintLog::PackedChunk&& chunk) -> Result<void> {
          chunks_directory.push_back({std::string(chunk.first_key), chunk.entries});
          chunks.push_back(std::move(chunk.bytes));
          return {};
        },
        entries_per_chunk);
    EXPECT_TRUE(packed);
  }
  const std::vector<ChunkInfo>& directory() const override { return chunks_directory; }
  Result<std::string> load(std::size_t i) override {
    ++loads;
    return chunks[i];
  }

  std::vector<ChunkInfo> chunks_directory;
  std::vector<std::string> chunks;
  int loads = 0;
};

inline std::int64_t id_of(std::string_view key) {
  std::uint64_t value = 0;
  for (std::size_t i = 1; i < key.size(); ++i) value = value << 8 | static_cast<unsigned char>(key[i]);
  return static_cast<std::int64_t>(value ^ 1ull << 63);
}

}  // namespace sluice::diff::testing
