// The changes of one run, as the diff found them, waiting for the guards and then to be applied. Rows past
// the memory limit go to an unnamed temporary file. Not thread-safe.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "model/fingerprint.h"
#include "model/row_batch.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class ChangeOp : std::uint8_t { insert, update, remove, restore };
std::string_view to_string(ChangeOp op);  // "insert" "update" "delete" "restore"

// One change. `remove` has no row: only its key is known (decode it with the key codec).
struct Change {
  ChangeOp op = ChangeOp::insert;
  std::string_view key;
  Fingerprint fingerprint;         // of the new row; zero for remove
  const RowBatch* rows = nullptr;  // null for remove
  std::size_t row = 0;
};

class ChangeSet {
 public:
  // `memory_limit` in bytes bounds the rows kept in memory; the rest goes to a file in `spool_directory`,
  // made when it is first needed. Keys and fingerprints (about 50 bytes a change) always stay in memory.
  ChangeSet(SchemaPtr schema, std::size_t memory_limit, std::filesystem::path spool_directory);

  // Adds a change that carries a row; returns its index.
  Result<std::size_t> add(ChangeOp op, std::string_view key, Fingerprint fingerprint, const RowBatch& rows,
                          std::size_t row);
  std::size_t add_removal(std::string_view key);
  // Takes a change back: a later record of the same key decided otherwise.
  void cancel(std::size_t index);

  const SchemaPtr& schema() const;
  std::size_t size() const;  // live changes
  bool empty() const { return size() == 0; }
  std::uint64_t count(ChangeOp op) const;
  std::size_t memory() const;  // bytes held, keys and rows

  // Every live change in key order of its encoded key (for packed fingerprints). No row access.
  struct KeyEntry {
    std::string_view key;
    ChangeOp op;
    Fingerprint fingerprint;
  };
  std::vector<KeyEntry> by_key() const;
  // Index of the live change of a key, or nothing. Builds a hash index on first use.
  std::optional<std::size_t> find(std::string_view key);
  ChangeOp op(std::size_t index) const;

  // Calls `visit` for each live change, in the order added; reads spilled rows back. May be called more than
  // once.
  Result<void> for_each(const std::function<Result<void>(const Change&)>& visit);

 private:
  struct Entry;
  struct State;
  std::unique_ptr<State> state_;

 public:
  ~ChangeSet();
  ChangeSet(ChangeSet&&) noexcept;
};

}  // namespace sluice
