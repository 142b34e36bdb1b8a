#include "app/survey.h"

#include "app/key_candidates.h"
#include "load/comparison.h"
#include "load/pass.h"
#include "load/sources.h"

#include <algorithm>
#include <utility>

namespace sluice::app {
namespace {

// 45 pairs of the ten likeliest columns, 35 triples of the seven likeliest.
constexpr std::size_t kPairedColumns = 10;
constexpr std::size_t kTripledColumns = 7;

// Follows groups of columns, and counts the empty cells of each column.
class SurveySink final : public load::RowSink {
 public:
  SurveySink(std::vector<ColumnGroup> groups, std::size_t columns)
      : groups_(std::move(groups)), empty_(columns, 0) {}

  Result<void> rows(const RowBatch& batch, const diff::HashedRows&) override {
    groups_.add(batch);
    for (std::size_t i = 0; i < empty_.size(); ++i) {
      const auto& null = batch.columns()[i].null;
      empty_[i] += std::count_if(null.begin(), null.end(), [](auto flag) { return flag != 0; });
    }
    return {};
  }
  Result<void> rejected_keys(const diff::HashedRows&) override { return {}; }

  const UniqueGroups& groups() const { return groups_; }
  std::int64_t empty(std::size_t column) const { return empty_[column]; }

 private:
  UniqueGroups groups_;
  std::vector<std::int64_t> empty_;
};

// Reads a source that was fetched and looked into, as often as it takes.
class Surveyor {
 public:
  Surveyor(const load::Request& request, load::Environment& environment, load::Observer& observer,
           std::vector<load::ProbedItem> items, std::stop_token stop)
      : request_(request),
        environment_(environment),
        observer_(observer),
        items_(std::move(items)),
        stop_(std::move(stop)) {}

  Result<Survey> run() {
    // Columns, types and encodings as a first run would settle them: with nothing to compare with.
    upsert::Inspection nothing;
    nothing.empty = true;
    SLUICE_TRY(const auto settled,
               load::compare(request_, environment_, observer_, nullptr, nothing, items_, {}, stop_));
    const auto& schema = settled.shape.plan.schema;
    const auto& mapping = settled.shape.mapping;
    SurveySink sink(groups_of(likely_keys(*schema, request_.loader.name), 1), schema->columns.size());
    SLUICE_TRY(const auto pass, read(schema, mapping, sink));
    return finish(schema, mapping, pass, sink);
  }

  // Nothing but names can be told of a source without a record.
  Survey of_names() const {
    Survey survey;
    for (const auto& item : items_) {
      for (const auto& field : item.probe.columns) add_without_values(survey, field.name);
    }
    return survey;
  }

 private:
  Result<load::PassResult> read(const SchemaPtr& schema, const load::Mapping& mapping, SurveySink& sink) {
    return load::read_all(request_, items_, schema, load::pass_options(mapping), observer_, sink, stop_);
  }

  static void add_without_values(Survey& survey, const std::string& name) {
    const bool known = std::any_of(survey.columns.begin(), survey.columns.end(),
                                   [&](const auto& column) { return column.column.from == name; });
    if (known) return;
    SurveyedColumn column;
    column.column.name = column.column.from = name;
    column.has_values = false;
    survey.columns.push_back(std::move(column));
  }

  Result<Survey> finish(const SchemaPtr& schema, const load::Mapping& mapping, const load::PassResult& pass,
                        const SurveySink& sink) {
    Survey survey;
    survey.records = pass.read - pass.rejected;
    survey.rejected = pass.rejected;
    survey.compared = sink.groups().rows();
    auto keys = sink.groups().unique();
    for (std::size_t i = 0; i < schema->columns.size(); ++i) {
      const bool unique = std::find(keys.begin(), keys.end(), ColumnGroup{i}) != keys.end();
      survey.columns.push_back(
          {.column = schema->columns[i], .empty = sink.empty(i), .has_values = true, .unique = unique});
    }
    for (const auto& field : of_names().columns) add_without_values(survey, field.column.from);
    for (std::size_t size = 2; keys.empty() && size <= 3; ++size) {
      auto columns = likely_keys(*schema, request_.loader.name);
      std::erase_if(columns, [&](std::size_t column) { return sink.empty(column) > 0; });
      columns.resize(std::min(columns.size(), size == 2 ? kPairedColumns : kTripledColumns));
      SurveySink groups(groups_of(columns, size), schema->columns.size());
      SLUICE_TRY(const auto again, read(schema, mapping, groups));
      static_cast<void>(again);
      keys = groups.groups().unique();
      survey.compared = groups.groups().rows();
    }
    for (const auto& group : keys) {
      std::vector<std::string> names;
      names.reserve(group.size());
      for (const auto column : group) names.push_back(schema->columns[column].name);
      survey.keys.push_back(std::move(names));
    }
    return survey;
  }

  const load::Request& request_;
  load::Environment& environment_;
  load::Observer& observer_;
  std::vector<load::ProbedItem> items_;
  std::stop_token stop_;
};

}  // namespace

Result<Survey> survey(const load::Request& request, load::Environment& environment, load::Observer& observer,
                      std::stop_token stop) {
  LoaderSpec spec = request.loader;
  spec.mode = LoadMode::append;
  spec.target.key.clear();
  const load::Request keyless{.loader = spec,
                              .database = request.database,
                              .job = {},
                              .store = {},
                              .catalog_hash = {},
                              .definition_hash = {}};
  fetch::Traffic traffic;
  SLUICE_TRY(const auto sources,
             load::fetch_sources(keyless, environment, observer, nullptr, {}, traffic, stop));
  SLUICE_TRY(auto items, load::probe_items(spec, sources, stop));
  const bool no_record = load::nothing_to_shape(spec, items);
  Surveyor surveyor(keyless, environment, observer, std::move(items), stop);
  if (no_record) return surveyor.of_names();
  return surveyor.run();
}

}  // namespace sluice::app
