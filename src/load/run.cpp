#include "load/run.h"

#include "diff/key_codec.h"
#include "history/change_writer.h"
#include "history/record.h"
#include "history/reject_writer.h"
#include "history/run_key.h"
#include "load/comparison.h"
#include "load/guards.h"
#include "load/pass.h"
#include "load/row_sinks.h"
#include "load/run_log.h"
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
      : request_(request), environment_(environment), observer_(observer), stop_(std::move(stop)) {
    receipt_.loader = request.loader.name;
    receipt_.job = request.job.value();
    receipt_.attempt = request.attempt;
    receipt_.mode = to_string(request.loader.mode);
    receipt_.compare = "none";
    receipt_.started_at = environment.clock.now();
    receipt_.catalog_hash = request.catalog_hash;
  }

  Receipt execute() {
    const auto started = environment_.clock.steady();
    steady_start_ = started;
    if (auto done = steps(); !done) fail_run(std::move(done).error());
    if (!receipt_.error && receipt_.state.empty()) receipt_.state = "succeeded";
    if (!adopted_) {
      receipt_.requests = traffic_.requests;
      receipt_.bytes = traffic_.bytes;
      receipt_.duration_ms = elapsed();
    }
    say(end_line(receipt_));
    return std::move(receipt_);
  }

 private:
  std::int64_t elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(environment_.clock.steady() - steady_start_)
        .count();
  }

  void fail_run(Error error) {
    receipt_.applied = false;
    receipt_.state = error.code == ErrorCode::cancelled ? "deleted" : "failed";
    if (error.where.find(request_.loader.name) == std::string::npos) {
      error = fail_within("loader " + request_.loader.name, std::move(error)).error();
    }
    observer_.log(Observer::Level::error, error.describe());
    receipt_.error = std::move(error);
  }

  void say(const std::string& text) { observer_.log(Observer::Level::info, text); }

  Result<void> steps() {
    say(begin_line(request_.loader));
    SLUICE_TRY(const auto url, sql::parse_database_url(request_.database));
    SLUICE_TRY(connection_, sql::open_database(url));
    const sql::StopScope stop_scope(*connection_, stop_);
    SLUICE_CHECK(upsert::prepare_state(*connection_));
    SLUICE_CHECK(history::prepare_history(*connection_));
    SLUICE_CHECK(find_key());
    SLUICE_TRY(const bool adopted, adopt());
    if (adopted) return {};

    // The rows are counted before every short-cut: a table thinned out by hand is never called unchanged.
    SLUICE_TRY(auto found, inspect(true));
    // A key-less append adds whatever it reads: the same bytes must never be added twice, whoever edited the
    // table.
    const bool adds_blindly = request_.loader.mode == LoadMode::append && !keyed();
    const bool trusted = found.mismatch.empty() || (adds_blindly && !found.first_load());
    SLUICE_TRY(sources_, fetch_sources(request_, environment_, observer_, connection_.get(),
                                       trusted ? found.state : std::nullopt, traffic_, stop_));
    receipt_.requests = traffic_.requests;
    receipt_.bytes = traffic_.bytes;
    receipt_.not_modified = sources_.not_modified_count;
    if (sources_.not_modified) return end_unchanged(found);
    SLUICE_TRY(items_, probe_items(request_.loader, sources_, stop_));
    for (const auto& item : items_) say(format_line(item));
    if (nothing_to_shape(found)) return end_empty();

    bool by_columns = false;
    for (int conflicts = 0;; ++conflicts) {
      SLUICE_TRY(found, inspect(true));
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

  // Whether a receipt found under our key is of this very job. A job store that was restored from a backup
  // gives its ids again: what stands under them is another job's.
  bool is_ours(const Receipt& receipt) const {
    return receipt.loader == request_.loader.name && receipt.started_at >= request_.created_at;
  }

  Result<void> find_key() {
    SLUICE_TRY(key_, history::run_key(*connection_, request_.store, request_.job));
    SLUICE_TRY(const auto receipt, history::adopt(*connection_, key_));
    if (!receipt || is_ours(*receipt)) return {};
    const auto own = fmt::format("{}@{}", request_.store, request_.created_at.time_since_epoch().count());
    SLUICE_TRY(key_, history::run_key(*connection_, own, request_.job));
    return {};
  }

  Result<bool> adopt() {
    SLUICE_TRY(auto receipt, history::adopt(*connection_, key_));
    if (!receipt || !is_ours(*receipt)) return false;
    observer_.log(Observer::Level::info, "an earlier attempt has applied this run: its receipt stands");
    receipt_ = std::move(*receipt);
    adopted_ = true;
    return true;
  }

  Result<upsert::Inspection> inspect(bool full) {
    return upsert::inspect(*connection_, request_.loader.target.table, request_.loader.name, full);
  }

  bool keyed() const { return !request_.loader.target.key.empty(); }

  // Loads into an empty table, whole replacements and key-less appends need no comparison.
  bool streams(const upsert::Inspection& found) const {
    const auto mode = request_.loader.mode;
    return found.first_load() || mode == LoadMode::replace || (mode == LoadMode::append && !keyed());
  }

  // No record anywhere, and neither table nor definition says which columns there would be.
  bool nothing_to_shape(const upsert::Inspection& found) const {
    if (found.exists || !request_.loader.target.columns.empty()) return false;
    return std::all_of(items_.begin(), items_.end(), [](const auto& item) {
      return item.probe.sampled_records == 0 && item.probe.columns.empty();
    });
  }

  // An empty source is for the guards to judge; where they let it pass, the table waits for the first record.
  Result<void> end_empty() {
    PassResult nothing;
    nothing.good.assign(request_.loader.sources.size(), 0);
    for (const auto& text : notes_on(items_)) note(text);
    SLUICE_CHECK(pass_guards(nothing, 0));
    receipt_.applied = true;
    note("the sources hold no record: the table is created when there is one");
    return {};
  }

  // Every source said "not modified", and the table is as it was left.
  Result<void> end_unchanged(const upsert::Inspection& found) {
    receipt_.applied = true;
    receipt_.rows_before = receipt_.rows_after = found.state ? found.state->live() : 0;
    say("the sources are unchanged since the last load: nothing to do");
    const bool touched = std::any_of(sources_.all.begin(), sources_.all.end(),
                                     [](const auto& source) { return source.validators_changed; });
    const bool due = upsert::full_check_due(found.state, environment_.clock.now());
    if (!touched && !due) return {};
    SLUICE_TRY(auto transaction, sql::Transaction::begin(*connection_));
    const auto now = environment_.clock.now();
    if (due) {
      SLUICE_TRY(const bool noted,
                 upsert::note_checked(*connection_, request_.loader.target.table, found.generation(), now));
      static_cast<void>(noted);  // someone else committed meanwhile: their check counts
    }
    SLUICE_CHECK(save_source_states(request_, sources_, *connection_, found.generation(), now));
    return transaction.commit();
  }

  upsert::ApplyOptions apply_options() const {
    return {.loader = request_.loader.name,
            .mapping_hash = request_.definition_hash,
            .hash_version = diff::kHashVersion,
            .now = environment_.clock.now(),
            .decode_key = [](std::string_view key, RowBatch& out) { return diff::decode_key(key, out); }};
  }

  void note(const std::string& text) {
    receipt_.notes.push_back(text);
    observer_.log(Observer::Level::warning, text);
  }

  void note_plan(const upsert::Inspection& found, const upsert::TablePlan& plan) {
    receipt_.schema_changes = plan.schema_changes;
    receipt_.notes.clear();
    if (!found.mismatch.empty()) note(found.mismatch);
    for (const auto& text : plan.notes) note(text);
    for (const auto& text : notes_on(items_)) note(text);
  }

  void count(const PassResult& pass, const diff::DiffCounts& counts) {
    receipt_.read = pass.read;
    receipt_.rejected = pass.rejected + counts.rejected;
    receipt_.duplicates = counts.duplicates;
    receipt_.inserted = counts.inserted;
    receipt_.updated = counts.updated;
    receipt_.restored = counts.restored;
    receipt_.unchanged = counts.unchanged;
    receipt_.ignored = counts.ignored;
    if (!pass.rejects.empty()) {
      const auto& first = pass.rejects.front();
      note(fmt::format("{} of {} records rejected; the first: {}, {}: {}", receipt_.rejected, receipt_.read,
                       source_label(request_.loader.sources.at(first.source)), first.locator, first.message));
    }
  }

  Result<void> pass_guards(const PassResult& pass, std::int64_t deletes) {
    const auto judgement = judge(request_.loader, {.read = receipt_.read,
                                                   .rejected = receipt_.rejected,
                                                   .good = pass.good,
                                                   .empty = empty_items(items_),
                                                   .deletes = deletes,
                                                   .rows_before = receipt_.rows_before,
                                                   .rows_after = receipt_.rows_after});
    receipt_.guards = judgement.verdicts;
    say(counts_line(receipt_));
    for (const auto& verdict : judgement.verdicts) {
      observer_.log(verdict.verdict == "breached" ? Observer::Level::error : Observer::Level::info,
                    guard_line(verdict));
      if (verdict.verdict == "warned") note(verdict.message);
    }
    if (!judgement.breached) return {};
    return fail(ErrorCode::guard, judgement.message);
  }

  Result<void> check_balance() const {
    if (receipt_.balanced()) return {};
    return fail(ErrorCode::internal, "the counts of this run do not add up; nothing was written");
  }

  Result<void> stream(const upsert::Inspection& found) {
    auto shape = shape_for(request_.loader, items_, found);
    if (!shape) return std::unexpected(std::move(shape).error());
    say(stream_line(request_.loader, found));
    for (int round = 0; round < kMaxWidenings; ++round) {
      note_plan(found, shape->plan);
      SLUICE_TRY(auto apply, upsert::Apply::begin(*connection_, found, shape->plan, apply_options()));
      const bool replaces = request_.loader.mode == LoadMode::replace && !found.first_load();
      if (replaces) SLUICE_CHECK(apply->clear());
      StreamSink sink(*apply, keyed());
      auto options = pass_options(shape->mapping);
      options.phase = Observer::Phase::apply;
      SLUICE_TRY(auto pass, read_all(request_, items_, shape->plan.schema, options, observer_, sink, stop_));
      SLUICE_TRY(const bool again, widen_shape(*shape, request_.loader, found, pass, items_, observer_));
      if (again) continue;  // the transaction goes with `apply`
      for (const auto& change : shape->plan.schema_changes) say(change);
      SLUICE_CHECK(verify_sources(sources_, stop_));
      count(pass, sink.counts());
      receipt_.rows_before =
          found.first_load() ? 0 : found.known_rows() - (found.state ? found.state->soft_deleted : 0);
      receipt_.deleted = replaces ? receipt_.rows_before : 0;
      receipt_.rows_after = receipt_.rows_before - receipt_.deleted + receipt_.inserted;
      SLUICE_CHECK(check_balance());
      if (auto judged = pass_guards(pass, receipt_.deleted); !judged) {
        apply.reset();  // rolls back: what is kept of a failed run needs a transaction of its own
        return keep_failed(pass, std::move(judged).error());
      }
      SLUICE_CHECK(sink.store_fingerprints());
      history::ChangeWriter changes(*connection_, key_, request_.loader.change_log);
      SLUICE_CHECK(changes.add_first_load(receipt_.inserted));
      return commit(*apply, pass);
    }
    return fail(ErrorCode::malformed, "the columns of the source keep changing from pass to pass");
  }

  Result<void> compare_and_apply(const upsert::Inspection& found, bool by_columns) {
    SLUICE_TRY(auto comparison, compare(request_, environment_, observer_, connection_.get(), found, items_,
                                        {.by_columns = by_columns}, stop_));
    SLUICE_CHECK(verify_sources(sources_, stop_));
    note_plan(found, comparison.shape.plan);
    if (!comparison.damage.empty()) note(comparison.damage);
    say(compare_line(found, comparison.by_columns()));
    for (const auto& change : comparison.shape.plan.schema_changes) say(change);
    receipt_.compare = comparison.by_columns() ? "columns" : "fingerprint";
    count(comparison.pass, comparison.summary.counts);
    receipt_.vanished = comparison.summary.vanished.value_or(0);
    if (comparison.pass.keyless_rejects > 0 && request_.loader.mode == LoadMode::sync) {
      note(
          fmt::format("{} rejected records have no readable key: rows missing from the source are not judged",
                      comparison.pass.keyless_rejects));
    }
    receipt_.deleted = static_cast<std::int64_t>(comparison.changes->count(ChangeOp::remove));
    receipt_.rows_before = comparison.summary.rows_before.value_or(
        found.known_rows() - (found.state ? found.state->soft_deleted : 0));
    receipt_.rows_after = receipt_.rows_before + receipt_.inserted + receipt_.restored - receipt_.deleted;
    SLUICE_CHECK(check_balance());
    if (auto judged = pass_guards(comparison.pass, receipt_.deleted); !judged) {
      return keep_failed(comparison.pass, std::move(judged).error());
    }

    SLUICE_TRY(const auto apply,
               upsert::Apply::begin(*connection_, found, comparison.shape.plan, apply_options()));
    history::ChangeWriter changes(*connection_, key_, request_.loader.change_log);
    ChangeLogger logger(changes, observer_, static_cast<std::int64_t>(comparison.changes->size()));
    auto applied = apply->apply(*comparison.changes, &logger, stop_);
    table_was_changed_ = apply->table_was_changed();
    if (!applied) return applied;
    auto stored = comparison.by_columns() ? apply->rebase_fingerprints(*comparison.base, *comparison.changes)
                                          : apply->merge_fingerprints(*comparison.changes);
    table_was_changed_ = apply->table_was_changed();
    if (!stored) return stored;
    return commit(*apply, comparison.pass);
  }

  // `applied`: only a run that counts says which open rejects did not come again.
  Result<void> write_rejects(const PassResult& pass, bool applied) {
    history::RejectWriter rejects(*connection_, key_, request_.loader.name, request_.loader.rejects,
                                  receipt_.started_at);
    for (const auto& reject : pass.rejects) {
      SLUICE_CHECK(rejects.add(reject, source_label(request_.loader.sources.at(reject.source))));
    }
    return rejects.finish(applied && static_cast<std::int64_t>(pass.rejects.size()) == pass.rejected);
  }

  // State, rejects, validators and receipt: the rest of the one transaction.
  Result<void> commit(upsert::Apply& apply, const PassResult& pass) {
    SLUICE_CHECK(write_rejects(pass, true));
    SLUICE_TRY(const auto outcome, apply.finish());
    const auto now = environment_.clock.now();
    SLUICE_CHECK(save_source_states(request_, sources_, *connection_, outcome.generation, now));
    receipt_.rows_after = outcome.rows_after;
    receipt_.applied = true;
    receipt_.state = "succeeded";
    receipt_.duration_ms = elapsed();
    SLUICE_CHECK(history::insert_run(*connection_, receipt_, key_, now));
    auto committed = apply.commit();
    if (!committed) receipt_.applied = false;
    if (committed) say(commit_line(request_.loader.target.table, outcome.rows_after, outcome.generation));
    return committed;
  }

  // The receipt and the rejects of a run that a guard stopped, so that they can be looked at. The guard's
  // error stands whether or not this can be written.
  Result<void> keep_failed(const PassResult& pass, Error error) {
    Receipt failed = receipt_;
    failed.state = "failed";
    failed.applied = false;
    failed.error = error;
    failed.duration_ms = elapsed();
    const auto write = [&]() -> Result<void> {
      SLUICE_TRY(auto transaction, sql::Transaction::begin(*connection_));
      SLUICE_CHECK(write_rejects(pass, false));
      SLUICE_CHECK(history::insert_run(*connection_, failed, key_, environment_.clock.now()));
      return transaction.commit();
    };
    if (auto written = write(); !written) {
      observer_.log(Observer::Level::warning,
                    "the rejects of this run could not be kept: " + written.error().describe());
    }
    return std::unexpected(std::move(error));
  }

  const Request& request_;
  Environment& environment_;
  Observer& observer_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point steady_start_;
  Receipt receipt_;
  JobId key_;  // of this run in the target
  bool adopted_ = false;
  bool table_was_changed_ = false;
  std::unique_ptr<sql::Connection> connection_;
  Sources sources_;
  fetch::Traffic traffic_;
  std::vector<ProbedItem> items_;
};

}  // namespace

Receipt run(const Request& request, Environment& environment, Observer& observer, std::stop_token stop) {
  return Run(request, environment, observer, std::move(stop)).execute();
}

}  // namespace sluice::load
