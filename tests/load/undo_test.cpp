// Taking a run back: the table is what it was, what is known of it fits, and nothing of anybody else is lost.
#include "load/undo.h"

#include "base/clock.h"
#include "load/load_fixture.h"
#include "sql/database_url.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>

namespace sluice::load {
namespace {

using test::StoppingObserver;
using testing::HasSubstr;

class Undo : public testing::Test {
 protected:
  Undo() {
    loader_.name = "Part";
    loader_.target.table = "part";
    loader_.target.key = {"region", "id"};
    loader_.sources.resize(1);
    loader_.guards = {};
    loader_.guards.max_deletes.reset();
    loader_.guards.max_rejects.reset();
  }

  Request request(std::int64_t job) {
    return {.loader = loader_,
            .database = "sqlite:" + (folder_.path() / "target.db").string(),
            .job = JobId(job),
            .store = "one",
            .catalog_hash = "c",
            .definition_hash = "d",
            .force = true};
  }
  Environment environment() {
    Environment environment{
        .clock = clock_, .spool_directory = folder_.path(), .policy = {}, .user_agent = "test"};
    environment.policy.allow_any_path = true;
    return environment;
  }
  Receipt load(std::string_view json) {
    auto& source = loader_.sources.front();
    source.file = folder_.path() / "part.json";
    source.decode.format = Format::json;
    std::ofstream(source.file, std::ios::binary | std::ios::trunc) << json;
    auto here = environment();
    StoppingObserver observer(0);
    auto receipt = load::run(request(++jobs_), here, observer, observer.token());
    clock_.advance(std::chrono::minutes(1));
    EXPECT_FALSE(receipt.error) << receipt.error->describe();
    return receipt;
  }
  Receipt undo(std::int64_t of, int stop_at = 0) {
    auto here = environment();
    StoppingObserver observer(stop_at);
    auto receipt = load::undo(request(++jobs_), JobId(of), here, observer, observer.token());
    clock_.advance(std::chrono::minutes(1));
    return receipt;
  }
  std::string refused(std::int64_t of) {
    const auto before = dump();
    const auto receipt = undo(of);
    EXPECT_FALSE(receipt.applied);
    EXPECT_EQ(dump(), before);
    return receipt.error ? receipt.error->message : "it was taken back";
  }

  std::unique_ptr<sql::Connection> open() {
    return *sql::open_database(*sql::parse_database_url(request(1).database));
  }
  void by_hand(const std::string& sql) { ASSERT_TRUE(open()->execute(sql)); }
  // The rows in key order, each value as SQL writes it; soft-deleted rows carry a mark.
  std::string dump() {
    const auto connection = open();
    std::string columns;
    {
      const auto names = *connection->prepare("select name from pragma_table_info('part') order by cid");
      while (*names->step()) {
        const std::string name(names->text(0));
        columns += fmt::format("{}{}", columns.empty() ? "" : " || '|' || ",
                               name == "_deleted_at" ? "iif(_deleted_at is null, '', 'deleted')"
                                                     : fmt::format("quote(\"{}\")", name));
      }
    }
    std::string rows;
    if (columns.empty()) return rows;
    const auto select = *connection->prepare(fmt::format("select {} from part order by region, id", columns));
    while (*select->step()) rows += std::string(select->text(0)) + "\n";
    return rows;
  }
  // All that is stored of the rows must be true: a comparison by fingerprints finds nothing to do.
  void expect_at_rest(std::string_view json) {
    const auto receipt = load(json);
    EXPECT_EQ(receipt.compare, "fingerprint");
    EXPECT_EQ(receipt.inserted + receipt.updated + receipt.deleted + receipt.restored, 0) << to_json(receipt);
  }

  test::Folder folder_;
  ManualClock clock_{SystemClock().now()};
  LoaderSpec loader_;
  std::int64_t jobs_ = 0;
};

// Every type, NULLs, texts that need quoting, numbers that JavaScript would round.
constexpr std::string_view kBefore = R"([
 {"region":"DE","id":1,"name":"Ä \"quoted\"\n","price":1.10,"big":9007199254740993,"on":true,"day":"2024-01-31",
  "at":"2024-01-31T09:30:00.25Z","tags":{"b":[1,2.50],"a":null},"note":null,"real":1.5e300},
 {"region":"DE","id":2,"name":"","price":12345678901234.5,"big":-1,"on":false,"day":null,"at":null,"tags":[],
  "note":"x","real":-0.0},
 {"region":"it's","id":1,"name":"gone tomorrow","price":0.3,"big":0,"on":null,"day":"1999-12-31",
  "at":"1999-12-31T23:59:59Z","tags":null,"note":"null","real":0.1},
 {"region":"CH","id":7,"name":"stays","price":5,"big":5,"on":true,"day":"2024-02-29","at":null,"tags":{},
  "note":null,"real":2}])";
constexpr std::string_view kAfter = R"([
 {"region":"DE","id":1,"name":"changed","price":1.11,"big":9007199254740992,"on":false,"day":"2024-02-01",
  "at":null,"tags":{"a":1},"note":"now","real":null},
 {"region":"DE","id":2,"name":null,"price":null,"big":null,"on":true,"day":"2020-01-01","at":"2020-01-01T00:00:00Z",
  "tags":null,"note":null,"real":3.25},
 {"region":"FR","id":3,"name":"new","price":7.5,"big":7,"on":null,"day":null,"at":null,"tags":[1],"note":null,
  "real":1},
 {"region":"CH","id":7,"name":"stays","price":5,"big":5,"on":true,"day":"2024-02-29","at":null,"tags":{},
  "note":null,"real":2}])";

struct Kind {
  LoadMode mode;
  Vanished vanished;
};
class UndoKinds : public Undo, public testing::WithParamInterface<Kind> {};

TEST_P(UndoKinds, the_table_is_what_it_was_and_what_is_known_of_it_fits) {
  loader_.mode = GetParam().mode;
  loader_.vanished = GetParam().vanished;
  load(kBefore);
  const auto before = dump();
  const auto run = load(kAfter);
  const auto after = dump();
  ASSERT_NE(before, after);
  const auto undone = undo(run.job);
  ASSERT_FALSE(undone.error) << undone.error->describe();
  EXPECT_TRUE(undone.applied);
  EXPECT_TRUE(undone.balanced());
  EXPECT_EQ(undone.mode, "undo");
  EXPECT_EQ(dump(), before);

  // The undo is a run like others, and can be taken back.
  const auto again = undo(undone.job);
  ASSERT_FALSE(again.error) << again.error->describe();
  EXPECT_EQ(dump(), after);
  ASSERT_FALSE(undo(again.job).error);
  EXPECT_EQ(dump(), before);
  expect_at_rest(kBefore);
  EXPECT_EQ(dump(), before);
}

INSTANTIATE_TEST_SUITE_P(AllKinds, UndoKinds,
                         testing::Values(Kind{LoadMode::sync, Vanished::keep},
                                         Kind{LoadMode::sync, Vanished::soft_delete},
                                         Kind{LoadMode::sync, Vanished::remove},
                                         Kind{LoadMode::upsert, Vanished::keep},
                                         Kind{LoadMode::append, Vanished::keep}));

TEST_F(Undo, rows_that_came_back_are_marked_again) {
  loader_.vanished = Vanished::soft_delete;
  load(kBefore);
  load(kAfter);
  const auto marked = dump();
  const auto back = load(kBefore);
  EXPECT_EQ(back.restored, 1);
  const auto undone = undo(back.job);
  ASSERT_FALSE(undone.error) << undone.error->describe();
  EXPECT_EQ(dump(), marked);
  expect_at_rest(kAfter);
}

TEST_F(Undo, a_first_load_leaves_an_empty_table) {
  const auto first = load(kBefore);
  const auto undone = undo(first.job);
  ASSERT_FALSE(undone.error) << undone.error->describe();
  EXPECT_EQ(undone.deleted, 4);
  EXPECT_EQ(dump(), "");
  EXPECT_THAT(refused(first.job), HasSubstr("already, by job 2"));
  EXPECT_EQ(load(kBefore).inserted, 4);
}

TEST_F(Undo, rows_that_later_runs_changed_are_named) {
  loader_.vanished = Vanished::remove;
  load(kBefore);
  const auto bad = load(kAfter);
  const auto later = load(kBefore);
  EXPECT_THAT(refused(bad.job),
              HasSubstr(fmt::format("job {}: update {{\"region\":\"DE\",\"id\":1}}", later.job)));
  EXPECT_THAT(refused(1), HasSubstr("Take those runs back first"));
  // From the last one on, each can be.
  EXPECT_FALSE(undo(later.job).error);
  EXPECT_FALSE(undo(bad.job).error);
  expect_at_rest(kBefore);
}

TEST_F(Undo, what_a_hand_has_changed_since_is_not_lost) {
  load(kBefore);
  const auto run = load(kAfter);
  by_hand("update part set name = 'mine' where region = 'DE' and id = 1");
  EXPECT_THAT(refused(run.job), HasSubstr(R"({"region":"DE","id":1})"));
  by_hand("update part set name = 'changed' where region = 'DE' and id = 1");
  by_hand("update part set note = 'mine' where region = 'FR'");
  EXPECT_THAT(refused(run.job), HasSubstr("FR")) << "a row that would be deleted";
}

TEST_F(Undo, rows_put_in_by_hand_are_left_alone) {
  load(kBefore);
  const auto before = dump();
  const auto run = load(kAfter);
  by_hand("insert into part (region, id, name) values ('AA', 1, 'by hand')");
  const auto undone = undo(run.job);
  ASSERT_FALSE(undone.error) << undone.error->describe();
  EXPECT_THAT(dump(), HasSubstr("by hand"));
  by_hand("delete from part where region = 'AA'");
  EXPECT_EQ(dump(), before);
}

TEST_F(Undo, an_empty_table_is_not_made_of_one_with_others_rows) {
  const auto first = load(kBefore);
  by_hand("insert into part (region, id, name) values ('AA', 1, 'by hand')");
  EXPECT_THAT(refused(first.job), HasSubstr("has 5 rows, the run left 4"));
}

TEST_F(Undo, what_the_log_does_not_tell_is_refused) {
  load(kBefore);
  loader_.change_log = ChangeLog::keys;
  EXPECT_THAT(refused(load(kAfter).job), HasSubstr("changeLog: keys"));
  loader_.change_log = ChangeLog::off;
  EXPECT_THAT(refused(load(kBefore).job), HasSubstr("changeLog: off"));
  loader_.change_log = ChangeLog::full;
  EXPECT_THAT(refused(load(kBefore).job), HasSubstr("changed nothing"));
  EXPECT_THAT(refused(99), HasSubstr("job 99 wrote nothing"));
  loader_.mode = LoadMode::replace;
  EXPECT_THAT(refused(load(kAfter).job), HasSubstr("replaced the whole table"));
}

TEST_F(Undo, a_wider_column_takes_the_old_values_back) {
  load(R"([{"region":"DE","id":1,"v":1},{"region":"DE","id":2,"v":2}])");
  const auto run = load(R"([{"region":"DE","id":1,"v":5},{"region":"DE","id":2,"v":"x"}])");
  const auto undone = undo(run.job);
  ASSERT_FALSE(undone.error) << undone.error->describe();
  EXPECT_EQ(dump(), "'DE'|1|'1'\n'DE'|2|'2'\n");
}

TEST_F(Undo, is_done_once_whenever_it_is_stopped) {
  load(kBefore);
  const auto before = dump();
  const auto run = load(kAfter);
  const auto after = dump();
  bool through = false;
  for (int at = 1; at < 50 && !through; ++at) {
    const auto stopped = undo(run.job, at);
    through = stopped.applied;
    EXPECT_EQ(dump(), through ? before : after);
    EXPECT_EQ(stopped.state, through ? "succeeded" : "deleted");
  }
  ASSERT_TRUE(through);
  // The same job once more, as after a crash between its commit and its end.
  auto here = environment();
  StoppingObserver observer(0);
  const auto adopted = load::undo(request(jobs_), JobId(run.job), here, observer, observer.token());
  EXPECT_TRUE(adopted.applied);
  EXPECT_EQ(adopted.updated, 2);
  EXPECT_EQ(dump(), before);
}

}  // namespace
}  // namespace sluice::load
