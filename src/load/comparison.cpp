#include "load/comparison.h"

#include "base/text.h"
#include "diff/row_hasher.h"
#include "load/target_side.h"

#include <fmt/format.h>

namespace sluice::load {
namespace {

class DifferSink final : public RowSink {
 public:
  DifferSink(diff::Differ& differ, std::stop_token stop) : differ_(differ), stop_(std::move(stop)) {}
  Result<void> rows(const RowBatch& batch, const diff::HashedRows& hashed) override {
    return noted(differ_.add(batch, hashed, stop_));
  }
  Result<void> rejected_keys(const diff::HashedRows& keys) override {
    return noted(differ_.add_rejected_keys(keys, stop_));
  }
  // Whether an error of the pass is of the target's side: the source may be malformed as well.
  bool target_is_damaged() const { return target_is_damaged_; }

 private:
  Result<void> noted(Result<void> added) {
    target_is_damaged_ = !added && added.error().code == ErrorCode::malformed;
    return added;
  }
  bool target_is_damaged_ = false;
  diff::Differ& differ_;
  std::stop_token stop_;
};

// Without a key every record is a row of its own.
class AppendSink final : public RowSink {
 public:
  explicit AppendSink(ChangeSet& changes) : changes_(changes) {}
  Result<void> rows(const RowBatch& batch, const diff::HashedRows& hashed) override {
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      SLUICE_TRY(const auto index, changes_.add(ChangeOp::insert, {}, hashed.fingerprints[row], batch, row));
      static_cast<void>(index);
    }
    return {};
  }
  Result<void> rejected_keys(const diff::HashedRows&) override { return {}; }

 private:
  ChangeSet& changes_;
};

std::vector<decode::Probe> probes_of(const std::vector<ProbedItem>& items) {
  std::vector<decode::Probe> probes;
  probes.reserve(items.size());
  for (const auto& item : items) probes.push_back(item.probe);
  return probes;
}

std::vector<std::string> labels_of(const std::vector<ProbedItem>& items) {
  std::vector<std::string> labels;
  labels.reserve(items.size());
  for (const auto& item : items) labels.push_back(item.input.name);
  return labels;
}

Result<upsert::TablePlan> plan_of(const LoaderSpec& loader, const Mapping& mapping,
                                  const upsert::Inspection& found) {
  upsert::TableWish wish;
  wish.table = loader.target.table;
  wish.wanted = mapping.wanted;
  wish.soft_delete = loader.mode == LoadMode::sync && loader.vanished == Vanished::soft_delete;
  SLUICE_TRY(auto plan, upsert::plan_table(found, wish));
  plan.notes.insert(plan.notes.end(), mapping.notes.begin(), mapping.notes.end());
  return plan;
}

std::string keyless_note(const std::string& table, std::int64_t rows) {
  return fmt::format("table {} has {} {} without a value in the key: no load finds or touches {}", table,
                     group_digits(rows), rows == 1 ? "row" : "rows", rows == 1 ? "it" : "them");
}

}  // namespace

PassOptions pass_options(const Mapping& mapping) {
  return {.strict = mapping.strict,
          .ignored_fields = mapping.ignored_fields,
          .ignore_new_fields = mapping.ignore_new_fields,
          .spellings = mapping.spellings};
}

Result<Shape> shape_for(const LoaderSpec& loader, const std::vector<ProbedItem>& items,
                        const upsert::Inspection& found) {
  const Schema* pinned = found.state && found.exists ? found.state->schema.get() : nullptr;
  SLUICE_TRY(auto mapping, map_columns(loader, probes_of(items), labels_of(items), pinned));
  SLUICE_TRY(auto plan, plan_of(loader, mapping, found));
  return Shape{std::move(mapping), std::move(plan)};
}

Result<bool> widen_shape(Shape& shape, const LoaderSpec& loader, const upsert::Inspection& found,
                         const PassResult& pass, std::vector<ProbedItem>& items, Observer& observer) {
  if (!pass.must_read_again()) return false;
  bool again = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!pass.findings[i].encoding) continue;
    items[i].probe.csv.encoding = *pass.findings[i].encoding;
    again = true;
  }
  std::vector<const decode::Findings*> findings;
  findings.reserve(pass.findings.size());
  for (const auto& one : pass.findings) findings.push_back(&one);
  const Schema* pinned = found.state && found.exists ? found.state->schema.get() : nullptr;
  SLUICE_TRY(auto mapping, widen(shape.mapping, loader, findings, *shape.plan.schema, pinned));
  SLUICE_TRY(auto plan, plan_of(loader, mapping, found));
  const bool wider = *plan.schema != *shape.plan.schema || mapping.spellings != shape.mapping.spellings;
  shape = Shape{std::move(mapping), std::move(plan)};
  if (wider || again) {
    observer.log(Observer::Level::info,
                 again
                     ? "reading again: the text is in another encoding than its start showed"
                     : "reading again: the records need more or wider columns than the first of them showed");
  }
  return wider || again;
}

Result<Comparison> compare(const Request& request, Environment& environment, Observer& observer,
                           sql::Connection* connection, const upsert::Inspection& found,
                           std::vector<ProbedItem>& items, const CompareOptions& options,
                           std::stop_token stop) {
  const auto& loader = request.loader;
  Comparison result;
  SLUICE_TRY(result.shape, shape_for(loader, items, found));
  const std::size_t share = loader.memory_limit / 4;
  for (int round = 0; round < kMaxWidenings; ++round) {
    const bool stale = must_compare_by_columns(found, result.shape.plan);
    const bool by_columns = !found.first_load() && (options.by_columns || stale || !result.damage.empty());
    // Damaged fingerprints are no reason to fail: the rows themselves tell what they should have been.
    const auto damaged = [&](const Error& error) {
      if (by_columns || error.code != ErrorCode::malformed) return false;
      result.damage = fmt::format("the stored fingerprints of table {} are made anew: {}",
                                  result.shape.plan.table, error.describe());
      return true;
    };
    auto side = target_side(connection, found, result.shape.plan, by_columns, stop);
    if (!side && damaged(side.error())) continue;
    if (!side) return std::unexpected(std::move(side).error());
    auto target = std::move(side->fingerprints);
    result.keyless_rows = side->keyless_rows;
    const auto& schema = result.shape.plan.schema;
    result.changes = std::make_unique<ChangeSet>(schema, share, environment.spool_directory);
    if (schema->key.empty()) {
      AppendSink sink(*result.changes);
      SLUICE_TRY(result.pass,
                 read_all(request, items, schema, pass_options(result.shape.mapping), observer, sink, stop));
      SLUICE_TRY(const bool again, widen_shape(result.shape, loader, found, result.pass, items, observer));
      if (again) continue;
      result.summary.counts.inserted = static_cast<std::int64_t>(result.changes->count(ChangeOp::insert));
      return result;
    }
    diff::DiffOptions diff_options;
    diff_options.mode = loader.mode;
    diff_options.memory_limit = share;
    diff_options.collect_vanished =
        loader.mode == LoadMode::replace ||
        (loader.mode == LoadMode::sync && loader.vanished != Vanished::keep && !options.spare_vanished);
    result.refill.clear();
    if (loader.mode == LoadMode::append && by_columns) result.refill = result.shape.plan.made_anew;
    diff_options.refill = result.refill;
    diff::Differ differ(target.get(), diff_options, *result.changes);
    DifferSink sink(differ, stop);
    auto pass = read_all(request, items, schema, pass_options(result.shape.mapping), observer, sink, stop);
    if (!pass && sink.target_is_damaged() && damaged(pass.error())) continue;
    SLUICE_TRY(result.pass, std::move(pass));
    SLUICE_TRY(const bool again, widen_shape(result.shape, loader, found, result.pass, items, observer));
    if (again) continue;
    // A rejected record whose key could not be read may be any row, and so may those that an empty file
    // should have held: then no row is judged to be gone.
    const bool all_known = result.pass.keyless_rejects == 0 &&
                           (loader.guards.minimum_expected_records == 0 || empty_items(items).empty());
    auto finished = differ.finish(all_known, stop);
    if (!finished && damaged(finished.error())) continue;
    SLUICE_TRY(result.summary, std::move(finished));
    if (result.summary.rows_before) *result.summary.rows_before += result.keyless_rows;
    if (by_columns) {
      result.base = std::move(target);
      if (result.keyless_rows > 0)
        result.shape.plan.notes.push_back(keyless_note(result.shape.plan.table, result.keyless_rows));
    }
    return result;
  }
  return fail(ErrorCode::malformed, "the columns of the source keep changing from pass to pass");
}

}  // namespace sluice::load
