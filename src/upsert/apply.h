// Writing one run into its target, in one transaction: table, rows, fingerprints, state. What belongs to the
// same commit (receipt, change log, rejects) is written by the caller through connection().
//
//   begin -> [clear] -> insert_rows* | apply -> fingerprints -> finish -> commit
//
// Dropping the object before commit() leaves the database as it was. One thread at a time.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "model/change_set.h"
#include "model/row_batch.h"
#include "sql/connection.h"
#include "sql/transaction.h"
#include "upsert/stored_fingerprints.h"
#include "upsert/table_plan.h"
#include "upsert/table_state.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::upsert {

struct ApplyOptions {
  std::string loader;
  std::string mapping_hash;
  int hash_version = 0;  // diff::kHashVersion
  Timestamp now{};       // of the run: the mark of soft deletes, checked_at
  // diff::decode_key: the key columns of an encoded key, as a new row of the batch.
  std::function<Result<void>(std::string_view key, RowBatch& out)> decode_key;
  std::int64_t foreign_rows = 0;  // see TableState
  // Updates write TablePlan::made_anew alone. The fingerprints given for them are of whole records, which the
  // rows need not be: the next run compares by columns.
  bool refill = false;
};

// One change as it was made. Rows are valid during the call; all batches have the table's schema.
struct AppliedChange {
  ChangeOp op = ChangeOp::insert;
  const RowBatch* key = nullptr;  // a batch whose key columns hold the key, at key_row
  std::size_t key_row = 0;
  const RowBatch* before = nullptr;  // null for insert, and unless the observer wants it
  std::size_t before_row = 0;
  const RowBatch* after = nullptr;  // null for remove
  std::size_t after_row = 0;
  std::span<const std::size_t> changed;  // columns that differ; of updates and restores with `before`
};

class ApplyObserver {
 public:
  virtual ~ApplyObserver() = default;
  // Rows are read before they are changed. Costs one select a change.
  virtual bool wants_before() const = 0;
  virtual Result<void> applied(const AppliedChange& change) = 0;
};

class Apply {
 public:
  // Takes the write lock, claims the generation that `found` saw, runs the plan's DDL. Error `conflict`
  // (retryable) when someone else has committed since: inspect and diff again. `locked` when the lock stays
  // taken.
  static Result<std::unique_ptr<Apply>> begin(sql::Connection& connection, const Inspection& found,
                                              const TablePlan& plan, ApplyOptions options);
  ~Apply();
  Apply(const Apply&) = delete;
  Apply& operator=(const Apply&) = delete;

  // Deletes all rows and all fingerprints.
  Result<void> clear();

  // Streams rows into the table: rows of the batch by number. `overwrites` name rows whose key this
  // transaction has inserted before: the later record wins. The batch's schema is the plan's.
  Result<void> insert_rows(const RowBatch& batch, std::span<const std::size_t> inserts,
                           std::span<const std::size_t> overwrites);
  Result<void> insert_all(const RowBatch& batch);

  // Applies every change. Vanished rows are marked when the plan has soft_delete, else deleted. Error
  // `conflict` when a row is not there as the fingerprints say; table_was_changed() is true then: compare by
  // columns.
  Result<void> apply(ChangeSet& changes, ApplyObserver* observer, std::stop_token stop);
  bool table_was_changed() const;

  // The stored row of this key, appended to `out` (of the plan's schema); false when there is none.
  Result<bool> read(const RowBatch& keys, std::size_t row, RowBatch& out);
  // What removals do from now on, in apply() and merge_fingerprints(); at first it is as the plan says. Marks
  // need a table with _deleted_at.
  void removals_mark(bool mark);

  // The fingerprints, one of three ways. merge: after apply(), against what is stored. rebase: after apply()
  // of a diff against the table's rows. add_chunk: after insert_rows(), the whole in key order
  // (diff::FingerprintLog::pack).
  Result<void> merge_fingerprints(const ChangeSet& changes);
  Result<void> rebase_fingerprints(FingerprintReader& base, const ChangeSet& changes);
  Result<void> add_chunk(std::string_view first_key, std::uint32_t entries, std::string_view bytes);

  struct Outcome {
    std::int64_t generation = 0;
    std::int64_t rows_before = 0;  // live rows
    std::int64_t rows_after = 0;
  };
  // Writes the table's state.
  Result<Outcome> finish();
  Result<void> commit();

  sql::Connection& connection();

 private:
  struct State;
  explicit Apply(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::upsert
