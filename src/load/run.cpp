#include "load/run.h"

#include "diff/key_codec.h"
#include "history/change_writer.h"
#include "history/record.h"
#include "history/retention.h"
#include "history/source_state.h"
#include "load/accounts.h"
#include "load/comparison.h"
#include "load/custody.h"
#include "load/keep.h"
#include "load/pass.h"
#include "load/row_sinks.h"
#include "load/run_identity.h"
#include "load/run_log.h"
#include "load/run_report.h"
#include "load/sources.h"
#include "sql/database_url.h"
#include "sql/transaction.h"
#include "upsert/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace sluice::load {
namespace {

// Diff, conflict, diff again: so often before the whole attempt is given back to the engine.
constexpr int kMaxConflicts = 3;

class Run {
 public:
  Run(const Request& request, Environment& environment, Observer& observer, std::stop_token stop)
      : request_(request),
        environment_(environment),
        observer_(observer),
        stop_(std::move(stop)),
        report_(request, environment.clock, observer) {}

  Receipt execute() {
    if (auto done = steps(); !done) report_.fail(std::move(done).error());
    if (!receipt_.error && receipt_.state.empty()) receipt_.state = "succeeded";
    if (!adopted_) {
      receipt_.requests = traffic_.requests;
      receipt_.bytes = traffic_.bytes;
      receipt_.duration_ms = report_.elapsed();
    }
    report_.say(end_line(receipt_));
    return std::move(receipt_);
  }

 private:
  Result<void> steps() {
    report_.say(begin_line(request_.loader));
    SLUICE_TRY(const auto url, sql::parse_database_url(request_.database));
    SLUICE_TRY(connection_, sql::open_database(url));
    const sql::StopScope stop_scope(*connection_, stop_);
    SLUICE_CHECK(upsert::prepare_state(*connection_));
    SLUICE_CHECK(history::prepare_history(*connection_));
    SLUICE_TRY(identity_, RunIdentity::find(*connection_, request_));
    SLUICE_TRY(const bool adopted, adopt());
    if (adopted) return {};

    // The rows are counted before every short-cut: a table thinned out by hand is never called unchanged.
    SLUICE_TRY(auto found, look());
    SLUICE_TRY(const bool moved, follow_rename(*connection_, request_, custody_));
    if (moved) {
      const auto notes = custody_.notes;
      SLUICE_TRY(found, look());
      notes_at_start_ = notes;
    }
    const bool changed_by_hand = keyed() && found.state && !found.mismatch.empty() && !custody_.rekeyed;
    if (changed_by_hand && found.state->hash_version != upsert::kSuspect)
      SLUICE_CHECK(upsert::note_mismatch(*connection_, request_.loader.target.table, found.generation()));
    SLUICE_TRY(sources_, fetch_sources(request_, environment_, observer_, connection_.get(),
                                       memory_of(request_.loader, found, custody_), traffic_, stop_));
    receipt_.requests = traffic_.requests;
    receipt_.bytes = traffic_.bytes;
    receipt_.not_modified = sources_.not_modified_count;
    if (sources_.not_modified) return end_unchanged(found);
    SLUICE_TRY(items_, probe_items(request_.loader, sources_, stop_));
    for (const auto& item : items_) {
      if (!item.left_out) report_.say(format_line(item));
    }
    if (!found.exists && nothing_to_shape(request_.loader, items_)) return end_empty();

    bool by_columns = false;
    for (int conflicts = 0;; ++conflicts) {
      SLUICE_TRY(found, look());
      auto done = streams(found) ? stream(found) : compare_and_apply(found, by_columns);
      if (done || done.error().code != ErrorCode::conflict) return done;
      // Someone else committed first. If that was another attempt of this very job, its result is ours.
      SLUICE_TRY(const bool theirs, adopt());
      if (theirs) return {};
      if (!done.error().retryable || conflicts + 1 >= kMaxConflicts) return done;
      by_columns = by_columns || table_was_changed_;
      observer_.log(Observer::Level::warning, done.error().message + "; comparing again");
    }
  }

  Result<bool> adopt() {
    SLUICE_TRY(auto receipt, identity_.applied(*connection_));
    if (!receipt) return false;
    observer_.log(Observer::Level::info, "an earlier attempt has applied this run: its receipt stands");
    receipt_ = std::move(*receipt);
    adopted_ = true;
    return true;
  }

  Result<upsert::Inspection> look() {
    SLUICE_TRY(auto target, look_at_target(*connection_, request_));
    custody_ = std::move(target.custody);
    compare_again_ = false;
    return std::move(target.found);
  }

  bool keyed() const { return !request_.loader.target.key.empty(); }

  // Loads into an empty table, whole replacements and key-less appends need no comparison.
  bool streams(const upsert::Inspection& found) const {
    const auto mode = request_.loader.mode;
    return found.first_load() || mode == LoadMode::replace || adds_blindly(request_.loader);
  }

  // An empty source is for the guards to judge; where they let it pass, the table waits for the first record.
  Result<void> end_empty() {
    PassResult nothing;
    nothing.good.assign(request_.loader.sources.size(), 0);
    report_.note_all(notes_on(items_));
    SLUICE_CHECK(report_.judge(nothing, items_));
    receipt_.applied = true;
    report_.note(std::string(kNothingToShape));
    return {};
  }

  // Every source said "not modified", and the table is as it was left.
  Result<void> end_unchanged(const upsert::Inspection& found) {
    receipt_.applied = true;
    receipt_.rows_before = receipt_.rows_after = found.state ? found.state->live() : 0;
    report_.say("the sources are unchanged since the last load: nothing to do");
    const bool touched = std::any_of(sources_.all.begin(), sources_.all.end(),
                                     [](const auto& source) { return source.validators_changed; });
    const bool due = upsert::full_check_due(found.state, environment_.clock.now());
    // A table that cannot be compared stays as somebody has left it, and is told of.
    if (!found.mismatch.empty()) report_.note(found.mismatch);
    note_custody();
    const bool taken = !custody_.taken_from.empty();
    if (!touched && !due && !taken) return {};
    SLUICE_TRY(auto transaction, sql::Transaction::begin(*connection_));
    const auto now = environment_.clock.now();
    if (taken) {
      SLUICE_TRY(const bool ours, upsert::note_owner(*connection_, request_.loader.target.table,
                                                     found.generation(), request_.loader.name));
      if (!ours) return fail_transient(ErrorCode::conflict, "someone else has loaded the table meanwhile");
      SLUICE_CHECK(settle_custody(*connection_, request_, custody_));
    }
    if (due) {
      SLUICE_TRY(const bool noted,
                 upsert::note_checked(*connection_, request_.loader.target.table, found.generation(), now));
      static_cast<void>(noted);  // someone else committed meanwhile: their check counts
    }
    SLUICE_CHECK(save_source_states(request_, sources_, *connection_, found.generation(), now));
    return transaction.commit();
  }

  upsert::ApplyOptions apply_options(std::int64_t foreign_rows, bool refill = false) const {
    return {.loader = request_.loader.name,
            .mapping_hash = request_.definition_hash,
            .hash_version = diff::kHashVersion,
            .now = environment_.clock.now(),
            .decode_key = [](std::string_view key, RowBatch& out) { return diff::decode_key(key, out); },
            .foreign_rows = foreign_rows,
            .refill = refill};
  }

  void note_custody() {
    report_.note_all(notes_at_start_);
    report_.note_all(custody_.notes);
  }

  Result<void> stream(const upsert::Inspection& found) {
    auto shape = shape_for(request_.loader, items_, found);
    if (!shape) return std::unexpected(std::move(shape).error());
    report_.say(stream_line(request_.loader, found));
    for (int round = 0; round < kMaxWidenings; ++round) {
      report_.plan(found, shape->plan, items_);
      // What is cleared, or was empty, holds nobody's rows; an append leaves them where they are.
      const bool keeps = request_.loader.mode == LoadMode::append && !found.first_load() && found.state;
      const std::int64_t foreign = keeps ? found.state->foreign_rows : 0;
      SLUICE_TRY(auto apply, upsert::Apply::begin(*connection_, found, shape->plan, apply_options(foreign)));
      const bool replaces = request_.loader.mode == LoadMode::replace && !found.first_load();
      if (replaces) SLUICE_CHECK(apply->clear());
      StreamSink sink(*apply, keyed());
      auto options = pass_options(shape->mapping);
      options.phase = Observer::Phase::apply;
      SLUICE_TRY(auto pass, read_all(request_, items_, shape->plan.schema, options, observer_, sink, stop_));
      SLUICE_TRY(const bool again, widen_shape(*shape, request_.loader, found, pass, items_, observer_));
      if (again) continue;  // the transaction goes with `apply`
      for (const auto& change : shape->plan.schema_changes) report_.say(change);
      SLUICE_CHECK(verify_sources(sources_, stop_));
      report_.count(pass, sink.counts());
      receipt_.rows_before =
          found.first_load() ? 0 : found.known_rows() - (found.state ? found.state->soft_deleted : 0);
      receipt_.deleted = replaces ? receipt_.rows_before : 0;
      if (replaces && custody_.adopts) report_.note(replaced_note(request_.loader, receipt_));
      receipt_.rows_after = receipt_.rows_before - receipt_.deleted + receipt_.inserted;
      SLUICE_CHECK(report_.balance());
      if (auto judged = report_.judge(pass, items_); !judged) {
        apply.reset();  // rolls back: what is kept of a failed run needs a transaction of its own
        return stopped_by_guard(pass, std::move(judged).error());
      }
      SLUICE_CHECK(sink.store_fingerprints());
      history::ChangeWriter changes(*connection_, identity_.key(), request_.loader.change_log);
      SLUICE_CHECK(changes.add_first_load(receipt_.inserted));
      return commit(*apply, pass, changes.written());
    }
    return fail(ErrorCode::malformed, "the columns of the source keep changing from pass to pass");
  }

  Result<void> compare_and_apply(const upsert::Inspection& found, bool by_columns) {
    SLUICE_TRY(auto comparison, compare(request_, environment_, observer_, connection_.get(), found, items_,
                                        {.by_columns = by_columns,
                                         .spare_vanished = custody_.spares_vanished(request_.loader, found)},
                                        stop_));
    SLUICE_CHECK(verify_sources(sources_, stop_));
    report_.plan(found, comparison.shape.plan, items_);
    report_.note_any(comparison.damage);
    report_.say(compare_line(found, comparison.by_columns()));
    for (const auto& change : comparison.shape.plan.schema_changes) report_.say(change);
    receipt_.compare = comparison.by_columns() ? "columns" : "fingerprint";
    report_.count(comparison.pass, comparison.summary.counts);
    receipt_.vanished = comparison.summary.vanished.value_or(0);
    report_.note_any(unjudged_note(request_.loader, comparison.pass));
    receipt_.deleted = static_cast<std::int64_t>(comparison.changes->count(ChangeOp::remove));
    receipt_.rows_before = comparison.summary.rows_before.value_or(
        found.known_rows() - (found.state ? found.state->soft_deleted : 0));
    receipt_.rows_after = receipt_.rows_before + receipt_.inserted + receipt_.restored - receipt_.deleted;
    SLUICE_CHECK(report_.balance());
    const auto strangers =
        judge_strangers(custody_, request_.loader, found,
                        {.vanished = comparison.summary.vanished,
                         .rows_before = receipt_.rows_before,
                         .matched = receipt_.updated + receipt_.unchanged + receipt_.ignored,
                         .removed = receipt_.deleted});
    compare_again_ = strangers.compare_again;
    report_.note_any(refill_note(receipt_, !comparison.refill.empty()));
    report_.note_any(strangers.note);
    if (auto judged = report_.judge(comparison.pass, items_); !judged) {
      return stopped_by_guard(comparison.pass, std::move(judged).error());
    }

    SLUICE_TRY(const auto apply,
               upsert::Apply::begin(
                   *connection_, found, comparison.shape.plan,
                   apply_options(strangers.rows, !comparison.refill.empty() && receipt_.updated > 0)));
    history::ChangeWriter changes(*connection_, identity_.key(), request_.loader.change_log);
    ChangeLogger logger(changes, observer_, static_cast<std::int64_t>(comparison.changes->size()));
    auto applied = apply->apply(*comparison.changes, &logger, stop_);
    table_was_changed_ = apply->table_was_changed();
    if (!applied) return applied;
    auto stored = comparison.by_columns() ? apply->rebase_fingerprints(*comparison.base, *comparison.changes)
                                          : apply->merge_fingerprints(*comparison.changes);
    table_was_changed_ = apply->table_was_changed();
    if (!stored) return stored;
    return commit(*apply, comparison.pass, changes.written());
  }

  // State, rejects, validators and receipt: the rest of the one transaction.
  Result<void> commit(upsert::Apply& apply, const PassResult& pass, std::int64_t changes_logged) {
    SLUICE_CHECK(settle_custody(*connection_, request_, custody_));
    SLUICE_CHECK(
        write_rejects(*connection_, identity_.key(), request_.loader, pass, receipt_.started_at, true));
    SLUICE_TRY(const auto outcome, apply.finish());
    const auto now = environment_.clock.now();
    if (compare_again_) {
      SLUICE_CHECK(history::clear_source_states(*connection_, request_.loader.name));
    } else {
      SLUICE_CHECK(save_source_states(request_, sources_, *connection_, outcome.generation, now));
    }
    note_custody();
    receipt_.rows_after = outcome.rows_after;
    receipt_.applied = true;
    receipt_.state = "succeeded";
    receipt_.duration_ms = report_.elapsed();
    SLUICE_CHECK(history::insert_run(*connection_, receipt_, identity_.key(), now, changes_logged));
    SLUICE_CHECK(history::trim_runs(*connection_, receipt_.loader, changes_logged, now));
    auto committed = apply.commit();
    if (!committed) receipt_.applied = false;
    if (committed)
      report_.say(commit_line(request_.loader.target.table, outcome.rows_after, outcome.generation));
    return committed;
  }

  // The receipt and the rejects of a run that a guard stopped, so that they can be looked at. The guard's
  // error stands whether or not this can be written.
  Result<void> stopped_by_guard(const PassResult& pass, Error error) {
    Receipt failed = receipt_;
    failed.state = "failed";
    failed.applied = false;
    failed.schema_changes.clear();
    failed.error = error;
    failed.duration_ms = report_.elapsed();
    if (auto kept = keep_failed(*connection_, identity_.key(), request_.loader, pass, failed,
                                environment_.clock.now());
        !kept) {
      observer_.log(Observer::Level::warning,
                    "the rejects of this run could not be kept: " + kept.error().describe());
    }
    return std::unexpected(std::move(error));
  }

  const Request& request_;
  Environment& environment_;
  Observer& observer_;
  std::stop_token stop_;
  RunReport report_;
  Receipt& receipt_ = report_.receipt;
  RunIdentity identity_;
  bool adopted_ = false;
  bool table_was_changed_ = false;
  std::unique_ptr<sql::Connection> connection_;
  Sources sources_;
  fetch::Traffic traffic_;
  std::vector<ProbedItem> items_;
  Custody custody_;
  std::vector<std::string> notes_at_start_;  // of what was put right before the run
  bool compare_again_ = false;               // the next run must not take a short-cut
};

}  // namespace

Receipt run(const Request& request, Environment& environment, Observer& observer, std::stop_token stop) {
  return Run(request, environment, observer, std::move(stop)).execute();
}

}  // namespace sluice::load
