// What a run leaves behind, written and read back.
#include "history/change_writer.h"
#include "history/query.h"
#include "history/record.h"
#include "history/reject_writer.h"
#include "history/run_key.h"
#include "history/source_state.h"
#include "sql/test_database.h"
#include "sql/transaction.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace sluice::history {
namespace {

using test::must;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Timestamp kNow{std::chrono::seconds(1'000'000'000)};

class History : public test::OnEveryDatabase {
 protected:
  void SetUp() override { must(prepare_history(*connection_)); }
  static Receipt receipt(std::int64_t job, bool applied = true, const std::string& loader = "Country") {
    Receipt made;
    made.loader = loader;
    made.job = job;
    made.state = applied ? "succeeded" : "failed";
    made.applied = applied;
    made.read = job * 10;
    made.inserted = job * 10;
    made.catalog_hash = "abc";
    made.started_at = kNow;
    return made;
  }
  static std::vector<std::int64_t> jobs_of(const std::vector<history::Run>& list) {
    std::vector<std::int64_t> jobs;
    for (const auto& one : list) jobs.push_back(one.job.value());
    return jobs;
  }
};

TEST_P(History, a_run_is_adopted_under_its_job) {
  EXPECT_FALSE(must(adopt(*connection_, JobId(7))).has_value());
  ASSERT_OK(insert_run(*connection_, receipt(7), JobId(7), kNow));
  const auto adopted = must(adopt(*connection_, JobId(7)));
  ASSERT_TRUE(adopted.has_value());
  EXPECT_EQ(adopted->loader, "Country");
  EXPECT_EQ(adopted->inserted, 70);
  EXPECT_TRUE(adopted->applied);
}

TEST_P(History, a_run_is_applied_once) {
  ASSERT_OK(insert_run(*connection_, receipt(7), JobId(7), kNow));
  auto late = receipt(7);
  late.inserted = 0;
  const auto second = insert_run(*connection_, late, JobId(7), kNow);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  late.applied = false;
  EXPECT_FALSE(insert_run(*connection_, late, JobId(7), kNow).has_value())
      << "a failure does not cover a success";
  EXPECT_EQ(must(adopt(*connection_, JobId(7)))->inserted, 70);
}

TEST_P(History, a_failed_attempt_is_not_adopted_and_gives_way_to_the_next) {
  ASSERT_OK(insert_run(*connection_, receipt(7, false), JobId(7), kNow));
  EXPECT_FALSE(must(adopt(*connection_, JobId(7))).has_value());
  EXPECT_FALSE(must(run(*connection_, JobId(7)))->receipt.applied);
  ASSERT_OK(insert_run(*connection_, receipt(7), JobId(7), kNow));
  EXPECT_TRUE(must(run(*connection_, JobId(7)))->receipt.applied);
}

TEST_P(History, a_run_that_is_rolled_back_never_happened) {
  {
    auto transaction = must(sql::Transaction::begin(*connection_));
    ASSERT_OK(insert_run(*connection_, receipt(7), JobId(7), kNow));
  }
  EXPECT_FALSE(must(adopt(*connection_, JobId(7))).has_value());
}

TEST_P(History, runs_are_listed_newest_first_and_paged_by_job) {
  for (int job = 1; job <= 5; ++job) {
    ASSERT_OK(
        insert_run(*connection_, receipt(job, job != 3, job == 2 ? "Other" : "Country"), JobId(job), kNow));
  }
  EXPECT_THAT(jobs_of(must(runs(*connection_, {}))), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(jobs_of(must(runs(*connection_, {.loader = "Country", .limit = 2}))), ElementsAre(5, 4));
  EXPECT_THAT(jobs_of(must(runs(*connection_, {.loader = "Country", .before = JobId(4)}))),
              ElementsAre(3, 1));
  EXPECT_THAT(jobs_of(must(runs(*connection_, {.loader = "Country", .applied_only = true}))),
              ElementsAre(5, 4, 1));
  EXPECT_EQ(must(runs(*connection_, {.limit = 1}))[0].finished_at, kNow);
}

TEST_P(History, runs_of_several_job_stores_are_listed_in_the_order_of_their_records) {
  const auto other = (std::int64_t{1} << kStoreShift) | 1;
  for (const std::int64_t job : {std::int64_t{1}, other, std::int64_t{2}})
    ASSERT_OK(insert_run(*connection_, receipt(job), JobId(job), kNow));
  EXPECT_THAT(jobs_of(must(runs(*connection_, {}))), ElementsAre(2, other, 1));
  EXPECT_THAT(jobs_of(must(runs(*connection_, {.before = JobId(2)}))), ElementsAre(other, 1));
}

TEST_P(History, source_states_are_kept_a_loader_and_source) {
  EXPECT_FALSE(must(source_state(*connection_, "Country", "0")).has_value());
  SourceState state{
      .table = "country", .validators = "[1]", .config_hash = "c", .generation = 3, .seen_at = kNow};
  ASSERT_OK(save_source_state(*connection_, "Country", "0", state));
  state.validators = "[2]";
  ASSERT_OK(save_source_state(*connection_, "Country", "0", state));
  const auto back = must(source_state(*connection_, "Country", "0"));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->table, "country");
  EXPECT_EQ(back->validators, "[2]");
  EXPECT_EQ(back->generation, 3);
  EXPECT_EQ(back->seen_at, kNow);
  EXPECT_FALSE(must(source_state(*connection_, "Country", "1")).has_value());
  ASSERT_OK(clear_source_states(*connection_, "Country"));
  EXPECT_FALSE(must(source_state(*connection_, "Country", "0")).has_value());
}

class Changes : public History {
 protected:
  void SetUp() override {
    History::SetUp();
    auto schema = std::make_shared<Schema>();
    schema->columns = {{.id = 1, .name = "code", .type = ValueType::text},
                       {.id = 2, .name = "n", .type = ValueType::int64},
                       {.id = 3, .name = "d", .type = ValueType::decimal}};
    schema->key = {0};
    schema_ = schema;
    before_.reset(schema_);
    after_.reset(schema_);
    before_.columns()[0].push_bytes("D\"E");
    before_.columns()[1].push_fixed(1);
    before_.columns()[2].push_bytes("1.5");
    before_.ordinals = {0};
    after_.columns()[0].push_bytes("D\"E");
    after_.columns()[1].push_fixed(9'007'199'254'740'993);
    after_.columns()[2].push_null();
    after_.ordinals = {0};
  }
  std::vector<std::string> logged(JobId job) {
    std::vector<std::string> lines;
    for (const auto& entry : must(changes(*connection_, job, 0, 100))) {
      if (!entry.key.empty()) {
        EXPECT_TRUE(nlohmann::json::accept(entry.key)) << entry.key;
      }
      if (!entry.cells.empty()) {
        EXPECT_TRUE(nlohmann::json::accept(entry.cells)) << entry.cells;
      }
      lines.push_back(entry.op + " " + entry.key + " " + entry.cells);
    }
    return lines;
  }
  void write_all(ChangeWriter& writer) {
    const std::vector<std::size_t> changed = {1, 2};
    const bool with_before = writer.wants_before();
    ASSERT_OK(writer.add({.op = ChangeOp::insert, .key = &after_, .after = &after_}));
    ASSERT_OK(writer.add({.op = ChangeOp::update,
                          .key = &after_,
                          .before = with_before ? &before_ : nullptr,
                          .after = &after_,
                          .changed = changed}));
    ASSERT_OK(
        writer.add({.op = ChangeOp::remove, .key = &before_, .before = with_before ? &before_ : nullptr}));
  }
  SchemaPtr schema_;
  RowBatch before_, after_;
};

TEST_P(Changes, full_logs_keys_and_cells) {
  ChangeWriter writer(*connection_, JobId(3), ChangeLog::full);
  write_all(writer);
  EXPECT_THAT(logged(JobId(3)),
              ElementsAre(R"(insert {"code":"D\"E"} [{"name":"n","after":"9007199254740993"}])",
                          R"(update {"code":"D\"E"} [{"name":"n","before":1,"after":"9007199254740993"},)"
                          R"({"name":"d","before":1.5,"after":null}])",
                          R"(delete {"code":"D\"E"} [{"name":"n","before":1},{"name":"d","before":1.5}])"));
}

TEST_P(Changes, keys_logs_no_cells_and_off_nothing) {
  ChangeWriter keys(*connection_, JobId(3), ChangeLog::keys);
  write_all(keys);
  EXPECT_THAT(logged(JobId(3)), ElementsAre(R"(insert {"code":"D\"E"} )", R"(update {"code":"D\"E"} )",
                                            R"(delete {"code":"D\"E"} )"));
  ChangeWriter off(*connection_, JobId(4), ChangeLog::off);
  write_all(off);
  ASSERT_OK(off.add_first_load(5));
  EXPECT_THAT(logged(JobId(4)), IsEmpty());
}

TEST_P(Changes, a_first_load_is_one_entry) {
  ChangeWriter writer(*connection_, JobId(3), ChangeLog::full);
  ASSERT_OK(writer.add_first_load(249));
  EXPECT_THAT(logged(JobId(3)), ElementsAre(R"(load  {"rows":249})"));
  ChangeWriter none(*connection_, JobId(4), ChangeLog::full);
  ASSERT_OK(none.add_first_load(0));
  EXPECT_THAT(logged(JobId(4)), IsEmpty());
}

TEST_P(Changes, are_paged_in_order) {
  ChangeWriter writer(*connection_, JobId(3), ChangeLog::keys);
  for (int i = 0; i < 4; ++i) write_all(writer);
  const auto first = must(changes(*connection_, JobId(3), 0, 5));
  ASSERT_THAT(first, SizeIs(5));
  EXPECT_THAT(must(changes(*connection_, JobId(3), first.back().seq, 100)), SizeIs(7));
}

class Rejects : public History {
 protected:
  static Reject reject(const std::string& raw, const std::string& locator = "line 1") {
    return {.stage = RejectStage::type,
            .locator = locator,
            .code = "notANumber",
            .column = "n",
            .message = "bad",
            .raw = raw};
  }
  void run_with(std::int64_t job, const std::vector<Reject>& list, const RejectSpec& spec = {},
                bool all_seen = true, Timestamp now = kNow) {
    RejectWriter writer(*connection_, JobId(job), "Country", spec, now);
    for (const auto& one : list) ASSERT_OK(writer.add(one, "0"));
    ASSERT_OK(writer.finish(all_seen));
    ASSERT_OK(insert_run(*connection_, receipt(job, false), JobId(job), now));
  }
  std::vector<KeptReject> kept(const RejectFilter& filter = {}) {
    return must(rejects(*connection_, filter));
  }
};

TEST_P(Rejects, a_record_bad_in_every_run_is_one_entry_with_a_counter) {
  run_with(1, {reject("a,b", "line 3")});
  run_with(2, {reject("a,b", "line 4"), reject("a,b", "line 9")}, {}, true, kNow + std::chrono::hours(1));
  const auto list = kept();
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0].count, 2);
  EXPECT_EQ(list[0].locator, "line 9");
  EXPECT_EQ(list[0].first_job, JobId(1));
  EXPECT_EQ(list[0].last_job, JobId(2));
  EXPECT_EQ(list[0].first_seen, kNow);
  EXPECT_EQ(list[0].last_seen, kNow + std::chrono::hours(1));
  EXPECT_EQ(list[0].stage, "type");
  EXPECT_EQ(list[0].raw, "a,b");
  EXPECT_EQ(list[0].status, "open");
}

TEST_P(Rejects, an_entry_that_does_not_come_again_is_fixed) {
  run_with(1, {reject("a"), reject("b")});
  EXPECT_EQ(must(open_rejects(*connection_, "Country")), 2);
  run_with(2, {reject("b")}, {}, false);
  EXPECT_EQ(must(open_rejects(*connection_, "Country")), 2) << "not every source was read";
  run_with(3, {reject("b")});
  EXPECT_EQ(must(open_rejects(*connection_, "Country")), 1);
  EXPECT_THAT(kept({.open_only = true}), SizeIs(1));
  run_with(4, {reject("a"), reject("b")});
  EXPECT_EQ(must(open_rejects(*connection_, "Country")), 2) << "it is open again";
}

TEST_P(Rejects, the_cap_holds_and_marks_nothing_as_fixed) {
  run_with(1, {reject("a"), reject("b"), reject("c")}, {.sample = 2});
  EXPECT_THAT(kept(), SizeIs(2));
  run_with(2, {reject("c"), reject("d"), reject("e")}, {.sample = 2});
  EXPECT_EQ(must(open_rejects(*connection_, "Country")), 4);
}

TEST_P(Rejects, the_record_is_cut_at_64_kib_or_not_kept) {
  run_with(1, {reject(std::string(100'000, 'x'))});
  EXPECT_EQ(kept()[0].raw.size(), 65'536u);
  run_with(2, {reject("secret")}, {.raw = false});
  EXPECT_EQ(kept({.after_id = kept()[0].id})[0].raw, "");
}

TEST_P(Rejects, old_entries_are_removed) {
  run_with(1, {reject("a")}, {.keep = std::chrono::hours(1)});
  run_with(2, {reject("b")}, {.keep = std::chrono::hours(1)}, true, kNow + std::chrono::hours(2));
  const auto list = kept();
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0].raw, "b");
}

TEST_P(Rejects, are_listed_for_a_job_and_paged) {
  run_with(1, {reject("a"), reject("b")});
  run_with(2, {reject("b")});
  run_with(3, {reject("b"), reject("c")});
  EXPECT_THAT(kept({.loader = "Country", .job = JobId(1)}), SizeIs(2));
  EXPECT_THAT(kept({.loader = "Country", .job = JobId(2)}), SizeIs(1));
  EXPECT_THAT(kept({.job = JobId(3)}), SizeIs(2));
  EXPECT_THAT(kept({.loader = "Other"}), IsEmpty());
  EXPECT_THAT(kept({.after_id = kept()[0].id, .limit = 1}), SizeIs(1));
}

TEST_P(Rejects, of_several_job_stores_are_told_apart) {
  const auto other = [](std::int64_t job) { return (std::int64_t{1} << kStoreShift) | job; };
  run_with(1, {reject("a")});
  run_with(other(1), {reject("b")});
  run_with(2, {reject("a")}, {}, false);
  run_with(other(2), {reject("a"), reject("b")}, {}, false);
  run_with(3, {reject("b")}, {}, false);
  const auto raw_of = [&](std::int64_t job) {
    std::vector<std::string> raw;
    for (const auto& one : kept({.loader = "Country", .job = JobId(job)})) raw.push_back(one.raw);
    return raw;
  };
  EXPECT_THAT(raw_of(1), ElementsAre("a"));
  EXPECT_THAT(raw_of(other(1)), ElementsAre("b"));
  EXPECT_THAT(raw_of(2), ElementsAre("a"));
  EXPECT_THAT(raw_of(other(2)), ElementsAre("a", "b"));
  EXPECT_THAT(raw_of(3), ElementsAre("b"));
}

TEST_P(Rejects, of_a_run_between_that_did_not_see_them_are_none) {
  run_with(1, {reject("a")});
  run_with(2, {});
  run_with(3, {reject("a")});
  EXPECT_THAT(kept({.job = JobId(2)}), IsEmpty());
  EXPECT_THAT(kept({.job = JobId(3)}), SizeIs(1));
  EXPECT_THAT(kept({.job = JobId(4)}), IsEmpty()) << "no such record";
}

TEST_P(Rejects, of_a_job_are_those_of_its_last_attempt) {
  run_with(1, {reject("a"), reject("b")});
  run_with(2, {reject("b")});
  run_with(1, {reject("b")});
  EXPECT_THAT(kept({.job = JobId(1)}), SizeIs(1));
}

TEST_P(Rejects, same_text_in_other_columns_or_sources_is_told_apart) {
  RejectWriter writer(*connection_, JobId(1), "Country", {}, kNow);
  auto one = reject("a");
  ASSERT_OK(writer.add(one, "0"));
  ASSERT_OK(writer.add(one, "1"));
  one.column = "m";
  ASSERT_OK(writer.add(one, "0"));
  EXPECT_THAT(kept(), SizeIs(3));
}

class NeverWritten : public test::OnEveryDatabase {};

TEST_P(NeverWritten, reads_as_empty_on_a_read_only_connection) {
  const auto reader = database_->connect({.read_only = true});
  EXPECT_FALSE(must(adopt(*reader, JobId(1))).has_value());
  EXPECT_FALSE(must(source_state(*reader, "a", "b")).has_value());
  EXPECT_THAT(must(runs(*reader, {})), IsEmpty());
  EXPECT_FALSE(must(run(*reader, JobId(1))).has_value());
  EXPECT_THAT(must(changes(*reader, JobId(1), 0, 10)), IsEmpty());
  EXPECT_THAT(must(rejects(*reader, {})), IsEmpty());
  EXPECT_EQ(must(open_rejects(*reader, "a")), 0);
}

INSTANTIATE_TEST_SUITE_P(Databases, History, testing::ValuesIn(test::databases()), test::database_name);
INSTANTIATE_TEST_SUITE_P(Databases, Changes, testing::ValuesIn(test::databases()), test::database_name);
INSTANTIATE_TEST_SUITE_P(Databases, Rejects, testing::ValuesIn(test::databases()), test::database_name);
INSTANTIATE_TEST_SUITE_P(Databases, NeverWritten, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::history
