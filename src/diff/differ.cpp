#include "diff/differ.h"

#include "diff/chunk_cache.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>
#include <vector>

namespace sluice::diff {
namespace {

constexpr std::size_t kRowsBetweenStops = 1024;

Result<void> go_on(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while comparing");
  return {};
}

// One bit an entry of the target; each chunk begins at a word of its own.
class EntryMarks {
 public:
  explicit EntryMarks(const ChunkCache& chunks) {
    std::size_t words = 0;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      begin_.push_back(words);
      words += (chunks.entries(i) + 63) / 64;
    }
    words_.resize(words);
  }
  bool has(std::size_t chunk, std::size_t entry) const {
    return (words_[begin_[chunk] + entry / 64] >> (entry % 64) & 1) != 0;
  }
  void set(std::size_t chunk, std::size_t entry) {
    words_[begin_[chunk] + entry / 64] |= std::uint64_t{1} << (entry % 64);
  }
  std::uint64_t word(std::size_t chunk, std::size_t number) const { return words_[begin_[chunk] + number]; }

 private:
  std::vector<std::size_t> begin_;
  std::vector<std::uint64_t> words_;
};

}  // namespace

struct Differ::State {
  State(FingerprintReader* target, DiffOptions diff_options, ChangeSet& changes)
      : options(diff_options),
        out(changes),
        chunks(target, diff_options.memory_limit),
        seen(chunks),
        spared(chunks) {}

  DiffOptions options;
  ChangeSet& out;
  ChunkCache chunks;
  EntryMarks seen;    // a record had this key
  EntryMarks spared;  // only a rejected record had it
  DiffCounts counts;
  std::string highest_new;  // the highest key that the target does not have
  bool any_new = false;

  // Where the search stands: sources in key order find the next key at `next`.
  const FingerprintChunk* chunk = nullptr;
  std::size_t chunk_number = 0;
  std::size_t next = 0;

  Result<bool> locate(std::string_view key);
  bool search_chunk(std::string_view key);
  Result<void> add_row(const RowBatch& batch, std::size_t row, std::string_view key, Fingerprint fingerprint);
  Result<void> add_new(const RowBatch& batch, std::size_t row, std::string_view key, Fingerprint fingerprint);
  Result<void> add_known(const RowBatch& batch, std::size_t row, std::string_view key,
                         Fingerprint fingerprint, std::size_t entry, bool again);
  void take_back(std::string_view key);
  Result<std::int64_t> judge_chunk(std::size_t number, const VanishedVisitor& visit);
};

// True when the target has the key; its entry is then `next` of `chunk`.
Result<bool> Differ::State::locate(std::string_view key) {
  if (chunk != nullptr && next < chunk->size() && chunk->key(next) == key) return true;
  if (chunk == nullptr || !chunks.holds(chunk_number, key)) {
    if (chunks.size() == 0) return false;
    const bool following =
        chunk != nullptr && chunk_number + 1 < chunks.size() && chunks.holds(chunk_number + 1, key);
    chunk_number = following ? chunk_number + 1 : chunks.chunk_of(key);
    chunk = nullptr;  // stays so when the load fails
    SLUICE_TRY(chunk, chunks.get(chunk_number));
    next = 0;
  }
  return search_chunk(key);
}

// Leaves `next` at the key, or at the first one above it.
bool Differ::State::search_chunk(std::string_view key) {
  if (next < chunk->size() && chunk->key(next) < key) {
    // Some keys of the target are missing in the source: usually one.
    ++next;
    if (next < chunk->size() && chunk->key(next) < key) next = chunk->lower_bound(key, next);
  } else if (next > 0 && !(chunk->key(next - 1) < key)) {
    next = chunk->lower_bound(key);
  }
  return next < chunk->size() && chunk->key(next) == key;
}

Result<void> Differ::State::add_row(const RowBatch& batch, std::size_t row, std::string_view key,
                                    Fingerprint fingerprint) {
  SLUICE_TRY(const bool known, locate(key));
  if (!known) return add_new(batch, row, key, fingerprint);
  const auto entry = next++;
  const bool again = seen.has(chunk_number, entry);
  if (again) ++counts.duplicates;
  if (options.mode == LoadMode::append) return add_known(batch, row, key, fingerprint, entry, again);
  if (again) take_back(key);
  seen.set(chunk_number, entry);
  if ((chunk->flags(entry) & kSoftDeleted) != 0) {
    ++counts.restored;
    SLUICE_CHECK(out.add(ChangeOp::restore, key, fingerprint, batch, row));
  } else if (chunk->fingerprint(entry) != fingerprint) {
    ++counts.updated;
    SLUICE_CHECK(out.add(ChangeOp::update, key, fingerprint, batch, row));
  } else {
    ++counts.unchanged;
  }
  return {};
}

// An append leaves the rows of known keys alone, but fills what they have lost.
Result<void> Differ::State::add_known(const RowBatch& batch, std::size_t row, std::string_view key,
                                      Fingerprint fingerprint, std::size_t entry, bool again) {
  seen.set(chunk_number, entry);
  if (options.refill.empty()) {
    if (!again) ++counts.ignored;
    return {};
  }
  if (again) {
    const auto earlier = out.find(key);
    --(earlier ? counts.updated : counts.ignored);
    if (earlier) out.cancel(*earlier);
  }
  const bool fills = (chunk->flags(entry) & kSoftDeleted) == 0 &&
                     std::ranges::any_of(options.refill, [&](std::size_t column) {
                       return batch.columns()[column].null[row] == 0;
                     });
  ++(fills ? counts.updated : counts.ignored);
  if (fills) SLUICE_CHECK(out.add(ChangeOp::update, key, fingerprint, batch, row));
  return {};
}

// Every new key is an insert of the change set, which therefore is the set of new keys as well. It is asked
// only for keys that are not above all earlier new ones.
Result<void> Differ::State::add_new(const RowBatch& batch, std::size_t row, std::string_view key,
                                    Fingerprint fingerprint) {
  if (any_new && key <= highest_new) {
    if (const auto earlier = out.find(key)) {
      out.cancel(*earlier);
      --counts.inserted;
      ++counts.duplicates;
    }
  } else {
    highest_new = key;
    any_new = true;
  }
  ++counts.inserted;
  SLUICE_CHECK(out.add(ChangeOp::insert, key, fingerprint, batch, row));
  return {};
}

// An earlier record had this key of the target, and no longer counts.
void Differ::State::take_back(std::string_view key) {
  const auto earlier = out.find(key);
  if (!earlier) {
    --counts.unchanged;
    return;
  }
  --(out.op(*earlier) == ChangeOp::restore ? counts.restored : counts.updated);
  out.cancel(*earlier);
}

// Counts the vanished keys of one chunk, and hands them on.
Result<std::int64_t> Differ::State::judge_chunk(std::size_t number, const VanishedVisitor& visit) {
  const auto entries = chunks.entries(number);
  const FingerprintChunk* looked_at = nullptr;
  std::int64_t vanished = 0;
  for (std::size_t begin = 0; begin < entries; begin += 64) {
    const auto all = entries - begin >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (entries - begin)) - 1;
    auto missing = all & ~(seen.word(number, begin / 64) | spared.word(number, begin / 64));
    for (; missing != 0; missing &= missing - 1) {
      if (looked_at == nullptr) {
        SLUICE_TRY(looked_at, chunks.get(number));
      }
      const auto entry = begin + static_cast<std::size_t>(std::countr_zero(missing));
      const bool gone_before = (looked_at->flags(entry) & kSoftDeleted) != 0;
      const auto key = looked_at->key(entry);
      if (options.collect_vanished && (!gone_before || options.mode == LoadMode::replace))
        out.add_removal(key);
      if (gone_before) continue;
      ++vanished;
      if (visit) SLUICE_CHECK(visit(key));
    }
  }
  return vanished;
}

Differ::Differ(FingerprintReader* target, DiffOptions options, ChangeSet& out)
    : state_(std::make_unique<State>(target, options, out)) {}
Differ::~Differ() = default;

const DiffCounts& Differ::counts() const { return state_->counts; }

Result<void> Differ::add(const RowBatch& batch, const HashedRows& hashed, std::stop_token stop) {
  auto rejected = hashed.rejected.begin();
  for (std::size_t row = 0; row < hashed.keys.size(); ++row) {
    if (row % kRowsBetweenStops == 0) SLUICE_CHECK(go_on(stop));
    if (rejected != hashed.rejected.end() && *rejected == row) {
      ++state_->counts.rejected;
      ++rejected;
      continue;
    }
    SLUICE_CHECK(state_->add_row(batch, row, hashed.keys[row], hashed.fingerprints[row]));
  }
  return {};
}

Result<void> Differ::add_rejected_keys(const HashedRows& keys, std::stop_token stop) {
  SLUICE_CHECK(go_on(stop));
  for (const auto key : keys.keys) {
    if (key.empty()) continue;  // NULL in the key
    SLUICE_TRY(const bool known, state_->locate(key));
    if (known) state_->spared.set(state_->chunk_number, state_->next);
  }
  return {};
}

Result<DiffSummary> Differ::finish(bool complete, std::stop_token stop, const VanishedVisitor& visit) {
  auto& chunks = state_->chunks;
  DiffSummary summary;
  state_->chunk = nullptr;  // judging moves through the cache
  const auto mode = state_->options.mode;
  const bool judged = complete && (mode == LoadMode::sync || mode == LoadMode::replace);
  if (judged) summary.vanished = 0;
  std::int64_t rows = 0;
  bool all_read = true;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    SLUICE_CHECK(go_on(stop));
    if (judged) {
      SLUICE_TRY(const std::int64_t vanished, state_->judge_chunk(i, visit));
      *summary.vanished += vanished;
    }
    all_read = all_read && chunks.soft_deleted(i) >= 0;
    rows += static_cast<std::int64_t>(chunks.entries(i)) - chunks.soft_deleted(i);
  }
  if (all_read) summary.rows_before = rows;
  summary.counts = state_->counts;
  return summary;
}

}  // namespace sluice::diff
