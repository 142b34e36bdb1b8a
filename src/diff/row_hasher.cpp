#include "diff/row_hasher.h"

#include "diff/key_codec.h"
#include "diff/value_tags.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace sluice::diff {
namespace {

constexpr std::uint64_t kSignBit = 1ull << 63;
constexpr std::size_t kFixedKey = 9;

// memcpy with an unknown length is a call; most values are short.
inline void copy_bytes(char* to, const char* from, std::size_t size) {
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size > 16) {
    std::memcpy(to, from, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::memcpy(&head, from, 8);
    std::memcpy(&tail, from + size - 8, 8);
    std::memcpy(to, &head, 8);
    std::memcpy(to + size - 8, &tail, 8);
  } else if (size >= 4) {
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
    std::memcpy(&head, from, 4);
    std::memcpy(&tail, from + size - 4, 4);
    std::memcpy(to, &head, 4);
    std::memcpy(to + size - 4, &tail, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

}  // namespace

RowHasher::RowHasher(SchemaPtr schema) : schema_(std::move(schema)) {
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    if (schema_->is_key(i)) continue;
    const auto& column = schema_->columns[i];
    assert(column.id >= 0 && column.id < 1 << 24);
    const auto tag = static_cast<std::uint64_t>(static_cast<unsigned char>(tag_of(column.type)));
    fields_.push_back({i, static_cast<std::uint64_t>(column.id) | tag << 24, column.type});
  }
  std::sort(fields_.begin(), fields_.end(),
            [](const Field& a, const Field& b) { return (a.word & 0xffffff) < (b.word & 0xffffff); });
}

void RowHasher::hash(const RowBatch& batch, HashedRows& out) {
  hash_keys(batch, out);
  out.fingerprints.resize(batch.rows());
  for (auto& field : fields_) {
    const auto& column = batch.columns()[field.column];
    field.null = column.null.data();
    field.fixed = column.fixed.data();
    field.bytes = column.bytes.data();
  }
  auto rejected = out.rejected.begin();
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (rejected != out.rejected.end() && *rejected == row) {
      out.fingerprints[row] = {};
      ++rejected;
    } else {
      out.fingerprints[row] = fingerprint_of(row);
    }
  }
}

void RowHasher::hash_keys(const RowBatch& batch, HashedRows& out) {
  out.arena.clear();
  out.keys.resize(batch.rows());
  out.fingerprints.clear();
  out.rejected.clear();
  if (schema_->key.empty()) {
    std::fill(out.keys.begin(), out.keys.end(), std::string_view());
    return;
  }
  const auto type = schema_->columns[schema_->key[0]].type;
  if (schema_->key.size() == 1 &&
      (type == ValueType::int64 || type == ValueType::date || type == ValueType::timestamp)) {
    hash_key_column(batch, out);
    return;
  }
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    key_.clear();
    if (append_key(batch, row, key_)) {
      out.keys[row] = out.arena.store(key_);
    } else {
      out.keys[row] = {};
      out.rejected.push_back(row);
    }
  }
}

// One integer column: the same bytes as append_key, without a branch on the type a row.
void RowHasher::hash_key_column(const RowBatch& batch, HashedRows& out) {
  const auto& column = batch.columns()[schema_->key[0]];
  const char tag = tag_of(column.type);
  char* at = out.arena.allocate(batch.rows() * kFixedKey);
  for (std::size_t row = 0; row < batch.rows(); ++row, at += kFixedKey) {
    if (column.null[row] != 0) {
      out.keys[row] = {};
      out.rejected.push_back(row);
      continue;
    }
    const auto value = __builtin_bswap64(static_cast<std::uint64_t>(column.fixed[row]) ^ kSignBit);
    at[0] = tag;
    std::memcpy(at + 1, &value, sizeof value);
    out.keys[row] = {at, kFixedKey};
  }
}

Fingerprint RowHasher::fingerprint_of(std::size_t row) {
  std::size_t used = 0;
  char* begin = scratch_.data();
  std::size_t room = scratch_.size();
  for (const auto& field : fields_) {
    if (field.null[row] != 0) continue;
    const bool fixed = is_fixed(field.type);
    const std::size_t size = fixed ? 8 : field.bytes[row].size();
    if (used + size + 8 > room) {
      scratch_.resize((used + size + 8) * 2);
      begin = scratch_.data();
      room = scratch_.size();
    }
    char* at = begin + used;
    const std::uint64_t word = field.word | static_cast<std::uint64_t>(size) << 32;
    std::memcpy(at, &word, 8);
    if (fixed) {
      const auto value = field.type == ValueType::real ? canonical_real(field.fixed[row]) : field.fixed[row];
      std::memcpy(at + 8, &value, 8);
    } else {
      const char* bytes = field.bytes[row].data();
      copy_bytes(at + 8, bytes, size);
    }
    used += 8 + size;
  }
  const auto hash = XXH3_128bits(begin, used);
  return {hash.low64, hash.high64};
}

}  // namespace sluice::diff
