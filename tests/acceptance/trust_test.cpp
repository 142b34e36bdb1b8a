// What a run may believe: the table somebody has edited, the receipt that stands under its job's id, the same
// bytes under an edited definition.
#include "acceptance/site.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace sluice::test {
namespace {

constexpr const char* kLoader =
    "name: Item\nschedule: manual\nsource: {file: ../in/item.json}\nkey: id\nload: {vanished: delete}\n";
constexpr const char* kRows = R"([{"id":1,"v":"a"},{"id":2,"v":"b"},{"id":3,"v":"c"},{"id":4,"v":"d"}])";

class Trust : public testing::Test {
 protected:
  void SetUp() override {
    site_.write_loader("Item", kLoader);
    site_.write("in/item.json", kRows);
    ASSERT_EQ(site_.run("Item").receipt["inserted"], 4);
  }
  void edit_table(const std::string& sql) {
    const auto done = test::run({"sqlite3", "data/sluice.db", sql}, site_.path());
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  void expect_repaired() {
    const auto run = site_.run("Item");
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.receipt["notModified"], 0);
    expect_balanced(run.receipt);
    EXPECT_EQ(site_.query("select id || '=' || v from item order by id"),
              (std::vector<std::string>{"1=a", "2=b", "3=c", "4=d"}));
  }
  Site site_;
};

TEST_F(Trust, a_table_thinned_out_by_hand_is_repaired_by_the_next_run) {
  edit_table("delete from item where id < 4");
  expect_repaired();
}

TEST_F(Trust, an_emptied_table_is_repaired_by_the_next_run) {
  edit_table("delete from item");
  expect_repaired();
}

TEST_F(Trust, a_dropped_table_is_repaired_by_the_next_run) {
  edit_table("drop table item");
  expect_repaired();
}

TEST_F(Trust, a_dropped_column_is_repaired_by_the_next_run) {
  edit_table("alter table item drop column v");
  expect_repaired();
}

TEST_F(Trust, a_restored_job_store_does_not_take_old_receipts_for_its_own) {
  namespace fs = std::filesystem;
  site_.write("in/item.json", R"([{"id":1,"v":"A"},{"id":2,"v":"b"},{"id":3,"v":"c"},{"id":4,"v":"d"}])");
  fs::create_directories(site_.path() / "backup");
  fs::copy_file(site_.data() / "jobs.db", site_.path() / "backup/jobs.db");
  ASSERT_EQ(site_.run("Item").receipt["updated"], 1);
  site_.write("in/item.json", R"([{"id":1,"v":"A"},{"id":2,"v":"B"},{"id":3,"v":"c"},{"id":4,"v":"d"}])");
  for (const auto* file : {"jobs.db", "jobs.db-wal", "jobs.db-shm"}) fs::remove(site_.data() / file);
  fs::copy_file(site_.path() / "backup/jobs.db", site_.data() / "jobs.db");
  EXPECT_EQ(site_.run("Item").receipt["updated"], 1)
      << "the id was given before, to a job that loaded something else";
  EXPECT_EQ(site_.query("select v from item where id = 2"), std::vector<std::string>{"B"});
}

TEST_F(Trust, an_edited_definition_does_not_append_the_same_bytes_twice) {
  const std::string log =
      "name: Log\nschedule: manual\nsource: {file: ../in/item.json}\nload: {mode: append}\n";
  site_.write_loader("Log", log);
  ASSERT_EQ(site_.run("Log").receipt["inserted"], 4);
  site_.write_loader("Log", log + "description: the same, but for these words\n");
  EXPECT_EQ(site_.run("Log").receipt["notModified"], 1);
  EXPECT_EQ(site_.count("log"), 4);
}

TEST_F(Trust, a_run_that_a_guard_stopped_closes_no_rejects) {
  site_.write_loader("Typed",
                     "name: Typed\nschedule: manual\nsource: {file: ../in/typed.json}\nkey: id\n"
                     "columns: {id: {type: int64}, n: {type: int64}}\n");
  site_.write("in/typed.json", R"([{"id":1,"n":1},{"id":2,"n":"x"}])");
  const auto first = site_.run("Typed");
  ASSERT_EQ(first.receipt["rejected"], 1);
  ASSERT_EQ(first.receipt["notes"].size(), 1u) << "the reason of the first reject is told";
  EXPECT_NE(first.receipt["notes"][0].get<std::string>().find("1 of 2 records rejected"), std::string::npos);
  site_.write("in/typed.json", "[]");
  EXPECT_EQ(site_.run("Typed").exit_code, 4);
  EXPECT_EQ(site_.query("select status from _sluice_reject where loader = 'Typed'"),
            std::vector<std::string>{"open"});
}

TEST_F(Trust, a_run_that_was_rolled_back_says_of_no_table_that_it_made_it) {
  site_.write_loader("Never",
                     "name: Never\nschedule: manual\nsource: {file: ../in/never.json}\nkey: id\n"
                     "guards: {minimumExpectedRecords: 5}\n");
  site_.write("in/never.json", R"([{"id":1}])");
  const auto run = site_.run("Never");
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.receipt["applied"], false);
  EXPECT_TRUE(run.receipt["schemaChanges"].empty()) << run.receipt["schemaChanges"].dump();
  EXPECT_EQ(run.receipt["inserted"], 1) << "the counts are those of the plan";
  EXPECT_EQ(site_.query("select receipt like '%created table%' from _sluice_run where loader = 'Never'"),
            std::vector<std::string>{"0"});
  EXPECT_FALSE(site_.sluice({"plan", "Never"}).out.find("create table") == std::string::npos)
      << "a plan tells what would be made";
}

TEST_F(Trust, what_is_kept_of_old_runs_goes_in_batches) {
  edit_table(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) "
      "insert into _sluice_run select i + 1000, i + 1000, 'Item', 1, 'succeeded', 1, i, i, '', 2, 2, receipt "
      "from n, (select receipt from _sluice_run limit 1); "
      "insert into _sluice_change select job, s, 'insert', '{}', '' from _sluice_run, (select 1 as s union "
      "select 2) where job > 1000");
  const auto runs = [&] { return std::stoi(site_.query("select count(*) from _sluice_run").front()); };
  int before = runs();
  for (int i = 0; i < 8; ++i) {
    site_.write("in/item.json", std::string(kRows).replace(14, 1, std::to_string(i)));
    ASSERT_EQ(site_.run("Item").receipt["updated"], 1);
    EXPECT_LE(before + 1 - runs(), 50) << "a batch at most";
    before = runs();
  }
  EXPECT_EQ(before, 101) << "the newest hundred, and the first load, which is not old";
  EXPECT_EQ(site_.query("select count(*) from _sluice_run where job > 1000 and changes_kept > 0"),
            std::vector<std::string>{"2"})
      << "of the newest ten with changes";
  EXPECT_EQ(site_.query("select count(*) from _sluice_run r where changes_kept <> (select count(*) from "
                        "_sluice_change c where c.job = r.job)"),
            std::vector<std::string>{"0"});
}

TEST_F(Trust, an_empty_first_source_is_for_the_guards_to_judge) {
  site_.write("in/empty.json", "[]");
  const std::string loader = "name: Empty\nschedule: manual\nsource: {file: ../in/empty.json}\nkey: id\n";
  site_.write_loader("Empty", loader);
  const auto refused = site_.run("Empty");
  EXPECT_EQ(refused.exit_code, 4) << refused.err;
  EXPECT_EQ(refused.receipt["error"]["code"], "guard");
  site_.write_loader("Empty", loader + "guards: {minimumExpectedRecords: 0}\n");
  const auto passed = site_.run("Empty");
  EXPECT_EQ(passed.exit_code, 0) << passed.err;
  EXPECT_EQ(passed.receipt["read"], 0);
  site_.write("in/empty.json", R"([{"id":1}])");
  EXPECT_EQ(site_.run("Empty").receipt["inserted"], 1);
}

TEST_F(Trust, a_name_with_quotes_loads_like_any_other) {
  site_.write_loader("quoted",
                     "name: 'Rates \"daily\"'\nschedule: manual\nsource: {file: ../in/item.json}\nkey: id\n");
  EXPECT_EQ(site_.run("Rates \"daily\"").receipt["inserted"], 4);
}

}  // namespace
}  // namespace sluice::test
