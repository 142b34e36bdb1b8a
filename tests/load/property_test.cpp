// Random tables, sources, modes, mappings and histories, with damage by hand between the loads: what a load
// does is what the plain reference does.
//
// SLUICE_PROPERTY_CASES says how many (default 500), SLUICE_SEED where they begin; a failure names its case,
// and SLUICE_PROPERTY_CASES=1 SLUICE_SEED=CASE runs it alone.
#include "base/clock.h"
#include "load/load_fixture.h"
#include "load/record_maker.h"
#include "load/reference_table.h"
#include "load/run.h"
#include "load/source_text.h"
#include "load/stored_content.h"
#include "load/vandal.h"
#include "sql/database_url.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

namespace sluice::load::test {
namespace {

constexpr int kShards = 10;

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

class Case {
 public:
  Case(const Folder& folder, std::uint64_t number)
      : folder_(folder),
        number_(number),
        random_(number * 2'654'435'761u + 17),
        table_({}),
        clock_(SystemClock().now()) {
    choose_columns();
    choose_load();
  }

  void play() {
    RecordMaker maker(random_, key_, values_, keys_);
    std::vector<std::vector<Record>> versions;
    const int runs = 3 + below(random_, 3);
    for (int run = 0; run < runs && !::testing::Test::HasFailure(); ++run) {
      choose_evolving();
      if (versions.empty()) {
        versions.push_back(maker.fresh(size_, evolving_));
      } else if (versions.size() > 1 && chance(random_, 35)) {
        versions.push_back(versions[versions.size() - 2]);  // back again
      } else {
        versions.push_back(maker.later(versions.back(), evolving_));
      }
      if (chance(random_, 20)) maker.spoil(versions.back(), spoilt_);
      if (chance(random_, 3)) versions.back().clear();
      load(versions.back());
      if (chance(random_, 15)) load_again();
    }
  }

 private:
  void choose_columns() {
    if (!chance(random_, 20)) {
      static const std::vector<std::vector<SourceColumn>> shapes = {
          {{"id", Kind::integer}},
          {{"code", Kind::text}},
          {{"id", Kind::integer}},
          {{"id", Kind::integer}, {"code", Kind::text}},
          {{"code", Kind::text}, {"day", Kind::date}, {"id", Kind::integer}},
          {{"amount", Kind::decimal}},
          {{"day", Kind::date}},
          {{"amount", Kind::decimal}, {"code", Kind::text}}};
      key_ = shapes[random_() % shapes.size()];
    }
    static constexpr std::array kinds = {Kind::integer, Kind::decimal,   Kind::real, Kind::boolean,
                                         Kind::date,    Kind::timestamp, Kind::text};
    const int values = 2 + below(random_, 4);  // a line of one empty CSV field would be a blank line
    for (int i = 0; i < values; ++i) {
      values_.push_back({fmt::format("c{}", i), kinds[random_() % kinds.size()]});
      if (values_.back().kind == Kind::integer) spoilt_ = values_.back().name;
    }
    const int size = below(random_, 100);
    size_ = size < 60   ? below(random_, 30)
            : size < 97 ? 40 + below(random_, 160)
                        : 1500 + below(random_, 8000);
    keys_ = std::max(4, size_ * (chance(random_, 50) ? 5 : 1));
    static const std::vector<std::vector<Kind>> paths = {{Kind::integer, Kind::decimal, Kind::text},
                                                         {Kind::boolean, Kind::text},
                                                         {Kind::date, Kind::timestamp, Kind::text},
                                                         {Kind::date, Kind::text},
                                                         {Kind::integer, Kind::real, Kind::text},
                                                         {Kind::decimal, Kind::real, Kind::text},
                                                         {Kind::text},
                                                         {}};
    path_ = paths[random_() % paths.size()];
  }

  void choose_load() {
    loader_.name = fmt::format("case{}", number_);
    loader_.target.table = fmt::format("t{}", number_);
    std::vector<std::string> names;
    for (const auto& column : key_) loader_.target.key.push_back(column.name);
    for (const auto* columns : {&key_, &values_}) {
      for (const auto& column : *columns) {
        loader_.target.columns.push_back({.name = column.name, .type = type_of(column.kind)});
        if (column.kind == Kind::decimal) loader_.target.columns.back().precision = 15;
        if (column.kind == Kind::decimal) loader_.target.columns.back().scale = 4;
      }
    }
    choose_mode();
    if (chance(random_, 10)) loader_.memory_limit = 64 << 10;
    loader_.change_log = static_cast<ChangeLog>(below(random_, 3));
    loader_.guards.max_rejects.reset();
    if (!chance(random_, 25)) loader_.guards.max_deletes.reset();
    if (chance(random_, 50)) loader_.guards.minimum_expected_records = 0;
    loader_.sources.resize(1);
    table_ = ReferenceTable(loader_.target.key);
  }

  void choose_mode() {
    static constexpr std::array keyed = {LoadMode::sync,   LoadMode::sync,   LoadMode::sync,
                                         LoadMode::upsert, LoadMode::append, LoadMode::replace};
    loader_.mode = key_.empty() ? (chance(random_, 60) ? LoadMode::append : LoadMode::replace)
                                : keyed[random_() % keyed.size()];
    loader_.vanished = chance(random_, 40) ? Vanished::soft_delete : static_cast<Vanished>(below(random_, 3));
  }

  static ValueType type_of(Kind kind) {
    switch (kind) {
      case Kind::integer:
        return ValueType::int64;
      case Kind::decimal:
        return ValueType::decimal;
      case Kind::real:
        return ValueType::real;
      case Kind::boolean:
        return ValueType::boolean;
      case Kind::date:
        return ValueType::date;
      case Kind::timestamp:
        return ValueType::timestamp;
      case Kind::text:
        return ValueType::text;
    }
    return ValueType::text;
  }

  // Other names in the source for some of the columns.
  void choose_fields() {
    for (auto& column : loader_.target.columns) {
      if (chance(random_, 30)) column.from = column.from.empty() ? "in " + column.name : "";
    }
  }

  Vandal vandal(sql::Connection& connection) { return {random_, connection, loader_.target.table, key_}; }

  // The column comes, gets wider types, goes, and comes back.
  void choose_evolving() {
    evolving_.reset();
    if (!path_.empty() && !chance(random_, 25)) evolving_ = path_[random_() % path_.size()];
  }

  void write(const std::vector<Record>& records) {
    SourceShape shape;
    shape.columns = key_;
    shape.columns.insert(shape.columns.end(), values_.begin(), values_.end());
    for (std::size_t i = 0; i < shape.columns.size(); ++i)
      shape.columns[i].field = loader_.target.columns[i].from;
    const bool has_evolving =
        std::ranges::any_of(records, [](const auto& record) { return record.row.contains(kEvolving); });
    if (has_evolving || chance(random_, 20)) shape.columns.push_back({kEvolving, Kind::text, false});
    shape.format = chance(random_, 50) ? Format::csv : chance(random_, 60) ? Format::json : Format::ndjson;
    if (shape.format == Format::ndjson && records.empty()) shape.format = Format::csv;
    shape.nested = shape.format == Format::json && chance(random_, 30);
    text_ = write_source(records, shape, spoilt_, random_);
    auto& source = loader_.sources.front();
    source.file = folder_.path() / fmt::format("{}.{}", number_, to_string(shape.format));
    source.decode.format = chance(random_, 50) ? shape.format : Format::automatic;
    source.decode.records = shape.nested ? "data.items" : "";
    source.decode.csv.delimiter = ',';
    source.decode.csv.header = true;
    std::ofstream(source.file, std::ios::binary | std::ios::trunc) << text_;
  }

  std::string hash() const {
    const auto& source = loader_.sources.front();
    std::string fields;
    for (const auto& column : loader_.target.columns) fields += column.from + ",";
    return fmt::format("{} {} {} {} {} {}", to_string(loader_.mode), to_string(loader_.vanished),
                       source.file.string(), to_string(source.decode.format), source.decode.records, fields);
  }

  Receipt run(JobId job, StoppingObserver& observer, bool force = false) {
    Environment environment{
        .clock = clock_, .spool_directory = folder_.path(), .policy = {}, .user_agent = "test"};
    environment.policy.allow_any_path = true;
    const Request request{.loader = loader_,
                          .database = "sqlite:" + (folder_.path() / "target.db").string(),
                          .job = job,
                          .catalog_hash = "c",
                          .definition_hash = hash(),
                          .force = force};
    return load::run(request, environment, observer, observer.token());
  }

  JobId next_job() { return JobId(static_cast<std::int64_t>(number_) * 1000 + ++jobs_); }

  void load(const std::vector<Record>& records) {
    if (!key_.empty() && chance(random_, 15)) choose_mode();
    if (chance(random_, 15)) choose_fields();
    write(records);
    SCOPED_TRACE(fmt::format("case {}, job {}, {} {}, {} records, {}", number_, jobs_ + 1,
                             to_string(loader_.mode), to_string(loader_.vanished), records.size(),
                             loader_.sources.front().file.extension().string()));
    const std::string struck = jobs_ > 0 && chance(random_, 15) ? vandal(*open()).strike(table_) : "";
    SCOPED_TRACE("by hand: " + struck);
    const bool by_hand = !struck.empty();
    const std::string damage = jobs_ > 0 && chance(random_, 5) ? vandal(*open()).damage_state() : "";
    SCOPED_TRACE("to the state: " + damage);
    if (chance(random_, 20) && !by_hand && stopped(records)) return;
    const auto job = next_job();
    StoppingObserver observer(0);
    const auto receipt = run(job, observer);
    if (text_ == loaded_text_ && hash() == loaded_hash_ && !by_hand) return expect_not_modified(receipt);
    expect(receipt, table_.load(records, loader_));
    if (receipt.applied) remember();
    // A run that found nothing to do has left no record to adopt: done again, it finds the same.
    if (chance(random_, 10) && receipt.applied && receipt.not_modified == 0) expect_adopted(job, receipt);
    clock_.advance(std::chrono::minutes(1));
  }

  // True when there is nothing left to do: the stop came too late.
  bool stopped(const std::vector<Record>& records) {
    SCOPED_TRACE("stopped");
    StoppingObserver observer(1 + below(random_, 12));
    const auto receipt = run(next_job(), observer);
    if (receipt.state == "deleted") {
      EXPECT_FALSE(receipt.applied);
      EXPECT_TRUE(receipt.error && receipt.error->code == ErrorCode::cancelled);
      EXPECT_EQ(stored(), table_.content());
      return false;
    }
    if (text_ == loaded_text_ && hash() == loaded_hash_) {
      expect_not_modified(receipt);
    } else {
      expect(receipt, table_.load(records, loader_));
      if (receipt.applied) remember();
    }
    return true;
  }

  void remember() {
    loaded_text_ = text_;
    loaded_hash_ = hash();
  }

  // The same bytes once more: no work, or, if forced, the comparison finds no difference.
  void load_again() {
    SCOPED_TRACE(fmt::format("case {}, again after job {}", number_, jobs_));
    if (text_ != loaded_text_ || hash() != loaded_hash_) return;
    StoppingObserver observer(0);
    const bool compares = loader_.mode == LoadMode::sync || loader_.mode == LoadMode::upsert;
    if (!compares || chance(random_, 50)) {
      clock_.advance(std::chrono::hours(2));  // the full check is due, and finds nothing
      return expect_not_modified(run(next_job(), observer));
    }
    const auto receipt = run(next_job(), observer, true);
    EXPECT_EQ(receipt.state, "succeeded");
    EXPECT_EQ(receipt.inserted + receipt.updated + receipt.deleted + receipt.restored, 0);
    EXPECT_EQ(receipt.unchanged, receipt.read - receipt.duplicates - receipt.rejected);
    EXPECT_EQ(stored(), table_.content());
  }

  void expect_not_modified(const Receipt& receipt) {
    EXPECT_EQ(receipt.state, "succeeded");
    EXPECT_EQ(receipt.not_modified, 1);
    EXPECT_EQ(receipt.read, 0);
    EXPECT_EQ(stored(), table_.content());
  }

  void expect_adopted(JobId job, const Receipt& first) {
    SCOPED_TRACE("adopted");
    StoppingObserver observer(0);
    fs::remove(loader_.sources.front().file);  // not even looked at
    const auto receipt = run(job, observer);
    EXPECT_EQ(to_json(receipt), to_json(first));
    EXPECT_EQ(stored(), table_.content());
    std::ofstream(loader_.sources.front().file, std::ios::binary) << text_;
  }

  void expect(const Receipt& receipt, const Receipt& wanted) {
    SCOPED_TRACE(receipt.error ? receipt.error->describe() : "no error");
    EXPECT_EQ(receipt.state, wanted.state);
    EXPECT_EQ(receipt.applied, wanted.applied);
    if (!wanted.applied) {
      EXPECT_TRUE(receipt.error && receipt.error->code == ErrorCode::guard);
    }
    EXPECT_TRUE(receipt.balanced()) << to_json(receipt);
    EXPECT_EQ(receipt.read, wanted.read);
    EXPECT_EQ(receipt.inserted, wanted.inserted);
    EXPECT_EQ(receipt.updated, wanted.updated) << changes();
    EXPECT_EQ(receipt.deleted, wanted.deleted);
    EXPECT_EQ(receipt.restored, wanted.restored);
    EXPECT_EQ(receipt.unchanged, wanted.unchanged);
    EXPECT_EQ(receipt.vanished, wanted.vanished);
    EXPECT_EQ(receipt.rejected, wanted.rejected);
    EXPECT_EQ(receipt.duplicates, wanted.duplicates);
    EXPECT_EQ(receipt.ignored, wanted.ignored);
    EXPECT_EQ(receipt.rows_before, wanted.rows_before);
    EXPECT_EQ(receipt.rows_after, wanted.rows_after);
    EXPECT_EQ(stored(), table_.content());
  }

  std::unique_ptr<sql::Connection> open() const {
    auto connection =
        sql::open_database(*sql::parse_database_url("sqlite:" + (folder_.path() / "target.db").string()));
    EXPECT_TRUE(connection.has_value());
    return std::move(*connection);
  }

  // What the run says that it changed, for failures.
  std::string changes() const {
    const auto connection = open();
    auto select = connection->prepare(
        "select op || ' ' || key || ' ' || cells from _sluice_change where job = ? limit 20");
    std::string text;
    if (!select) return text;
    (*select)->bind_int64(1, static_cast<std::int64_t>(number_) * 1000 + jobs_);
    while (*(*select)->step()) text += std::string((*select)->text(0)) + "\n";
    return text;
  }

  Content stored() const { return stored_content(*open(), loader_.target.table); }

  const Folder& folder_;
  std::uint64_t number_;
  Random random_;
  ReferenceTable table_;
  ManualClock clock_;
  LoaderSpec loader_;
  std::vector<SourceColumn> key_;
  std::vector<SourceColumn> values_;
  std::string spoilt_;      // a declared number, "" = none
  std::vector<Kind> path_;  // types that the evolving column takes
  std::optional<Kind> evolving_;
  int size_ = 0;
  int keys_ = 0;
  int jobs_ = 0;
  std::string text_;
  std::string loaded_text_;  // by the last run that was applied
  std::string loaded_hash_;
};

class Property : public ::testing::TestWithParam<int> {};

TEST_P(Property, loads_do_what_the_reference_does) {
  const auto cases = number_from("SLUICE_PROPERTY_CASES", 500);
  const auto first = number_from("SLUICE_SEED", 1);
  Folder folder;
  for (auto number = static_cast<std::uint64_t>(GetParam()); number < cases; number += kShards) {
    Case(folder, first + number).play();
    ASSERT_FALSE(HasFailure()) << "again: SLUICE_PROPERTY_CASES=1 SLUICE_SEED=" << first + number;
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, Property, ::testing::Range(0, kShards));

}  // namespace
}  // namespace sluice::load::test
