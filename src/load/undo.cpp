#include "load/undo.h"

#include "diff/key_codec.h"
#include "diff/row_hasher.h"
#include "history/change_writer.h"
#include "history/logged_cells.h"
#include "history/record.h"
#include "history/retention.h"
#include "history/run_key.h"
#include "history/source_state.h"
#include "load/custody.h"
#include "load/logged_row.h"
#include "load/row_sinks.h"
#include "load/run_identity.h"
#include "load/target_side.h"
#include "load/undo_ledger.h"
#include "sql/database_url.h"
#include "upsert/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace sluice::load {
namespace {

constexpr int kMaxConflicts = 3;
constexpr std::size_t kMostNamed = 20;  // rows in the way, in the error

std::string listed(const std::vector<std::string>& rows) {
  return fmt::format("{}{}", fmt::join(rows, "; "), rows.size() >= kMostNamed ? "; …" : "");
}

class Undo {
 public:
  Undo(const Request& request, JobId of, Environment& environment, Observer& observer, std::stop_token stop)
      : request_(request), of_(of), environment_(environment), observer_(observer), stop_(std::move(stop)) {}

  Receipt execute() {
    const auto start = environment_.clock.steady();
    receipt_.loader = request_.loader.name;
    receipt_.job = request_.job.value();
    receipt_.attempt = request_.attempt;
    receipt_.mode = "undo";
    receipt_.compare = "none";
    receipt_.started_at = environment_.clock.now();
    receipt_.catalog_hash = request_.catalog_hash;
    start_ = start;
    if (auto done = steps(); !done) {
      receipt_.applied = false;
      receipt_.state = done.error().code == ErrorCode::cancelled ? "deleted" : "failed";
      receipt_.error =
          fail_within(fmt::format("undo of job {}", of_.value()), std::move(done).error()).error();
    }
    if (!adopted_) receipt_.duration_ms = elapsed();
    return std::move(receipt_);
  }

 private:
  Result<void> steps() {
    SLUICE_TRY(const auto url, sql::parse_database_url(request_.database));
    SLUICE_TRY(connection_, sql::open_database(url));
    const sql::StopScope stop_scope(*connection_, stop_);
    SLUICE_CHECK(upsert::prepare_state(*connection_));
    SLUICE_CHECK(history::prepare_history(*connection_));
    SLUICE_TRY(identity_, RunIdentity::find(*connection_, request_));
    for (int conflicts = 0;; ++conflicts) {
      SLUICE_TRY(auto receipt, identity_.applied(*connection_));
      if (receipt) {
        observer_.log(Observer::Level::info, "an earlier attempt has taken the run back: its receipt stands");
        receipt_ = std::move(*receipt);
        adopted_ = true;
        return {};
      }
      auto done = take_back();
      const bool again = !done && done.error().code == ErrorCode::conflict && done.error().retryable;
      if (!again || conflicts + 1 >= kMaxConflicts) return done;
      observer_.log(Observer::Level::warning, done.error().message + "; looking again");
    }
  }

  Result<void> take_back() {
    receipt_.inserted = receipt_.updated = receipt_.restored = receipt_.deleted = 0;
    SLUICE_TRY(const auto run, find_run());
    SLUICE_CHECK(check_ledger(run));
    SLUICE_TRY(const auto target, look_at_target(*connection_, request_));
    const auto& found = target.found;
    if (!found.exists || !found.state || !target.custody.taken_from.empty()) {
      return fail(ErrorCode::conflict,
                  fmt::format("table {} is not there as the run left it: nothing can be written back into it",
                              request_.loader.target.table));
    }
    upsert::TableWish wish;
    wish.table = request_.loader.target.table;
    wish.wanted = *found.state->schema;
    SLUICE_TRY(const auto plan, upsert::plan_table(found, wish));
    const bool by_columns = must_compare_by_columns(found, plan);
    TargetSide side;
    if (by_columns) {
      SLUICE_TRY(side, target_side(connection_.get(), found, plan, true, stop_));
    }
    SLUICE_TRY(const auto apply,
               upsert::Apply::begin(*connection_, found, plan,
                                    {.loader = request_.loader.name,
                                     .mapping_hash = found.state->mapping_hash,
                                     .hash_version = diff::kHashVersion,
                                     .now = environment_.clock.now(),
                                     .decode_key = [](std::string_view key,
                                                      RowBatch& out) { return diff::decode_key(key, out); },
                                     .foreign_rows = found.state->foreign_rows}));
    receipt_.rows_before = found.known_rows() - found.state->soft_deleted;
    receipt_.undoes = run.job.value();
    if (first_load_) return empty(*apply, run, found);

    const std::size_t share = request_.loader.memory_limit / 4;
    ChangeSet hard(plan.schema, share, environment_.spool_directory);
    ChangeSet marks(plan.schema, share, environment_.spool_directory);
    SLUICE_CHECK(collect(*apply, run.job, plan.schema, hard, marks));
    history::ChangeWriter log(*connection_, identity_.key(), ChangeLog::full);
    ChangeLogger logger(log, observer_, static_cast<std::int64_t>(hard.size() + marks.size()));
    SLUICE_CHECK(apply->apply(hard, &logger, stop_));
    apply->removals_mark(true);
    if (!marks.empty()) SLUICE_CHECK(apply->apply(marks, &logger, stop_));
    apply->removals_mark(false);
    if (by_columns && side.fingerprints != nullptr) {
      SLUICE_CHECK(apply->rebase_fingerprints(*side.fingerprints, hard));
    } else {
      SLUICE_CHECK(apply->merge_fingerprints(hard));
    }
    apply->removals_mark(true);
    if (!marks.empty()) SLUICE_CHECK(apply->merge_fingerprints(marks));
    count(hard);
    count(marks);
    return commit(*apply, log.written());
  }

  Result<history::Run> find_run() {
    SLUICE_TRY(const auto key, history::find_run_key(*connection_, request_.store, of_));
    std::optional<history::Run> run;
    if (key) {
      SLUICE_TRY(run, history::run(*connection_, *key));
    }
    if (!run || run->receipt.loader != request_.loader.name || !run->receipt.applied) {
      return fail(ErrorCode::conflict,
                  fmt::format("job {} wrote nothing into {} as loader {}: there is nothing to take back",
                              of_.value(), request_.loader.target.table, request_.loader.name));
    }
    if (run->receipt.mode == "replace") {
      return fail(ErrorCode::conflict,
                  "the run replaced the whole table: what it held before is not kept. Run the loader again "
                  "with the source as it was");
    }
    return std::move(*run);
  }

  // Whether the change log tells all that the run wrote, and nobody has written over it.
  Result<void> check_ledger(const history::Run& run) {
    const auto& receipt = run.receipt;
    SLUICE_TRY(const auto changes, history::count_changes(*connection_, run.job));
    const auto written = receipt.inserted + receipt.updated + receipt.deleted + receipt.restored;
    if (written == 0)
      return fail(ErrorCode::conflict, "the run changed nothing: there is nothing to take back");
    if (changes.logged == 0) {
      return fail(
          ErrorCode::conflict,
          "the run kept no log of its changes (load.changeLog: off): nobody knows what was there before");
    }
    if (changes.kept < changes.logged) {
      return fail(
          ErrorCode::conflict,
          fmt::format("of the {} changes that the run logged {} are left: the others were too old to keep",
                      changes.logged, changes.kept));
    }
    SLUICE_TRY(const auto later, later_runs(*connection_, run));
    if (later.undone_by) {
      return fail(ErrorCode::conflict,
                  fmt::format("it has been taken back already, by job {}", job_of(*later.undone_by)));
    }
    SLUICE_TRY(const auto first, history::changes(*connection_, run.job, 0, 1));
    first_load_ = !first.empty() && first.front().op == "load";
    if (first_load_ && (receipt.rows_before != 0 || request_.loader.target.key.empty())) {
      return fail(
          ErrorCode::conflict,
          "the run added rows without a key, or to rows that were there: the log does not tell which");
    }
    SLUICE_TRY(const auto touched, touched_since(*connection_, run.job, later, kMostNamed, stop_));
    if (touched.empty()) return {};
    return fail(
        ErrorCode::conflict,
        fmt::format("later runs changed the same rows: {}. Take those runs back first", listed(touched)));
  }

  // Of a load into an empty table nothing is left, unless somebody has added rows.
  Result<void> empty(upsert::Apply& apply, const history::Run& run, const upsert::Inspection& found) {
    const auto expected = run.receipt.rows_after;
    if (found.known_rows() != expected) {
      return fail(
          ErrorCode::conflict,
          fmt::format("table {} has {} rows, the run left {}: taking it back would delete the others too",
                      request_.loader.target.table, found.known_rows(), expected));
    }
    receipt_.read = receipt_.deleted = receipt_.deleted_by_source = expected;
    SLUICE_CHECK(apply.clear());
    return commit(apply, 0);
  }

  // What is to be written, from what was logged and what stands in the table now. Restores that are taken
  // back become marks again.
  Result<void> collect(upsert::Apply& apply, JobId run, const SchemaPtr& schema, ChangeSet& hard,
                       ChangeSet& marks) {
    diff::RowHasher hasher(schema);
    std::vector<std::string> changed;  // rows that are not as the run left them
    SLUICE_CHECK(each_change(
        *connection_, run,
        [&](const history::LoggedEntry& entry) -> Result<void> {
          SLUICE_TRY(const bool fits, one(apply, entry, schema, hasher, hard, marks));
          if (!fits && changed.size() < kMostNamed) changed.push_back(entry.key);
          return {};
        },
        stop_));
    if (changed.empty()) return {};
    return fail(
        ErrorCode::conflict,
        fmt::format("rows are not as the run left them: {}. Somebody has changed them since, and that "
                    "would be lost",
                    listed(changed)));
  }

  // False when the row is not as the run left it.
  Result<bool> one(upsert::Apply& apply, const history::LoggedEntry& entry, const SchemaPtr& schema,
                   diff::RowHasher& hasher, ChangeSet& hard, ChangeSet& marks) {
    SLUICE_TRY(const auto key_values, history::logged_key(entry.key));
    std::vector<history::LoggedCell> cells;
    if (entry.cells.empty()) {
      return fail(ErrorCode::conflict,
                  "the run logged the keys of its changes only (load.changeLog: keys): nobody knows what was "
                  "there before");
    }
    SLUICE_TRY(cells, history::logged_cells(entry.cells));
    RowBatch row(schema);
    SLUICE_CHECK(key_row(key_values, row));
    std::string key;
    if (!diff::append_key(row, 0, key)) return not_readable(entry);
    RowBatch now(schema);
    SLUICE_TRY(const bool there, apply.read(row, 0, now));

    if (entry.op == "insert") {
      const bool same = holds(now, there, cells, &history::LoggedCell::after) && only_these(now, cells);
      if (same) hard.add_removal(key);
      return same;
    }
    if (entry.op == "delete" && !there) {
      SLUICE_CHECK(fill(row, cells));
      return add(ChangeOp::insert, key, row, hasher, hard);
    }
    const bool deleted = entry.op == "delete";
    if (!holds(now, there, cells, deleted ? &history::LoggedCell::before : &history::LoggedCell::after))
      return false;
    if (deleted) return add(ChangeOp::restore, key, now, hasher, hard);
    SLUICE_CHECK(fill(now, cells));
    if (entry.op == "restore") marks.add_removal(key);
    if (entry.op == "restore" && cells.empty()) return true;
    return add(ChangeOp::update, key, now, hasher, hard);
  }

  static std::unexpected<Error> not_readable(const history::LoggedEntry& entry) {
    return fail(ErrorCode::conflict,
                fmt::format("the key {} in the change log is not one of the table as it is now", entry.key));
  }

  // A row of nothing but its key.
  Result<void> key_row(const std::vector<history::LoggedValue>& key, RowBatch& out) {
    const auto& schema = out.schema();
    for (auto& column : out.columns()) column.push_null();
    out.ordinals.push_back(0);
    for (const auto& part : key) {
      const auto column = schema.find(part.name);
      if (!column || !schema.is_key(*column) || !replace_logged(out, *column, part.json))
        return fail(
            ErrorCode::conflict,
            fmt::format("the key of the table is not what it was: the log has {} {}", part.name, part.json));
    }
    return {};
  }

  // Puts back what the cells held before.
  static Result<void> fill(RowBatch& row, const std::vector<history::LoggedCell>& cells) {
    for (const auto& cell : cells) {
      const auto column = row.schema().find(cell.name);
      if (!column) {
        return fail(ErrorCode::conflict, fmt::format("the table has no column {} any more", cell.name));
      }
      if (!replace_logged(row, *column, cell.before ? *cell.before : "null")) {
        return fail(ErrorCode::conflict,
                    fmt::format("column {} can no longer hold {}", cell.name, cell.before.value_or("null")));
      }
    }
    return {};
  }

  static bool holds(const RowBatch& now, bool there, const std::vector<history::LoggedCell>& cells,
                    std::optional<std::string> history::LoggedCell::* side) {
    if (!there) return false;
    return std::ranges::all_of(cells, [&](const auto& cell) {
      const auto column = now.schema().find(cell.name);
      return column && (cell.*side) && holds_logged(now, *column, 0, *(cell.*side));
    });
  }

  // What an insert did not bring is NULL.
  static bool only_these(const RowBatch& now, const std::vector<history::LoggedCell>& cells) {
    const auto& schema = now.schema();
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      if (schema.is_key(i) || now.columns()[i].null[0] != 0) continue;
      if (std::ranges::find(cells, schema.columns[i].name, &history::LoggedCell::name) == cells.end())
        return false;
    }
    return true;
  }

  static Result<bool> add(ChangeOp op, const std::string& key, const RowBatch& row, diff::RowHasher& hasher,
                          ChangeSet& to) {
    diff::HashedRows hashed;
    hasher.hash(row, hashed);
    SLUICE_TRY(const auto index, to.add(op, key, hashed.fingerprints[0], row, 0));
    static_cast<void>(index);
    return true;
  }

  void count(const ChangeSet& changes) {
    const auto of = [&](ChangeOp op) { return static_cast<std::int64_t>(changes.count(op)); };
    receipt_.inserted += of(ChangeOp::insert);
    receipt_.updated += of(ChangeOp::update);
    receipt_.restored += of(ChangeOp::restore);
    receipt_.deleted += of(ChangeOp::remove);
    receipt_.deleted_by_source = receipt_.deleted;
    receipt_.read = receipt_.inserted + receipt_.updated + receipt_.restored + receipt_.deleted;
  }

  Result<void> commit(upsert::Apply& apply, std::int64_t logged) {
    SLUICE_CHECK(history::clear_source_states(*connection_, request_.loader.name));
    SLUICE_TRY(const auto outcome, apply.finish());
    const auto now = environment_.clock.now();
    receipt_.rows_after = outcome.rows_after;
    receipt_.applied = true;
    receipt_.state = "succeeded";
    receipt_.duration_ms = elapsed();
    SLUICE_CHECK(history::insert_run(*connection_, receipt_, identity_.key(), now, logged));
    SLUICE_CHECK(history::trim_runs(*connection_, receipt_.loader, logged, now));
    SLUICE_CHECK(apply.commit());
    observer_.log(
        Observer::Level::info,
        fmt::format("job {} is taken back: {} rows put in, {} changed, {} brought back, {} taken out",
                    of_.value(), receipt_.inserted, receipt_.updated, receipt_.restored, receipt_.deleted));
    return {};
  }

  std::int64_t elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(environment_.clock.steady() - start_)
        .count();
  }

  const Request& request_;
  const JobId of_;
  Environment& environment_;
  Observer& observer_;
  std::stop_token stop_;
  Receipt receipt_;
  std::chrono::steady_clock::time_point start_{};
  RunIdentity identity_;
  std::unique_ptr<sql::Connection> connection_;
  bool adopted_ = false;
  bool first_load_ = false;
};

}  // namespace

Receipt undo(const Request& request, JobId of, Environment& environment, Observer& observer,
             std::stop_token stop) {
  return Undo(request, of, environment, observer, std::move(stop)).execute();
}

}  // namespace sluice::load
