#include "upsert/apply.h"

#include "sql/identifier.h"
#include "upsert/cell.h"
#include "upsert/row_writer.h"
#include "upsert/state_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace sluice::upsert {
namespace {

constexpr std::size_t kRowsBetweenStopChecks = 1024;

Result<std::vector<Affinity>> affinities_of(const Inspection& table, const Schema& schema,
                                            std::string_view name) {
  std::vector<Affinity> affinities;
  for (const Column& column : schema.columns) {
    const ActualColumn* const actual = table.find(column.name);
    if (actual == nullptr) {
      return fail(ErrorCode::internal, fmt::format("table {} has no column {}", name, column.name));
    }
    affinities.push_back(affinity_of(actual->type));
  }
  return affinities;
}

}  // namespace

struct Apply::State {
  sql::Connection& connection;
  sql::Transaction transaction;
  TablePlan plan;
  ApplyOptions options;
  FingerprintWriter fingerprints;
  std::unique_ptr<RowWriter> rows = nullptr;
  RowBatch key = {};     // of a removal, decoded
  RowBatch before = {};  // as selected
  std::vector<std::size_t> changed = {};
  std::string deleted_at = {};

  std::int64_t generation = 0;
  std::int64_t rows_at_start = 0;
  std::int64_t soft_at_start = 0;
  bool checked = false;
  Timestamp checked_at = {};

  std::int64_t row_delta = 0;
  std::int64_t soft_delta = 0;
  bool soft_counted = false;     // by the fingerprints written, which are all there are
  std::int64_t soft_marked = 0;  // of those, marked after they were counted
  bool table_was_changed = false;
  bool finished = false;

  Error within(Error error) const {
    error.where = error.where.empty() ? fmt::format("table {}", plan.table)
                                      : fmt::format("table {}: {}", plan.table, error.where);
    return error;
  }
  std::unexpected<Error> changed_by_hand(std::string_view what) {
    table_was_changed = true;
    return fail_transient(
        ErrorCode::conflict,
        fmt::format("table {} was changed by hand ({}): it has to be compared by columns", plan.table, what));
  }
  std::unexpected<Error> refused(Error error, const RowBatch& batch, std::size_t row,
                                 std::string_view what = "take");
  std::unexpected<Error> not_touched(const RowBatch& batch, std::size_t row, std::string_view what);
  Result<void> insert(const RowBatch& batch, std::size_t row);
  bool same_key(const RowBatch& batch, std::size_t row) const;
  Result<void> change_row(const Change& change, ApplyObserver* observer);
  Result<void> look_before(const RowBatch& keys, std::size_t row);
  Result<void> remove(const Change& change, ApplyObserver* observer);
};

// What the table itself did not take: a constraint, a trigger.
std::unexpected<Error> Apply::State::refused(Error error, const RowBatch& batch, std::size_t row,
                                             std::string_view what) {
  if (error.code == ErrorCode::conflict) {
    const auto which = rows->key_text(batch, row);
    error.message = fmt::format("the table itself does not {} the row{}: {}; change the table's rule, or {}",
                                what, which.empty() ? std::string() : " with " + which, error.message,
                                what == "take" ? "the source" : "keep such rows (load.vanished: keep)");
  }
  return std::unexpected(within(std::move(error)));
}

// A row that is known was not touched: it is gone, or a trigger of the table has had its way.
std::unexpected<Error> Apply::State::not_touched(const RowBatch& batch, std::size_t row,
                                                 std::string_view what) {
  RowBatch there(plan.schema);
  auto found = rows->read(batch, row, there);
  if (!found) return std::unexpected(within(std::move(found).error()));
  if (!*found) return changed_by_hand("a row is gone");
  return refused(
      {.code = ErrorCode::conflict, .where = {}, .message = "a trigger left it as it was", .retry_after = {}},
      batch, row, what);
}

Result<void> Apply::State::insert(const RowBatch& batch, std::size_t row) {
  auto inserted = rows->insert(batch, row);
  if (inserted && connection.changes() == 1) {
    ++row_delta;
    return {};
  }
  if (inserted)
    return refused(
        {.code = ErrorCode::conflict, .where = {}, .message = "a trigger dropped it", .retry_after = {}},
        batch, row);
  if (inserted.error().code == ErrorCode::conflict && !plan.schema->key.empty()) {
    before.reset(plan.schema);
    SLUICE_TRY(const bool there, rows->read(batch, row, before));
    if (there && same_key(batch, row)) return changed_by_hand("it has a row that no run has loaded");
    if (there) {
      return fail(
          ErrorCode::conflict,
          fmt::format(
              "two keys of the sources are one to the table, {} and {}: its key compares text without "
              "case or trailing blanks; give it the collation BINARY, or the loader another table",
              rows->key_text(batch, row), rows->key_text(before, 0)),
          fmt::format("table {}", plan.table));
    }
  }
  return refused(std::move(inserted).error(), batch, row);
}

// Whether the row just read has this very key: texts byte for byte, numbers have one spelling anyway.
bool Apply::State::same_key(const RowBatch& batch, std::size_t row) const {
  return std::ranges::all_of(plan.schema->key, [&](std::size_t column) {
    const auto& cells = batch.columns()[column];
    return cells.type != ValueType::text || same_cell(before.columns()[column], 0, cells, row);
  });
}

Result<void> Apply::State::look_before(const RowBatch& keys, std::size_t row) {
  before.reset(plan.schema);
  SLUICE_TRY(const bool found, rows->read(keys, row, before));
  if (!found) return changed_by_hand("a row is gone");
  return {};
}

Result<void> Apply::State::remove(const Change& change, ApplyObserver* observer) {
  key.reset(plan.schema);
  if (!options.decode_key(change.key, key)) return changed_by_hand("a stored key cannot be read");
  const bool wants_before = observer != nullptr && observer->wants_before();
  if (wants_before) SLUICE_CHECK(look_before(key, 0));
  const auto touched = plan.soft_delete ? rows->mark_deleted(key, 0, deleted_at) : rows->remove(key, 0);
  const std::string_view what = plan.soft_delete ? "take the mark of" : "let go of";
  if (!touched) return refused(touched.error(), key, 0, what);
  if (*touched != 1) return not_touched(key, 0, what);
  if (plan.soft_delete) {
    ++soft_delta;
  } else {
    --row_delta;
  }
  if (observer == nullptr) return {};
  return observer->applied({.op = ChangeOp::remove, .key = &key, .before = wants_before ? &before : nullptr});
}

Result<void> Apply::State::change_row(const Change& change, ApplyObserver* observer) {
  if (change.op == ChangeOp::remove) return remove(change, observer);
  AppliedChange report{.op = change.op,
                       .key = change.rows,
                       .key_row = change.row,
                       .after = change.rows,
                       .after_row = change.row};
  if (change.op == ChangeOp::insert) {
    SLUICE_CHECK(insert(*change.rows, change.row));
  } else {
    changed.clear();
    if (observer != nullptr && observer->wants_before()) {
      SLUICE_CHECK(look_before(*change.rows, change.row));
      report.before = &before;
      for (std::size_t i = 0; i < plan.schema->columns.size(); ++i) {
        if (options.refill && std::ranges::find(plan.made_anew, i) == plan.made_anew.end()) continue;
        if (!same_cell(before.columns()[i], 0, change.rows->columns()[i], change.row)) changed.push_back(i);
      }
      report.changed = changed;
    }
    const auto touched = rows->update(*change.rows, change.row, change.op == ChangeOp::restore);
    if (!touched) return refused(touched.error(), *change.rows, change.row);
    if (*touched != 1) return not_touched(*change.rows, change.row, "take");
    if (change.op == ChangeOp::restore) --soft_delta;
  }
  return observer == nullptr ? Result<void>() : observer->applied(report);
}

Apply::Apply(std::unique_ptr<State> state) : state_(std::move(state)) {}
Apply::~Apply() = default;

Result<std::unique_ptr<Apply>> Apply::begin(sql::Connection& connection, const Inspection& found,
                                            const TablePlan& plan, ApplyOptions options) {
  SLUICE_CHECK(prepare_state(connection));
  SLUICE_TRY(auto transaction, sql::Transaction::begin(connection));
  auto owned = std::make_unique<State>(State{.connection = connection,
                                             .transaction = std::move(transaction),
                                             .plan = plan,
                                             .options = std::move(options),
                                             .fingerprints = FingerprintWriter(connection, plan.table)});
  auto apply = std::unique_ptr<Apply>(new Apply(std::move(owned)));
  State& state = *apply->state_;
  if (auto claimed = claim_generation(connection, plan.table, state.options.loader, found.generation());
      !claimed) {
    return std::unexpected(state.within(std::move(claimed).error()));
  }
  state.generation = found.generation() + 1;
  state.deleted_at = format_utc(state.options.now);
  state.checked = found.rows.has_value();
  state.checked_at = found.state ? found.state->checked_at : Timestamp{};
  for (const auto& sql : plan.ddl) {
    if (auto done = connection.execute(sql); !done)
      return std::unexpected(state.within(std::move(done).error()));
  }
  SLUICE_TRY(const auto table, inspect(connection, plan.table, state.options.loader, false,
                                       // Decided before the generation was claimed.
                                       [](std::string_view, bool) { return Result<void>(); }));
  SLUICE_TRY(auto affinities, affinities_of(table, *plan.schema, plan.table));
  state.rows = std::make_unique<RowWriter>(connection, plan, std::move(affinities), state.options.refill);
  // Whoever counted did it before the lock was taken; the claimed generation says that no run came between.
  if (found.first_load()) {
    SLUICE_CHECK(state.fingerprints.clear());
    state.soft_counted = true;
  } else {
    state.rows_at_start = found.known_rows();
    state.soft_at_start = found.state ? found.state->soft_deleted : 0;
    if (found.compare_by_columns() && !found.rows) {
      SLUICE_TRY(auto count, connection.prepare(
                                 fmt::format("select count(*) from {}", sql::quote_identifier(plan.table))));
      SLUICE_TRY(const bool row, count->step());
      state.rows_at_start = row ? count->int64(0) : 0;
    }
  }
  return apply;
}

Result<void> Apply::clear() {
  State& state = *state_;
  const auto name = sql::quote_identifier(state.plan.table);
  auto cleared = state.connection.execute(fmt::format("delete from {}", name));
  if (cleared) {
    SLUICE_TRY(auto left, state.connection.prepare(fmt::format("select 1 from {} limit 1", name)));
    SLUICE_TRY(const bool any, left->step());
    if (any) cleared = fail(ErrorCode::conflict, "a trigger kept some of them");
  }
  if (!cleared) {
    Error error = std::move(cleared).error();
    if (error.code == ErrorCode::conflict)
      error.message = fmt::format(
          "the table itself does not let go of its rows: {}; change the table's rule, or load.mode",
          error.message);
    return std::unexpected(state.within(std::move(error)));
  }
  state.row_delta = -state.rows_at_start;
  state.soft_delta = -state.soft_at_start;
  state.soft_counted = true;
  return state.fingerprints.clear();
}

Result<void> Apply::insert_rows(const RowBatch& batch, std::span<const std::size_t> inserts,
                                std::span<const std::size_t> overwrites) {
  for (const std::size_t row : inserts) SLUICE_CHECK(state_->insert(batch, row));
  for (const std::size_t row : overwrites) {
    SLUICE_TRY(const std::int64_t touched, state_->rows->update(batch, row, false));
    if (touched != 1) return fail(ErrorCode::internal, "a row to overwrite was not inserted by this run");
  }
  return {};
}

Result<void> Apply::insert_all(const RowBatch& batch) {
  for (std::size_t row = 0; row < batch.rows(); ++row) SLUICE_CHECK(state_->insert(batch, row));
  return {};
}

Result<void> Apply::apply(ChangeSet& changes, ApplyObserver* observer, std::stop_token stop) {
  State& state = *state_;
  if (state.plan.schema->key.empty())
    return fail(ErrorCode::internal, "a table without a key has no changes");
  const sql::StopScope scope(state.connection, stop);
  std::size_t seen = 0;
  const auto walk = [&](bool removals) {
    return changes.for_each([&](const Change& change) -> Result<void> {
      if (seen++ % kRowsBetweenStopChecks == 0 && stop.stop_requested())
        return fail(ErrorCode::cancelled, "stopped");
      if ((change.op == ChangeOp::remove) != removals) return {};
      return state.change_row(change, observer);
    });
  };
  // What goes makes room first: a row that takes over a unique value of a removed one must not meet it.
  if (changes.count(ChangeOp::remove) > 0) SLUICE_CHECK(walk(true));
  return walk(false);
}

bool Apply::table_was_changed() const { return state_->table_was_changed; }

Result<bool> Apply::read(const RowBatch& keys, std::size_t row, RowBatch& out) {
  auto found = state_->rows->read(keys, row, out);
  if (!found) return std::unexpected(state_->within(std::move(found).error()));
  return found;
}

void Apply::removals_mark(bool mark) { state_->plan.soft_delete = mark; }

Result<void> Apply::merge_fingerprints(const ChangeSet& changes) {
  auto merged = state_->fingerprints.merge(changes, state_->plan.soft_delete);
  if (merged && state_->soft_counted && state_->plan.soft_delete)
    state_->soft_marked += static_cast<std::int64_t>(changes.count(ChangeOp::remove));
  if (merged) return merged;
  // Damaged, or of other rows: made anew from the table, they will fit.
  if (merged.error().code == ErrorCode::malformed) return state_->changed_by_hand(merged.error().describe());
  if (merged.error().code == ErrorCode::conflict) state_->table_was_changed = true;
  return merged;
}

Result<void> Apply::rebase_fingerprints(FingerprintReader& base, const ChangeSet& changes) {
  state_->soft_counted = true;
  return state_->fingerprints.rebase(base, changes, state_->plan.soft_delete);
}

Result<void> Apply::add_chunk(std::string_view first_key, std::uint32_t entries, std::string_view bytes) {
  return state_->fingerprints.add_chunk(first_key, entries, bytes);
}

Result<Apply::Outcome> Apply::finish() {
  State& state = *state_;
  const std::int64_t soft = state.soft_counted ? state.fingerprints.soft_deleted() + state.soft_marked
                                               : state.soft_at_start + state.soft_delta;
  const std::int64_t rows = state.rows_at_start + state.row_delta;
  TableState now;
  now.table = state.plan.table;
  now.loader = state.options.loader;
  now.generation = state.generation;
  now.rows = rows;
  now.soft_deleted = soft;
  now.schema = state.plan.schema;
  now.next_column_id = state.plan.next_column_id;
  now.has_deleted_at = state.plan.has_deleted_at;
  now.mapping_hash = state.options.mapping_hash;
  now.hash_version = state.options.refill ? 0 : state.options.hash_version;
  now.checked_at = state.checked ? state.options.now : state.checked_at;
  SLUICE_TRY(now.fingerprints, stored_fingerprints(state.connection, state.plan.table));
  now.foreign_rows = state.options.foreign_rows;
  SLUICE_CHECK(write_state(state.connection, now));
  state.finished = true;
  return Outcome{state.generation, state.rows_at_start - (soft - state.soft_delta), rows - soft};
}

Result<void> Apply::commit() {
  if (!state_->finished)
    return fail(ErrorCode::internal, "commit before finish: the table's state is not written");
  return state_->transaction.commit();
}

sql::Connection& Apply::connection() { return state_->connection; }

}  // namespace sluice::upsert
