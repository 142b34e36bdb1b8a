// Whose table it is: a loader that was renamed, a table that was renamed, a table that was there before.
#include "acceptance/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string notes_of(const Json& receipt) { return receipt["notes"].dump(); }

class Ownership : public testing::Test {
 protected:
  static std::string loader(const std::string& name, const std::string& more = "",
                            const std::string& key = "key: id\n") {
    return "name: " + name + "\nschedule: manual\nsource: {file: ../in/rows.json}\n" + key + more;
  }
  void SetUp() override { std::filesystem::create_directories(site_.data()); }
  void edit(const std::string& sql) const {
    const auto done = test::run({"sqlite3", "data/sluice.db", sql}, site_.path());
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  void rename_file(const std::string& from, const std::string& to) const {
    std::filesystem::rename(site_.definitions() / (from + ".loader.yaml"),
                            site_.definitions() / (to + ".loader.yaml"));
  }
  std::vector<std::string> rows(const std::string& table) const {
    return site_.query("select id || '=' || v from " + table + " order by id");
  }
  std::string owner(const std::string& table) const {
    return site_.query("select loader from _sluice_table where table_name = '" + table + "'").at(0);
  }
  using Rows = std::vector<std::string>;
  Site site_;
};

TEST_F(Ownership, a_renamed_loader_takes_its_table_over) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"},{"id":3,"v":"c"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\nload: {vanished: delete}\n"));
  ASSERT_EQ(site_.run("R").receipt["inserted"], 3);
  site_.write_loader("R", loader("R2", "target: {table: r}\nload: {vanished: delete}\n"));
  const auto plan = site_.sluice({"plan", "R2", "--json"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("over from loader R, which is not defined any more"));
  EXPECT_EQ(owner("r"), "R") << "a plan writes nothing";
  const auto run = site_.run("R2");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["unchanged"], 3);
  EXPECT_EQ(run.receipt["inserted"], 0);
  EXPECT_EQ(run.receipt["compare"], "fingerprint") << "what is known of the rows is carried over";
  EXPECT_THAT(notes_of(run.receipt),
              HasSubstr("took table r over from loader R, which is not defined any more"));
  expect_balanced(run.receipt);
  EXPECT_EQ(owner("r"), "R2");
  const auto again = site_.run("R2");
  EXPECT_EQ(again.receipt["notModified"], 1);
  EXPECT_THAT(notes_of(again.receipt), Not(HasSubstr("took")));
}

TEST_F(Ownership, pinned_types_outlive_a_new_name) {
  site_.write("in/rows.json", R"([{"id":1,"v":"007"},{"id":2,"v":"x"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  site_.write("in/rows.json", R"([{"id":1,"v":7},{"id":2,"v":8}])");
  site_.write_loader("R", loader("R2", "target: {table: r}\n"));
  const auto run = site_.run("R2");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(rows("r"), (Rows{"1=7", "2=8"}));
  EXPECT_EQ(site_.query("select typeof(v) from r limit 1"), Rows{"text"});
}

TEST_F(Ownership, the_run_that_takes_over_removes_nothing_and_the_next_one_judges) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"},{"id":3,"v":"c"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\nload: {vanished: delete}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  site_.write("in/rows.json", R"([{"id":1,"v":"A"},{"id":2,"v":"b"}])");
  site_.write_loader("R", loader("R2", "target: {table: r}\nload: {vanished: delete}\n"));
  const auto run = site_.run("R2");
  EXPECT_EQ(run.receipt["updated"], 1);
  EXPECT_EQ(run.receipt["deleted"], 0);
  EXPECT_EQ(run.receipt["vanished"], 1);
  EXPECT_THAT(notes_of(run.receipt), HasSubstr("the next one"));
  EXPECT_EQ(rows("r"), (Rows{"1=A", "2=b", "3=c"}));
  const auto next = site_.run("R2");
  EXPECT_EQ(next.receipt["deleted"], 1) << "though the source is the same";
  EXPECT_EQ(rows("r"), (Rows{"1=A", "2=b"}));
  EXPECT_EQ(site_.run("R2").receipt["notModified"], 1);
}

TEST_F(Ownership, a_table_whose_rows_are_of_another_load_keeps_them) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"},{"id":3,"v":"c"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  std::filesystem::remove(site_.definitions() / "R.loader.yaml");
  site_.write("in/rows.json", R"([{"id":8,"v":"x"},{"id":9,"v":"y"}])");
  const std::string yaml = loader("Other", "target: {table: r}\nload: {vanished: delete}\n");
  site_.write_loader("Other", yaml);
  for (int run = 0; run < 3; ++run) {
    site_.write("in/rows.json", R"([{"id":8,"v":"x"},{"id":9,"v":"y)" + std::to_string(run) + R"("}])");
    const auto held = site_.run("Other");
    EXPECT_EQ(held.receipt["deleted"], 0);
    EXPECT_THAT(notes_of(held.receipt), HasSubstr("maxDeletes: 3"));
    EXPECT_EQ(site_.count("r"), 5);
  }
  site_.write_loader("Other", yaml + "guards: {maxDeletes: 3}\n");
  EXPECT_EQ(site_.run("Other").receipt["deleted"], 3);
  EXPECT_EQ(site_.count("r"), 2);
}

TEST_F(Ownership, another_key_means_a_comparison_by_columns) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\nload: {vanished: delete}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":3,"v":"c"}])");
  site_.write_loader("R", loader("R2", "target: {table: r}\nload: {vanished: delete}\n", "key: v\n"));
  const auto run = site_.run("R2");
  ASSERT_EQ(run.exit_code, 0) << run.err << run.receipt.dump();
  EXPECT_EQ(run.receipt["compare"], "columns");
  EXPECT_EQ(run.receipt["unchanged"], 1);
  EXPECT_EQ(run.receipt["inserted"], 1);
  EXPECT_EQ(run.receipt["deleted"], 0);
  EXPECT_EQ(rows("r"), (Rows{"1=a", "2=b", "3=c"}));
  EXPECT_EQ(site_.run("R2").receipt["deleted"], 1);
}

TEST_F(Ownership, a_renamed_append_without_a_key_does_not_load_the_same_bytes_twice) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\nload: {mode: append}\n", ""));
  ASSERT_EQ(site_.run("R").receipt["inserted"], 2);
  site_.write_loader("R", loader("R2", "target: {table: r}\nload: {mode: append}\n", ""));
  const auto run = site_.run("R2");
  EXPECT_EQ(run.receipt["notModified"], 1);
  EXPECT_THAT(notes_of(run.receipt), HasSubstr("took table r over"));
  EXPECT_EQ(site_.count("r"), 2);
  EXPECT_EQ(owner("r"), "R2");
  EXPECT_EQ(site_.run("R2").receipt["notModified"], 1);
  site_.write("in/rows.json", R"([{"id":3,"v":"c"}])");
  EXPECT_EQ(site_.run("R2").receipt["inserted"], 1);
  EXPECT_EQ(site_.count("r"), 3);
}

TEST_F(Ownership, rejects_go_on_under_the_new_name) {
  const std::string more = "target: {table: r}\ncolumns: {id: {type: int64}, v: {type: int64}}\n";
  site_.write("in/rows.json", R"([{"id":1,"v":1},{"id":2,"v":"x"}])");
  site_.write_loader("R", loader("R", more));
  ASSERT_EQ(site_.run("R").receipt["rejected"], 1);
  site_.write_loader("R", loader("R2", more));
  ASSERT_EQ(site_.run("R2").receipt["rejected"], 1);
  EXPECT_EQ(site_.query("select loader, status, seen from _sluice_reject"), Rows{"R2|open|2"});
}

TEST_F(Ownership, a_dropped_table_is_free_for_a_renamed_loader) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  edit("drop table r");
  site_.write_loader("R", loader("R2", "target: {table: r}\n"));
  const auto run = site_.run("R2");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["inserted"], 1);
  EXPECT_EQ(owner("r"), "R2");
}

TEST_F(Ownership, two_loaders_of_one_table_are_an_error_that_names_both_files) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  // Two databases by their definitions, one by the command line.
  site_.write_loader("R", loader("R", "target: {table: r, database: 'sqlite:../data/a.db'}\n"));
  site_.write_loader("S", loader("S", "target: {table: r, database: 'sqlite:../data/b.db'}\n"));
  ASSERT_EQ(site_.run("R", {"--database", "sqlite:data/sluice.db"}).exit_code, 0);
  const auto run = site_.run("S", {"--database", "sqlite:data/sluice.db"});
  EXPECT_NE(run.exit_code, 0);
  EXPECT_EQ(run.receipt["error"]["code"], "alreadyExists");
  const auto message = run.receipt["error"]["message"].get<std::string>();
  EXPECT_THAT(message, HasSubstr("R.loader.yaml"));
  EXPECT_THAT(message, HasSubstr("S.loader.yaml"));
  EXPECT_THAT(message, HasSubstr("target.table"));
  EXPECT_EQ(owner("r"), "R");
}

TEST_F(Ownership, a_broken_file_may_still_define_the_owner) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  site_.write_loader("R", loader("R", "target: {table: [}\n"));
  site_.write_loader("S", loader("S", "target: {table: r}\n"));
  const auto run = site_.run("S");
  EXPECT_NE(run.exit_code, 0);
  EXPECT_THAT(run.receipt["error"]["message"].get<std::string>(), HasSubstr("R.loader.yaml"));
  EXPECT_EQ(owner("r"), "R");
}

TEST_F(Ownership, a_loader_that_moved_on_leaves_its_table_to_others) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  site_.write_loader("R", loader("R", "target: {table: other}\n"));
  const auto moved = site_.run("R");
  EXPECT_EQ(moved.receipt["inserted"], 2);
  EXPECT_THAT(notes_of(moved.receipt), HasSubstr("loaded table r until now: its 2 rows stay as they are"));
  EXPECT_EQ(rows("r"), (Rows{"1=a", "2=b"}));
  EXPECT_THAT(notes_of(site_.run("R").receipt), Not(HasSubstr("until now")));
  EXPECT_THAT(site_.sluice({"show", "R"}).out, HasSubstr("table other"));
  site_.write_loader("S", loader("S", "target: {table: r}\n"));
  const auto taken = site_.run("S");
  EXPECT_EQ(taken.exit_code, 0) << taken.err;
  EXPECT_EQ(taken.receipt["unchanged"], 2);
  EXPECT_THAT(notes_of(taken.receipt), HasSubstr("which loads other now"));
  EXPECT_EQ(site_.run("R").receipt["notModified"], 1) << "what it knows of its sources is its own";
}

TEST_F(Ownership, a_way_back_to_the_old_table_reads_what_was_missed) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  const auto to = [&](const std::string& table) {
    site_.write_loader("R", loader("R", "target: {table: " + table + "}\nload: {mode: append}\n", ""));
    return site_.run("R").receipt;
  };
  ASSERT_EQ(to("one")["inserted"], 1);
  site_.write("in/rows.json", R"([{"id":2,"v":"b"}])");
  ASSERT_EQ(to("two")["inserted"], 1);
  EXPECT_EQ(to("one")["inserted"], 1) << "the bytes were loaded into another table";
  EXPECT_EQ(rows("one"), (Rows{"1=a", "2=b"}));
}

TEST_F(Ownership, a_table_renamed_together_with_its_definition_keeps_what_is_known_of_it) {
  site_.write("in/rows.json", R"([{"id":1,"v":"007"},{"id":2,"v":"b"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\nload: {vanished: delete}\n"));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  edit("alter table r rename to renamed");
  site_.write_loader("R", loader("R", "target: {table: renamed}\nload: {vanished: delete}\n"));
  site_.write("in/rows.json", R"([{"id":1,"v":7}])");
  EXPECT_EQ(site_.sluice({"plan", "R"}).exit_code, 0);
  const auto run = site_.run("R");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["compare"], "fingerprint");
  EXPECT_EQ(run.receipt["updated"], 1);
  EXPECT_EQ(run.receipt["deleted"], 1);
  EXPECT_THAT(notes_of(run.receipt), HasSubstr("table r is called renamed now"));
  EXPECT_EQ(rows("renamed"), Rows{"1=7"});
  EXPECT_EQ(site_.query("select table_name from _sluice_table"), Rows{"renamed"});
}

TEST_F(Ownership, a_table_of_somebody_else_is_not_taken_for_a_renamed_one) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  const std::string more = "load: {vanished: delete}\n";
  site_.write_loader("R", loader("R", "target: {table: r}\n" + more));
  ASSERT_EQ(site_.run("R").exit_code, 0);
  edit(
      "drop table r; create table theirs (id integer primary key, v text, more text); "
      "insert into theirs values (7, 'x', 'y'), (8, 'x', 'y')");
  site_.write_loader("R", loader("R", "target: {table: theirs}\n" + more));
  const auto run = site_.run("R");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["deleted"], 0);
  EXPECT_EQ(rows("theirs"), (Rows{"1=a", "7=x", "8=x"}));
  EXPECT_EQ(site_.query("select table_name from _sluice_table"), Rows{"theirs"})
      << "what is gone is forgotten";
}

TEST_F(Ownership, a_key_comes_and_goes_with_the_loaders) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])");
  const auto as = [&](const std::string& name, const std::string& key, const std::string& load) {
    site_.write_loader("R", loader(name, "target: {table: r}\nload: {" + load + "}\n", key));
    return site_.run(name).receipt;
  };
  ASSERT_EQ(as("A", "", "mode: append")["inserted"], 2);
  EXPECT_EQ(as("B", "key: id\n", "vanished: delete")["unchanged"], 2);
  EXPECT_EQ(site_.query("select sum(entries) from _sluice_fingerprint"), Rows{"2"});
  site_.write("in/rows.json", R"([{"id":3,"v":"c"}])");
  EXPECT_EQ(as("C", "", "mode: append")["inserted"], 1);
  EXPECT_EQ(site_.query("select count(*) from _sluice_fingerprint"), Rows{"0"});
  EXPECT_EQ(as("D", "key: id\n", "vanished: delete")["unchanged"], 1);
  EXPECT_EQ(rows("r"), (Rows{"1=a", "2=b", "3=c"}));
  expect_balanced(as("D", "key: id\n", "vanished: delete"));
}

TEST_F(Ownership, a_renamed_append_table_does_not_load_the_same_bytes_twice) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  site_.write_loader("R", loader("R", "target: {table: r}\nload: {mode: append}\n", ""));
  ASSERT_EQ(site_.run("R").receipt["inserted"], 1);
  edit("alter table r rename to renamed");
  site_.write_loader("R", loader("R", "target: {table: renamed}\nload: {mode: append}\n", ""));
  EXPECT_EQ(site_.run("R").receipt["notModified"], 1);
  EXPECT_EQ(site_.count("renamed"), 1);
}

TEST_F(Ownership, a_table_that_was_there_keeps_its_rows) {
  for (const std::string vanished : {"delete", "softDelete", "keep"}) {
    SCOPED_TRACE(vanished);
    const std::string table = "t_" + vanished;
    edit("create table " + table + " (id integer primary key, v text); insert into " + table +
         " values (1, 'a'), (2, 'mine'), (3, 'mine')");
    const std::string yaml =
        loader("L" + vanished, "target: {table: " + table + "}\nload: {vanished: " + vanished + "}\n");
    site_.write_loader("L" + vanished, yaml);
    for (int run = 0; run < 3; ++run) {
      site_.write("in/rows.json", R"([{"id":1,"v":"b)" + std::to_string(run) + R"("},{"id":9,"v":"new"}])");
      const auto held = site_.run("L" + vanished);
      ASSERT_EQ(held.exit_code, 0) << held.err;
      EXPECT_EQ(held.receipt["deleted"], 0);
      EXPECT_EQ(held.receipt["vanished"], 2);
      expect_balanced(held.receipt);
      const bool told = vanished != "keep" || run == 0;
      EXPECT_EQ(notes_of(held.receipt).find("2 rows") != std::string::npos, told) << notes_of(held.receipt);
      EXPECT_EQ(rows(table), (Rows{"1=b" + std::to_string(run), "2=mine", "3=mine", "9=new"}));
    }
    if (vanished == "keep") continue;
    // A row of its own goes as ever, once the strangers are gone.
    edit("delete from " + table + " where v = 'mine'");
    site_.write("in/rows.json", R"([{"id":1,"v":"z"},{"id":9,"v":"new"}])");
    EXPECT_EQ(site_.run("L" + vanished).receipt["vanished"], 0);
    site_.write("in/rows.json", R"([{"id":1,"v":"z"}])");
    EXPECT_EQ(site_.run("L" + vanished).receipt["deleted"], 1);
  }
}

TEST_F(Ownership, the_definition_may_let_the_rows_of_others_go) {
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  for (const auto& [name, limit] : std::map<std::string, std::string>{{"A", "10"}, {"B", "100%"}}) {
    edit("create table " + name + " (id integer primary key, v text); insert into " + name +
         " values (1, 'a'), (2, 'mine')");
    site_.write_loader(name, loader(name, "load: {vanished: delete}\nguards: {maxDeletes: " + limit + "}\n"));
    const auto run = site_.run(name);
    EXPECT_EQ(run.receipt["deleted"], 1) << run.err;
    EXPECT_EQ(rows(name), Rows{"1=a"});
  }
}

struct Refusal {
  const char* table;
  const char* rows;
  const char* says;
};

TEST_F(Ownership, what_a_table_does_not_take_is_told_with_the_row_and_what_to_do) {
  const char* const rows = R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])";
  int number = 0;
  for (const Refusal& refusal : {
           Refusal{"create table {} (id integer primary key, v text check (v <> 'b'))", rows,
                   "with id = 2: CHECK"},
           Refusal{"create table {} (id integer primary key, v text, must text not null)", rows,
                   "with id = 1: NOT NULL"},
           Refusal{"create table {} (id integer primary key, v text unique); insert into {} values (9, 'b')",
                   rows, "with id = 2: UNIQUE"},
           Refusal{"create table {} (id integer primary key, v text); insert into {} values (1, 'x'); "
                   "create trigger {}_t before update on {} begin select raise(abort, 'frozen'); end",
                   rows, "with id = 1: frozen"},
           Refusal{"create table {} (id integer primary key, v text); create trigger {}_t before insert on "
                   "{} when "
                   "new.id = 2 begin select raise(ignore); end",
                   rows, "with id = 2: a trigger dropped it"},
           Refusal{"create table {} (id text collate nocase primary key, v text)",
                   R"([{"id":"a","v":"1"},{"id":"A","v":"2"}])", "id = 'A' and id = 'a'"},
           Refusal{"create table {} (id integer primary key, v text as ('x'))", rows,
                   "computed by the table"},
           Refusal{"create virtual table {} using fts5(id, v)", rows, "a virtual table"},
       }) {
    const std::string table = "t" + std::to_string(++number);
    std::string sql = refusal.table;
    for (auto at = sql.find("{}"); at != std::string::npos; at = sql.find("{}")) sql.replace(at, 2, table);
    SCOPED_TRACE(sql);
    edit(sql);
    site_.write("in/rows.json", refusal.rows);
    site_.write_loader(table, loader(table));
    const auto before = site_.query("select * from " + table);
    const auto run = site_.run(table);
    ASSERT_NE(run.exit_code, 0) << run.receipt.dump();
    const auto message = run.receipt["error"]["message"].get<std::string>();
    EXPECT_THAT(message, HasSubstr(refusal.says));
    EXPECT_THAT(message, Not(HasSubstr("SQLite code")));
    EXPECT_EQ(site_.query("select * from " + table), before);
  }
}

TEST_F(Ownership, a_plan_tells_what_a_table_that_was_there_keeps) {
  edit("create table t (id integer primary key, v text); insert into t values (1, 'a'), (2, 'mine')");
  site_.write("in/rows.json", R"([{"id":1,"v":"a"}])");
  site_.write_loader("T", loader("T", "load: {vanished: delete}\n"));
  const auto plan = json_lines(site_.sluice({"plan", "T", "--json"}).out).at(0);
  EXPECT_EQ(plan["deleted"], 0);
  EXPECT_THAT(plan["notes"].dump(), HasSubstr("maxDeletes: 1"));
}

}  // namespace
}  // namespace sluice::test
