// Where the rows and the changes of a run go: straight into the table, and into the change log.
#pragma once

#include "diff/first_load.h"
#include "history/change_writer.h"
#include "load/pass.h"
#include "upsert/apply.h"

#include <cstdint>

namespace sluice::load {

// Passes applied changes on to the change log, and tells how many are done.
class ChangeLogger final : public upsert::ApplyObserver {
 public:
  ChangeLogger(history::ChangeWriter& writer, Observer& observer, std::int64_t total)
      : writer_(writer), observer_(observer) {
    progress_.phase = Observer::Phase::apply;
    progress_.total_rows = total;
    observer_.progress(progress_);
  }
  bool wants_before() const override { return writer_.wants_before(); }
  Result<void> applied(const upsert::AppliedChange& change) override {
    ++progress_.rows;
    if (progress_.rows % kTellEvery == 0 || progress_.rows == progress_.total_rows)
      observer_.progress(progress_);
    return writer_.add({.op = change.op,
                        .key = change.key,
                        .key_row = change.key_row,
                        .before = change.before,
                        .before_row = change.before_row,
                        .after = change.after,
                        .after_row = change.after_row,
                        .changed = change.changed});
  }

 private:
  static constexpr std::int64_t kTellEvery = 1000;

  history::ChangeWriter& writer_;
  Observer& observer_;
  Observer::Progress progress_;
};

// Rows straight into the table, within the open transaction.
class StreamSink final : public RowSink {
 public:
  StreamSink(upsert::Apply& apply, bool keyed) : apply_(apply), keyed_(keyed) {}
  Result<void> rows(const RowBatch& batch, const diff::HashedRows& hashed) override {
    if (!keyed_) {
      inserted_ += static_cast<std::int64_t>(batch.rows());
      return apply_.insert_all(batch);
    }
    first_load_.add(hashed, rows_);
    return apply_.insert_rows(batch, rows_.inserts, rows_.overwrites);
  }
  Result<void> rejected_keys(const diff::HashedRows&) override { return {}; }

  diff::DiffCounts counts() const {
    if (keyed_) return first_load_.counts();
    diff::DiffCounts counts;
    counts.inserted = inserted_;
    return counts;
  }
  Result<void> store_fingerprints() {
    if (!keyed_) return {};
    return first_load_.fingerprints().pack([&](diff::FingerprintLog::PackedChunk&& chunk) {
      return apply_.add_chunk(chunk.first_key, chunk.entries, chunk.bytes);
    });
  }

 private:
  upsert::Apply& apply_;
  bool keyed_;
  diff::FirstLoad first_load_;
  diff::FirstLoadRows rows_;
  std::int64_t inserted_ = 0;
};

}  // namespace sluice::load
