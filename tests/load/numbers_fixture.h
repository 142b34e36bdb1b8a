// Loads of small texts into one table, and what is in it afterwards.
#pragma once

#include "base/clock.h"
#include "load/load_fixture.h"
#include "load/run.h"
#include "sql/database_url.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::load::test {

class NumbersFixture : public ::testing::Test {
 protected:
  NumbersFixture() : clock_(SystemClock().now()) {
    loader_.name = "Part";
    loader_.target.table = "part";
    loader_.target.key = {"id"};
    loader_.mode = LoadMode::upsert;
    loader_.sources.resize(1);
    loader_.guards.max_rejects.reset();
  }

  // The format is told by the first character: [ or { is JSON.
  Receipt load(std::string_view text, bool force = true) {
    const bool json = text.starts_with('[') || text.starts_with('{');
    auto& source = loader_.sources.front();
    source.file = folder_.path() / (json ? "part.json" : "part.csv");
    source.decode.format = json ? Format::json : Format::csv;
    std::ofstream(source.file, std::ios::binary | std::ios::trunc) << text;
    Environment environment{
        .clock = clock_, .spool_directory = folder_.path(), .policy = {}, .user_agent = "test"};
    environment.policy.allow_any_path = true;
    const Request request{.loader = loader_,
                          .database = database(),
                          .job = JobId(++jobs_),
                          .catalog_hash = "c",
                          .definition_hash = "d",
                          .force = force};
    StoppingObserver observer(0);
    auto receipt = load::run(request, environment, observer, observer.token());
    clock_.advance(std::chrono::minutes(1));
    return receipt;
  }
  // A load that must work; its counts as "+1 ~0 -0 =0".
  std::string loaded(std::string_view text) {
    const auto receipt = load(text);
    if (receipt.error) return receipt.error->describe();
    return fmt::format("+{} ~{} -{} ={}", receipt.inserted, receipt.updated, receipt.deleted,
                       receipt.unchanged);
  }
  std::string refused(std::string_view text) {
    const auto receipt = load(text);
    return receipt.error ? receipt.error->describe() : "it was loaded";
  }

  std::vector<std::string> select(std::string_view sql) {
    const auto connection = sql::open_database(*sql::parse_database_url(database()));
    auto rows = (*connection)->prepare(sql);
    std::vector<std::string> all;
    if (!rows) return {rows.error().describe()};
    while (*(*rows)->step()) {
      std::string row;
      for (int i = 0; i < (*rows)->column_count(); ++i) {
        const auto value = (*rows)->column(i);
        if (i > 0) row += '|';
        switch (value.kind) {
          case sql::Kind::null:
            row += "NULL";
            break;
          case sql::Kind::integer:
            row += fmt::format("{}", value.integer);
            break;
          case sql::Kind::real:
            row += fmt::format("{}", value.real);  // the shortest text of this very double
            break;
          default:
            row += value.bytes;
        }
      }
      all.push_back(std::move(row));
    }
    return all;
  }
  std::string type_of(const std::string& column) {
    const auto found = select("select type from pragma_table_info('part') where name = '" + column + "'");
    return found.empty() ? "no such column" : found.front();
  }
  void declare(const std::string& name, ValueType type, int precision = 0, int scale = 0) {
    loader_.target.columns.push_back({.name = name, .type = type, .precision = precision, .scale = scale});
  }

  std::string database() const { return "sqlite:" + (folder_.path() / "target.db").string(); }

  Folder folder_;
  ManualClock clock_;
  LoaderSpec loader_;
  int jobs_ = 0;
};

}  // namespace sluice::load::test
