// Tables to which somebody gave things that no loader makes: columns, triggers, foreign keys, rows without a
// key. What a run does with them is right, or it says what stands in its way.
#include "acceptance/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Rows = std::vector<std::string>;

class HandMade : public testing::Test {
 protected:
  HandMade() {
    load("load: {vanished: delete}\nguards: {maxDeletes: off}\n");
    site_.write("item.csv", "id,v\n1,a\n2,b\n3,c\n");
    EXPECT_EQ(site_.run("Item").receipt["inserted"], 3);
  }
  void load(const std::string& more) const {
    site_.write_loader("Item", "name: Item\nschedule: manual\nsource: {file: ../item.csv}\nkey: id\n" + more);
  }
  void edit(const std::string& sql) const {
    const auto done = test::run({"sqlite3", "data/sluice.db", sql}, site_.path());
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  Json run() const {
    const auto planned = json_lines(site_.sluice({"plan", "Item", "--json"}).out).at(0);
    auto run = site_.run("Item");
    EXPECT_EQ(run.exit_code, 0) << run.receipt.dump();
    for (const auto* part : {"inserted", "updated", "deleted", "rowsBefore", "rowsAfter", "notes"}) {
      EXPECT_EQ(planned.at(part), run.receipt.at(part)) << part << " as planned";
    }
    expect_balanced(run.receipt);
    return run.receipt;
  }
  std::string failed() const {
    const auto run = site_.run("Item");
    EXPECT_EQ(run.exit_code, 1) << run.receipt.dump();
    EXPECT_EQ(run.receipt["error"]["retryable"], false);
    return run.receipt["error"].dump();
  }
  Rows rows() const { return site_.query("select * from item order by id"); }
  Site site_;
};

TEST_F(HandMade, a_column_that_stood_there_takes_the_values_of_the_source) {
  edit("alter table item add column z text; update item set z = 'hand'");
  site_.write("item.csv", "id,v,z\n1,a,\n2,b,z2\n3,c,hand\n");
  const auto first = run();
  EXPECT_EQ(first["updated"], 2) << "one gets another value, and one gets none";
  EXPECT_EQ(first["unchanged"], 1);
  EXPECT_EQ(rows(), (Rows{"1|a|NULL", "2|b|z2", "3|c|hand"}));
  site_.write("item.csv", "id,v,z\n1,a,\n2,b,z2\n3,c,z3\n");
  EXPECT_EQ(run()["updated"], 1);
}

TEST_F(HandMade, a_column_with_a_default_is_empty_where_the_source_has_nothing) {
  edit("alter table item add column z text default 'none'");
  site_.write("item.csv", "id,v,z\n1,a,\n2,b,z2\n3,c,\n4,d,\n");
  EXPECT_EQ(run()["updated"], 3);
  EXPECT_EQ(rows(), (Rows{"1|a|NULL", "2|b|z2", "3|c|NULL", "4|d|NULL"}));
}

TEST_F(HandMade, a_trigger_that_keeps_a_row_is_told) {
  site_.write("item.csv", "id,v\n1,a\n2,new\n3,c\n");
  edit("create trigger keep before update on item begin select raise(ignore); end");
  EXPECT_THAT(failed(), AllOf(HasSubstr("id = 2"), HasSubstr("a trigger left it as it was"),
                              Not(HasSubstr("by hand"))));
  edit("drop trigger keep; create trigger keep before delete on item begin select raise(ignore); end");
  site_.write("item.csv", "id,v\n1,a\n3,c\n");
  EXPECT_THAT(failed(), AllOf(HasSubstr("does not let go of the row with id = 2"), HasSubstr("a trigger")));
  load("load: {mode: replace}\n");
  EXPECT_THAT(failed(), HasSubstr("does not let go of its rows: a trigger kept some of them"));
  EXPECT_EQ(rows(), (Rows{"1|a", "2|b", "3|c"}));
}

TEST_F(HandMade, a_row_that_others_refer_to_is_named) {
  edit("create table other (item integer references item (id)); insert into other values (2)");
  site_.write("item.csv", "id,v\n1,a\n3,c\n");
  EXPECT_THAT(failed(), AllOf(HasSubstr("table item"), HasSubstr("does not let go of the row with id = 2"),
                              HasSubstr("FOREIGN KEY"), HasSubstr("vanished: keep")));
  load("load: {mode: replace}\n");
  EXPECT_THAT(failed(), AllOf(HasSubstr("does not let go of its rows"), HasSubstr("FOREIGN KEY")));
  EXPECT_EQ(rows(), (Rows{"1|a", "2|b", "3|c"}));
}

TEST_F(HandMade, what_a_run_that_failed_has_found_is_not_forgotten) {
  edit("delete from item where id = 2");
  site_.write("item.csv", "id,v\n1,\"a\n");
  EXPECT_EQ(site_.run("Item").exit_code, 1);
  edit("insert into item values (9, 'x')");  // as many rows as the last load has left
  site_.write("item.csv", "id,v\n1,a\n2,b\n3,c\n");
  const auto next = run();
  EXPECT_EQ(next["inserted"], 1);
  EXPECT_EQ(next["deleted"], 1);
  EXPECT_THAT(next["notes"].dump(), HasSubstr("was changed by hand, as an earlier run has found"));
  EXPECT_EQ(rows(), (Rows{"1|a", "2|b", "3|c"}));
  EXPECT_EQ(site_.run("Item").receipt["notModified"], 1);
}

TEST_F(HandMade, rows_without_a_key_count_and_stay) {
  edit(
      "create table copy (id integer, v text); insert into copy select * from item; "
      "insert into copy values (null, 'x'), (null, 'y'); drop table item; alter table copy rename to item");
  site_.write("item.csv", "id,v\n1,a\n2,new\n4,d\n");
  const auto first = run();
  EXPECT_EQ(first["rowsBefore"], 5);
  EXPECT_EQ(first["rowsAfter"], 5);
  EXPECT_THAT(first["notes"].dump(), HasSubstr("2 rows without a value in the key"));
  EXPECT_EQ(rows(), (Rows{"NULL|x", "NULL|y", "1|a", "2|new", "4|d"}));
  site_.write("item.csv", "id,v\n1,a\n2,b\n4,d\n");
  const auto second = run();
  EXPECT_EQ(second["updated"], 1);
  EXPECT_EQ(second["compare"], "fingerprint") << "nothing is damaged";
  EXPECT_EQ(second["notes"], Json::array());
  EXPECT_EQ(second["rowsAfter"], 5);
}

}  // namespace
}  // namespace sluice::test
