// What somebody did to the database with another program, and how the next run finds and repairs it, in each
// mode; also where Sluice's own tables were the victims.
#include "acceptance/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using Rows = std::vector<std::string>;

struct Edit {
  const char* name;
  const char* sql;
};
// The loaders write to a table that has its key by an index of its own, as tables have that were there
// before.
constexpr Edit kEdits[] = {
    {"dropped_column", "alter table item drop column v"},
    {"renamed_column", "alter table item rename column v to w"},
    {"dropped_index", "drop index item_key"},
    {"retyped_column",
     "create table copy (id integer, v integer, n integer); insert into copy select id, v, n from item; "
     "drop table item; alter table copy rename to item"},
    {"emptied", "delete from item"},
    {"thinned_out", "delete from item where id > 1"},
    {"states_emptied", "delete from _sluice_table"},
    {"fingerprints_emptied", "delete from _sluice_fingerprint"},
    {"fingerprints_damaged", "update _sluice_fingerprint set data = x'0102'"},
    {"fingerprints_thinned_out", "update _sluice_fingerprint set entries = 3"},
    {"states_dropped", "drop table _sluice_table"},
    {"fingerprints_dropped", "drop table _sluice_fingerprint"},
    {"versions_dropped", "drop table _sluice_migration"},
    {"versions_emptied", "delete from _sluice_migration"},
    {"runs_dropped", "drop table _sluice_run"},
    {"changes_dropped", "drop table _sluice_change"},
    {"rejects_dropped", "drop table _sluice_reject; drop table _sluice_reject_span"},
    {"sources_dropped", "drop table _sluice_source"},
    {"stores_dropped", "drop table _sluice_store"},
    {"all_of_ours_dropped",
     "drop table _sluice_table; drop table _sluice_fingerprint; drop table _sluice_migration; drop table "
     "_sluice_run; drop table _sluice_change; drop table _sluice_reject; drop table _sluice_reject_span; "
     "drop "
     "table _sluice_source; drop table _sluice_store"},
    {"dropped", "drop table item"},
};

struct Load {
  const char* name;
  const char* yaml;
};
constexpr Load kLoads[] = {
    {"sync_keep", "load: {mode: sync}\n"},
    {"sync_delete", "load: {mode: sync, vanished: delete}\n"},
    {"sync_softDelete", "load: {mode: sync, vanished: softDelete}\n"},
    {"upsert", "load: {mode: upsert}\n"},
    {"append", "load: {mode: append}\n"},
    {"replace", "load: {mode: replace}\n"},
};

void PrintTo(const Load& load, std::ostream* out) { *out << load.name; }

class HandEdit : public testing::TestWithParam<Load> {
 protected:
  void edit(const std::string& sql) const {
    const auto done = test::run({"sqlite3", "data/sluice.db", sql}, site_.path());
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  void load_first() const {
    site_.write("in/item.json", kSource);
    site_.write_loader(
        "Item", std::string("name: Item\nschedule: manual\nsource: {file: ../in/item.json}\n"
                            "key: id\ncolumns: {id: {type: int64}, v: {type: text}, n: {type: int64}}\n") +
                    GetParam().yaml);
    ASSERT_EQ(test::run({"mkdir", "-p", "data"}, site_.path()).exit_code, 0);
    edit("create table item (id integer, v text, n integer)");
    ASSERT_EQ(site_.run("Item").receipt["inserted"], 4);
  }
  Rows rows() const {
    return site_.query("select id || '=' || coalesce(v, 'NULL') || n from item order by id");
  }
  static constexpr const char* kSource =
      R"([{"id":1,"v":"007","n":1},{"id":2,"v":"b","n":2},{"id":3,"v":"c","n":3},{"id":4,"v":"d","n":4}])";
  Site site_;
};

TEST_P(HandEdit, is_repaired_by_the_next_run) {
  const std::string mode = GetParam().name;
  load_first();
  for (const Edit& hand : kEdits) {
    // An append keeps the values that rows have, whatever made them so.
    if (mode == "append" && std::string(hand.name) == "retyped_column") continue;
    SCOPED_TRACE(hand.name);
    edit(hand.sql);
    const auto run = site_.run("Item");
    ASSERT_EQ(run.exit_code, 0) << run.err << run.receipt.dump();
    expect_balanced(run.receipt);
    const Rows expected = {"1=0071", "2=b2", "3=c3", "4=d4"};
    ASSERT_EQ(rows(), expected) << run.receipt.dump();
    auto again = site_.run("Item");
    if (again.receipt["notModified"] == 0) {
      EXPECT_EQ(again.receipt["updated"], 0) << again.receipt.dump();
      EXPECT_EQ(rows(), expected);
      again = site_.run("Item");
    }
    EXPECT_EQ(again.receipt["notModified"], 1) << "and then all is as ever";
    if (std::string(hand.name) == "dropped") continue;  // a table of our own has the key as its row number
    EXPECT_EQ(site_.query("select count(*) from pragma_index_list('item') where \"unique\" = 1"), Rows{"1"});
  }
}

std::string load_name(const testing::TestParamInfo<Load>& load) { return load.param.name; }
INSTANTIATE_TEST_SUITE_P(Modes, HandEdit, testing::ValuesIn(kLoads), load_name);

class AppendRepair : public testing::Test {
 protected:
  void edit(const std::string& sql) const {
    const auto done = test::run({"sqlite3", "data/sluice.db", sql}, site_.path());
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  Site site_;
};

TEST_F(AppendRepair, fills_the_lost_column_alone) {
  site_.write_loader(
      "Log", "name: Log\nschedule: manual\nsource: {file: ../in/log.json}\nkey: id\nload: {mode: append}\n");
  site_.write("in/log.json", R"([{"id":1,"v":"a","n":1},{"id":2,"v":"b","n":2},{"id":3,"v":"c","n":3}])");
  ASSERT_EQ(site_.run("Log").receipt["inserted"], 3);
  edit("alter table log drop column v");
  // Row 1 has changed since, row 2 has no value now, row 3 is gone, row 4 is new.
  site_.write(
      "in/log.json",
      R"([{"id":1,"v":"early","n":77},{"id":1,"v":"a","n":88},{"id":2,"v":null,"n":2},{"id":4,"v":"d","n":4}])");
  const auto plan = json_lines(site_.sluice({"plan", "Log", "--json"}).out).at(0);
  EXPECT_EQ(plan["updated"], 1);
  const auto run = site_.run("Log");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  expect_balanced(run.receipt);
  EXPECT_EQ(run.receipt["updated"], 1);
  EXPECT_EQ(run.receipt["ignored"], 1);
  EXPECT_EQ(run.receipt["duplicates"], 1);
  EXPECT_EQ(run.receipt["inserted"], 1);
  EXPECT_THAT(run.receipt["notes"].dump(), HasSubstr("1 known rows got back"));
  EXPECT_EQ(site_.query("select id, v, n from log order by id"),
            (Rows{"1|a|1", "2|NULL|2", "3|NULL|3", "4|d|4"}))
      << "an append changes no value that is there";
  EXPECT_EQ(site_.query("select cells from _sluice_change where op = 'update'"),
            Rows{R"([{"name":"v","before":null,"after":"a"}])"});
  // Its fingerprints are exact again: a sync finds what differs, and nothing else.
  site_.write_loader("Log", "name: Log\nschedule: manual\nsource: {file: ../in/log.json}\nkey: id\n");
  const auto sync = site_.run("Log");
  EXPECT_EQ(sync.receipt["updated"], 1);
  EXPECT_EQ(sync.receipt["unchanged"], 2);
  EXPECT_EQ(site_.query("select n from log where id = 1"), Rows{"88"});
}

TEST_F(AppendRepair, without_a_key_says_what_it_cannot_repair) {
  site_.write_loader("Log",
                     "name: Log\nschedule: manual\nsource: {file: ../in/log.json}\nload: {mode: append}\n");
  site_.write("in/log.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])");
  ASSERT_EQ(site_.run("Log").receipt["inserted"], 2);
  edit("alter table log drop column v");
  const auto run = site_.run("Log");
  EXPECT_EQ(run.receipt["notModified"], 1);
  EXPECT_THAT(run.receipt["notes"].dump(), HasSubstr("column v of table log was dropped by hand"));
  site_.write("in/log.json", R"([{"id":3,"v":"c"}])");
  EXPECT_EQ(site_.run("Log").receipt["inserted"], 1);
  EXPECT_EQ(site_.query("select id, v from log order by id"), (Rows{"1|NULL", "2|NULL", "3|c"}));
}

}  // namespace
}  // namespace sluice::test
