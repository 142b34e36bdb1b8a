// What a run says while it works: one line a step, in the order of the steps, with the figures.
#include "base/clock.h"
#include "load/load_fixture.h"
#include "load/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

namespace sluice::load::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Keeps the lines and the progress as they came.
class Listener final : public Observer {
 public:
  void progress(const Progress& progress) override { seen.push_back(progress); }
  void log(Level level, std::string_view text) override {
    lines.emplace_back(text);
    levels.push_back(level);
  }
  std::vector<Progress> seen;
  std::vector<std::string> lines;
  std::vector<Level> levels;
};

class RunLog : public testing::Test {
 protected:
  RunLog() {
    loader.name = "Things";
    loader.sources.resize(1);
    loader.sources.front().file = folder.path() / "things.json";
    loader.target.table = "things";
    loader.target.key = {"id"};
    loader.guards.minimum_expected_records = 2;
  }

  void write(const std::string& text) {
    std::ofstream(loader.sources.front().file, std::ios::binary | std::ios::trunc) << text;
  }

  Receipt run() {
    heard = {};
    Environment environment{
        .clock = clock, .spool_directory = folder.path(), .policy = {}, .user_agent = "test"};
    environment.policy.allow_any_path = true;
    const Request request{.loader = loader,
                          .database = "sqlite:" + (folder.path() / "target.db").string(),
                          .job = JobId(++job),
                          .catalog_hash = "c",
                          .definition_hash = "d"};
    return load::run(request, environment, heard, {});
  }

  Folder folder;
  LoaderSpec loader;
  Listener heard;
  ManualClock clock{SystemClock().now()};
  std::int64_t job = 0;
};

constexpr const char* kThree = R"([{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}])";

TEST_F(RunLog, a_first_load_tells_its_steps_in_order) {
  write(kThree);
  ASSERT_EQ(run().state, "succeeded");
  EXPECT_THAT(
      heard.lines,
      ElementsAre("load Things into table things: mode sync, key id", "read things.json: 1 file, 61 bytes",
                  "things.json: json, records found at $, 2 fields in 3 records",
                  "first load: the rows go straight into the table", "created table things",
                  "3 records read: 3 inserted", "guard minimumExpectedRecords: 3, the limit is 2: ok",
                  "guard maxRejects: 0 of 3 (0%), the limit is 1%: ok",
                  "guard maxDeletes: 0, the limit is 10%: ok",
                  "committed: table things has 3 rows, generation 1", "succeeded in 0 ms"));
}

TEST_F(RunLog, a_day_later_it_tells_what_changed) {
  write(kThree);
  run();
  write(R"([{"id":1,"name":"a"},{"id":2,"name":"B"},{"id":4,"name":"d","size":7}])");
  ASSERT_EQ(run().state, "succeeded");
  EXPECT_THAT(
      heard.lines,
      ElementsAre("load Things into table things: mode sync, key id", "read things.json: 1 file, 70 bytes",
                  "things.json: json, records found at $, 3 fields in 3 records",
                  "compared with the fingerprints of 3 rows", HasSubstr("added column size"),
                  "3 records read: 1 inserted, 1 updated, 1 unchanged; 1 vanished from the source, 0 deleted",
                  "guard minimumExpectedRecords: 3, the limit is 2: ok",
                  "guard maxRejects: 0 of 3 (0%), the limit is 1%: ok",
                  "guard maxDeletes: 0 of 3 (0%), the limit is 10%: ok",
                  "committed: table things has 4 rows, generation 2", "succeeded in 0 ms"));
}

TEST_F(RunLog, the_same_bytes_say_why_nothing_was_done) {
  write(kThree);
  run();
  const auto receipt = run();
  EXPECT_EQ(receipt.not_modified, 1);
  EXPECT_THAT(heard.lines, ElementsAre("load Things into table things: mode sync, key id",
                                       "read things.json: not modified, the bytes are those of the last load",
                                       "the sources are unchanged since the last load: nothing to do",
                                       "succeeded in 0 ms"));
}

TEST_F(RunLog, rejects_and_breached_guards_are_told) {
  write(R"([{"id":1,"name":"a"},{"id":null,"name":"b"}])");
  loader.guards.max_rejects = Limit{0, false};
  const auto receipt = run();
  EXPECT_EQ(receipt.state, "failed");
  EXPECT_THAT(heard.lines, testing::Contains("2 records read: 1 inserted, 1 rejected"));
  const auto breached = std::ranges::find_if(
      heard.lines, [](const std::string& line) { return line.starts_with("guard maxRejects"); });
  ASSERT_NE(breached, heard.lines.end());
  EXPECT_THAT(*breached, testing::EndsWith("the limit is 0: breached"));
  EXPECT_EQ(heard.levels[static_cast<std::size_t>(breached - heard.lines.begin())], Observer::Level::error);
  EXPECT_THAT(heard.lines.back(), "failed after 0 ms; nothing was written");
  EXPECT_THAT(heard.lines, Not(testing::Contains(HasSubstr("committed"))));
}

TEST_F(RunLog, progress_names_the_phase_and_the_totals) {
  write(kThree);
  run();
  ASSERT_FALSE(heard.seen.empty());
  EXPECT_EQ(heard.seen.back().phase, Observer::Phase::apply) << "a first load writes while it reads";
  EXPECT_EQ(heard.seen.back().rows, 3);
  EXPECT_EQ(heard.seen.back().total_bytes, 61);
  write(R"([{"id":1,"name":"A"},{"id":2,"name":"B"},{"id":3,"name":"c"}])");
  run();
  EXPECT_EQ(heard.seen.front().phase, Observer::Phase::compare);
  EXPECT_EQ(heard.seen.back().phase, Observer::Phase::apply);
  EXPECT_EQ(heard.seen.back().total_rows, 2) << "two changes are to be applied";
  EXPECT_EQ(heard.seen.back().rows, 2);
}

}  // namespace
}  // namespace sluice::load::test
