#include "model/change_set.h"

#include "model/row_spool.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice {
namespace {
constexpr std::uint32_t kNoBlock = UINT32_MAX;
constexpr std::size_t kFewestSlots = 64;
}  // namespace

std::string_view to_string(ChangeOp op) {
  switch (op) {
    case ChangeOp::insert:
      return "insert";
    case ChangeOp::update:
      return "update";
    case ChangeOp::remove:
      return "delete";
    case ChangeOp::restore:
      return "restore";
  }
  return "insert";
}

struct ChangeSet::Entry {
  const char* key_bytes;
  std::uint32_t key_size;
  std::uint32_t block;  // kNoBlock = no row
  Fingerprint fingerprint;
  std::uint16_t row;
  ChangeOp op;
  bool live;
  std::string_view key() const { return {key_bytes, key_size}; }
};

struct ChangeSet::State {
  RowSpool rows;
  Arena keys;
  std::vector<Entry> entries;
  std::array<std::uint64_t, 4> counts{};
  // Open addressing, entry + 1, one slot a key: the latest entry of the key, live or not. Empty until find().
  std::vector<std::uint32_t> slots;
  std::size_t keys_in_slots = 0;

  std::uint32_t* slot_of(std::string_view key) {
    const std::size_t mask = slots.size() - 1;
    for (std::size_t at = XXH3_64bits(key.data(), key.size()) & mask;; at = (at + 1) & mask) {
      if (slots[at] == 0 || entries[slots[at] - 1].key() == key) return &slots[at];
    }
  }
  void remember(std::size_t index) {
    auto* slot = slot_of(entries[index].key());
    if (*slot == 0) ++keys_in_slots;
    *slot = static_cast<std::uint32_t>(index + 1);
    if (keys_in_slots * 4 > slots.size() * 3) rebuild(slots.size() * 2);
  }
  void rebuild(std::size_t wanted) {
    std::size_t size = kFewestSlots;
    while (size < wanted) size *= 2;
    slots.assign(size, 0);
    keys_in_slots = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto* slot = slot_of(entries[i].key());
      if (*slot == 0) ++keys_in_slots;
      *slot = static_cast<std::uint32_t>(i + 1);
    }
  }
  std::size_t add(ChangeOp op, std::string_view key, Fingerprint fingerprint, RowSpool::Place place) {
    const auto kept = keys.store(key);
    entries.push_back({kept.data(), static_cast<std::uint32_t>(kept.size()), place.block, fingerprint,
                       place.row, op, true});
    ++counts[static_cast<std::size_t>(op)];
    if (!slots.empty()) remember(entries.size() - 1);
    return entries.size() - 1;
  }
};

ChangeSet::ChangeSet(SchemaPtr schema, std::size_t memory_limit, std::filesystem::path spool_directory)
    : state_(new State{RowSpool(std::move(schema), memory_limit, std::move(spool_directory))}) {}
ChangeSet::~ChangeSet() = default;
ChangeSet::ChangeSet(ChangeSet&&) noexcept = default;

Result<std::size_t> ChangeSet::add(ChangeOp op, std::string_view key, Fingerprint fingerprint,
                                   const RowBatch& rows, std::size_t row) {
  SLUICE_TRY(const RowSpool::Place place, state_->rows.append(rows, row));
  return state_->add(op, key, fingerprint, place);
}

std::size_t ChangeSet::add_removal(std::string_view key) {
  return state_->add(ChangeOp::remove, key, Fingerprint{}, {kNoBlock, 0});
}

void ChangeSet::cancel(std::size_t index) {
  auto& entry = state_->entries[index];
  if (!std::exchange(entry.live, false)) return;
  --state_->counts[static_cast<std::size_t>(entry.op)];
}

const SchemaPtr& ChangeSet::schema() const { return state_->rows.schema(); }

std::size_t ChangeSet::size() const {
  std::uint64_t sum = 0;
  for (const auto count : state_->counts) sum += count;
  return sum;
}

std::uint64_t ChangeSet::count(ChangeOp op) const { return state_->counts[static_cast<std::size_t>(op)]; }

std::size_t ChangeSet::memory() const {
  return state_->rows.memory() + state_->keys.capacity() + state_->entries.capacity() * sizeof(Entry) +
         state_->slots.capacity() * sizeof(std::uint32_t);
}

std::vector<ChangeSet::KeyEntry> ChangeSet::by_key() const {
  std::vector<KeyEntry> result;
  result.reserve(size());
  for (const auto& entry : state_->entries) {
    if (entry.live) result.push_back({entry.key(), entry.op, entry.fingerprint});
  }
  const auto less = [](const KeyEntry& a, const KeyEntry& b) { return a.key < b.key; };
  if (!std::is_sorted(result.begin(), result.end(), less)) std::sort(result.begin(), result.end(), less);
  return result;
}

std::optional<std::size_t> ChangeSet::find(std::string_view key) {
  if (state_->slots.empty()) state_->rebuild(state_->entries.size() * 2);
  const auto slot = *state_->slot_of(key);
  if (slot == 0 || !state_->entries[slot - 1].live) return std::nullopt;
  return slot - 1;
}

ChangeOp ChangeSet::op(std::size_t index) const { return state_->entries[index].op; }

Result<void> ChangeSet::for_each(const std::function<Result<void>(const Change&)>& visit) {
  for (const auto& entry : state_->entries) {
    if (!entry.live) continue;
    Change change{entry.op, entry.key(), entry.fingerprint};
    if (entry.block != kNoBlock) {
      SLUICE_TRY(change.rows, state_->rows.block(entry.block));
      change.row = entry.row;
    }
    SLUICE_CHECK(visit(change));
  }
  return {};
}

}  // namespace sluice
