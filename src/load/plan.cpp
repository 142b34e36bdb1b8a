#include "load/plan.h"

#include "diff/key_codec.h"
#include "diff/row_hasher.h"
#include "history/row_json.h"
#include "load/accounts.h"
#include "load/comparison.h"
#include "load/custody.h"
#include "load/sources.h"
#include "sql/database_url.h"
#include "upsert/table_reader.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace sluice::load {
namespace {

std::string cell_json(const RowBatch& batch, std::size_t column, std::size_t row) {
  std::string text;
  history::append_json(text, batch.columns()[column], row);
  return text;
}

bool same_cell(const RowBatch& a, std::size_t row_a, const RowBatch& b, std::size_t row_b,
               std::size_t column) {
  const auto& x = a.columns()[column];
  const auto& y = b.columns()[column];
  if (x.null[row_a] != y.null[row_b]) return false;
  if (x.null[row_a] != 0) return true;
  return is_fixed(x.type) ? x.fixed[row_a] == y.fixed[row_b] : x.bytes[row_a] == y.bytes[row_b];
}

// The first changes of each kind, with copies of their rows.
struct Samples {
  explicit Samples(SchemaPtr schema) : after(std::move(schema)) {}
  struct Sample {
    ChangeOp op;
    std::string key;
    std::optional<std::size_t> after_row;
  };
  std::vector<Sample> list;
  RowBatch after;
};

Result<Samples> take_samples(ChangeSet& changes, const SchemaPtr& schema, std::size_t limit) {
  Samples samples(schema);
  std::map<ChangeOp, std::size_t> taken;
  SLUICE_CHECK(changes.for_each([&](const Change& change) -> Result<void> {
    if (taken[change.op] >= limit) return {};
    ++taken[change.op];
    Samples::Sample sample{.op = change.op, .key = std::string(change.key), .after_row = std::nullopt};
    if (change.rows != nullptr) {
      sample.after_row = samples.after.rows();
      samples.after.append_row(*change.rows, change.row);
    }
    samples.list.push_back(std::move(sample));
    return {};
  }));
  return samples;
}

// The rows of the table that the samples are about, found in one walk over it: a plan writes nothing, and its
// cost is that of a comparison by columns at the most.
struct Before {
  RowBatch rows;
  std::map<std::string, std::size_t, std::less<>> by_key;
};

Result<Before> read_before(sql::Connection* connection, const upsert::Inspection& found,
                           const Comparison& comparison, const Samples& samples, std::stop_token stop) {
  const auto& schema = comparison.shape.plan.schema;
  Before before{.rows = RowBatch(schema), .by_key = {}};
  std::map<std::string_view, bool, std::less<>> wanted;
  for (const auto& sample : samples.list) {
    if (sample.op != ChangeOp::insert) wanted.emplace(sample.key, true);
  }
  if (wanted.empty() || connection == nullptr) return before;
  SLUICE_TRY(const auto reader,
             upsert::TableReader::open(*connection, found, comparison.shape.plan.table, schema));
  RowBatch batch;
  std::string key;
  while (before.by_key.size() < wanted.size()) {
    SLUICE_TRY(const bool more, reader->next(batch, stop));
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      key.clear();
      if (!diff::append_key(batch, row, key) || !wanted.contains(key)) continue;
      before.by_key.emplace(key, before.rows.rows());
      before.rows.append_row(batch, row);
    }
    if (!more) break;
  }
  return before;
}

// `only`: columns that an update writes; empty = all.
Result<SampleChange> sample_change(const Samples& samples, const Samples::Sample& sample,
                                   const Before& before, const SchemaPtr& schema,
                                   const std::vector<std::size_t>& only) {
  SampleChange result{.op = std::string(to_string(sample.op)), .key = {}, .cells = {}};
  RowBatch key_row(schema);
  SLUICE_CHECK(diff::decode_key(sample.key, key_row));
  history::append_key_json(result.key, key_row, 0);
  const auto old = before.by_key.find(sample.key);
  for (std::size_t column = 0; column < schema->columns.size(); ++column) {
    if (schema->is_key(column)) continue;
    const bool written = only.empty() || std::ranges::find(only, column) != only.end();
    if (sample.op == ChangeOp::update && !written) continue;
    SampleCell cell{.column = schema->columns[column].name, .before = {}, .after = {}};
    if (sample.after_row) cell.after = cell_json(samples.after, column, *sample.after_row);
    if (old != before.by_key.end()) cell.before = cell_json(before.rows, column, old->second);
    const bool both = sample.after_row && old != before.by_key.end();
    if (both && same_cell(samples.after, *sample.after_row, before.rows, old->second, column)) continue;
    result.cells.push_back(std::move(cell));
  }
  return result;
}

// Opens the target for reading; null when there is none yet.
Result<std::unique_ptr<sql::Connection>> open_target(const std::string& database) {
  SLUICE_TRY(const auto url, sql::parse_database_url(database));
  sql::OpenOptions options;
  options.read_only = true;
  options.create = false;
  auto connection = sql::open_database(url, options);
  if (!connection && connection.error().code == ErrorCode::not_found)
    return std::unique_ptr<sql::Connection>();
  return connection;
}

Result<void> make_plan(Plan& plan, const Request& request, Environment& environment, Observer& observer,
                       std::size_t sample_limit, std::stop_token stop) {
  auto& receipt = plan.receipt;
  const auto& loader = request.loader;
  SLUICE_TRY(const auto connection, open_target(request.database));
  Target target;
  auto& found = target.found;
  if (connection) {
    connection->stop_on(stop);
    SLUICE_TRY(target, look_at_target(*connection, request));
    // A plan moves no state: where the run finds it under a new name, the plan reads the rows.
  }
  // A plan is asked for to see what is there, so it takes no short-cut where a comparison gives the same.
  // What would be written without one is written only where the sources have changed.
  const bool compares = loader.mode != LoadMode::replace && !adds_blindly(loader);
  fetch::Traffic traffic;
  const auto fetched =
      fetch_sources(request, environment, observer, compares ? nullptr : connection.get(),
                    compares ? Memory{} : memory_of(loader, found, target.custody), traffic, stop);
  receipt.requests = traffic.requests;
  receipt.bytes = traffic.bytes;
  if (!fetched) return std::unexpected(fetched.error());
  const auto& sources = *fetched;
  receipt.not_modified = sources.not_modified_count;
  if (sources.not_modified) {
    receipt.compare = "none";
    receipt.rows_before = receipt.rows_after = found.state ? found.state->live() : 0;
    if (!found.mismatch.empty()) receipt.notes.push_back(found.mismatch);
    receipt.notes.insert(receipt.notes.end(), target.custody.notes.begin(), target.custody.notes.end());
    return {};
  }
  SLUICE_TRY(auto items, probe_items(loader, sources, stop));
  if (!found.exists && nothing_to_shape(loader, items)) {
    receipt.notes = notes_on(items);
    receipt.notes.emplace_back(kNothingToShape);
    return judge_receipt(loader, receipt, std::vector<std::int64_t>(loader.sources.size(), 0), items,
                         receipt.notes);
  }
  const bool fresh = found.first_load() || !compares;
  // Rows that would stream in are compared with nothing: all of them are inserts.
  upsert::Inspection seen = found;
  if (fresh) seen.empty = true;
  SLUICE_TRY(
      auto comparison,
      compare(request, environment, observer, connection.get(), seen, items,
              {.by_columns = false, .spare_vanished = target.custody.spares_vanished(loader, found)}, stop));

  const auto& counts = comparison.summary.counts;
  receipt.compare = fresh ? "none" : comparison.by_columns() ? "columns" : "fingerprint";
  count_records(receipt, comparison.pass, counts);
  const auto live = found.known_rows() - (found.state ? found.state->soft_deleted : 0);
  receipt.rows_before = found.first_load() ? 0 : comparison.summary.rows_before.value_or(live);
  if (fresh) receipt.rows_before = found.first_load() ? 0 : live;
  receipt.vanished = fresh ? 0 : comparison.summary.vanished.value_or(0);
  receipt.deleted = loader.mode == LoadMode::replace && !found.first_load()
                        ? receipt.rows_before
                        : static_cast<std::int64_t>(comparison.changes->count(ChangeOp::remove));
  receipt.rows_after = receipt.rows_before + receipt.inserted + receipt.restored - receipt.deleted;
  receipt.schema_changes = comparison.shape.plan.schema_changes;
  // In the order in which a run says them.
  const auto note = [&](const std::string& text) {
    if (!text.empty()) receipt.notes.push_back(text);
  };
  const auto note_all = [&](const std::vector<std::string>& texts) { std::ranges::for_each(texts, note); };
  note(found.mismatch);
  note_all(comparison.shape.plan.notes);
  note_all(notes_on(items));
  note(comparison.damage);
  note(rejects_note(loader, receipt, comparison.pass));
  if (fresh && loader.mode == LoadMode::replace && target.custody.adopts)
    note(replaced_note(loader, receipt));
  if (!fresh) {
    note(unjudged_note(loader, comparison.pass));
    note(refill_note(receipt, !comparison.refill.empty()));
    const auto strangers = judge_strangers(target.custody, loader, found,
                                           {.vanished = comparison.summary.vanished,
                                            .rows_before = receipt.rows_before,
                                            .matched = receipt.updated + receipt.unchanged + receipt.ignored,
                                            .removed = receipt.deleted});
    note(strangers.note);
  }
  plan.ddl = comparison.shape.plan.ddl;

  SLUICE_TRY(const auto samples,
             take_samples(*comparison.changes, comparison.shape.plan.schema, sample_limit));
  SLUICE_TRY(const auto before, read_before(connection.get(), found, comparison, samples, stop));
  for (const auto& sample : samples.list) {
    SLUICE_TRY(auto change,
               sample_change(samples, sample, before, comparison.shape.plan.schema, comparison.refill));
    plan.samples.push_back(std::move(change));
  }
  SLUICE_CHECK(judge_receipt(loader, receipt, comparison.pass.good, items, receipt.notes));
  note_all(target.custody.notes);
  return {};
}

}  // namespace

Plan plan(const Request& request, Environment& environment, Observer& observer, std::size_t sample_limit,
          std::stop_token stop) {
  const auto started = environment.clock.steady();
  Plan result;
  auto& receipt = result.receipt;
  receipt.loader = request.loader.name;
  receipt.job = request.job.value();
  receipt.mode = to_string(request.loader.mode);
  receipt.started_at = environment.clock.now();
  receipt.catalog_hash = request.catalog_hash;
  receipt.state = "succeeded";
  if (auto made = make_plan(result, request, environment, observer, sample_limit, std::move(stop)); !made) {
    receipt.state = "failed";
    receipt.error = fail_within("loader " + request.loader.name, std::move(made).error()).error();
  }
  receipt.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(environment.clock.steady() - started).count();
  return result;
}

std::string to_json(const Plan& plan) {
  using Json = nlohmann::ordered_json;
  Json json = Json::parse(sluice::to_json(plan.receipt));
  json["ddl"] = plan.ddl;
  json["changes"] = Json::array();
  const auto value = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json::parse(text); };
  for (const auto& sample : plan.samples) {
    Json key = Json::array();
    const Json key_object = Json::parse(sample.key);
    for (const auto& [name, part] : key_object.items()) key.push_back({{"name", name}, {"value", part}});
    Json columns = Json::array();
    for (const auto& cell : sample.cells) {
      columns.push_back(
          {{"name", cell.column}, {"before", value(cell.before)}, {"after", value(cell.after)}});
    }
    json["changes"].push_back({{"op", sample.op}, {"key", std::move(key)}, {"columns", std::move(columns)}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::load
