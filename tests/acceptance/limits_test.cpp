// Where the machine ends: files that may not grow, descriptors that run out, a database that is taken or is
// none.
#include "acceptance/site.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <memory>

namespace sluice::test {
namespace {

using testing::HasSubstr;

std::string rows(int count, const std::string& text) {
  std::string csv = "id,text\n";
  for (int i = 0; i < count; ++i) csv += fmt::format("{},{}\n", i, text);
  return csv;
}

// `sluice run NAME --json` under limits that the shell sets: "ulimit -f 400" (units of 512 bytes).
Finished run_within(const Site& site, const std::string& limits, const std::string& name) {
  return run({"/bin/sh", "-c", limits + R"(; exec "$0" "$@")", sluice_program(), "run", name, "--json"},
             site.path());
}

TEST(Limits, a_disk_that_is_full_in_the_middle_leaves_the_table_and_the_next_run_is_good) {
  const Site site;
  site.write("rows.csv", rows(500, "first"));
  site.write_loader(
      "Row",
      "name: Row\nsource: {file: ../rows.csv}\nkey: id\nschedule: {start: manual, retry: {limit: 0}}\n");
  ASSERT_EQ(site.run("Row").exit_code, 0);
  // Every row changes, and 20,000 come: far more than the limit lets the database's log grow.
  site.write("rows.csv", rows(20'000, std::string(200, 'x')));
  const auto failed = run_within(site, "ulimit -S -f 1024", "Row");
  EXPECT_EQ(failed.exit_code, 3) << failed.err;
  ASSERT_THAT(json_lines(failed.out), testing::SizeIs(1)) << failed.err;
  const auto receipt = json_lines(failed.out).front();
  EXPECT_FALSE(receipt.at("applied"));
  EXPECT_THAT(receipt.at("error").dump(), HasSubstr("File too large"));
  EXPECT_THAT(receipt.at("error").dump(), HasSubstr("sluice.db"));
  EXPECT_EQ(site.query("select count(*), min(text), max(text) from row").front(), "500|first|first");
  EXPECT_EQ(site.query("select count(*) from _sluice_run").front(), "1");

  const auto good = site.run("Row");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.receipt.at("updated"), 500);
  EXPECT_EQ(good.receipt.at("inserted"), 19'500);
  EXPECT_EQ(site.count("row"), 20'000);
}

TEST(Limits, more_files_than_descriptors_are_read_all_the_same) {
  const Site site;
  for (int i = 0; i < 300; ++i) site.write(fmt::format("in/{}.csv", i), fmt::format("id,text\n{},x\n", i));
  site.write_loader("Row", "name: Row\nsource: {file: ../in/*.csv}\nkey: id\nschedule: manual\n");
  const auto finished = run_within(site, "ulimit -S -n 100", "Row");
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_EQ(site.count("row"), 300);
}

TEST(Limits, files_that_really_are_too_many_say_what_to_raise) {
  const Site site;
  for (int i = 0; i < 300; ++i) site.write(fmt::format("in/{}.csv", i), fmt::format("id,text\n{},x\n", i));
  site.write_loader("Row", "name: Row\nsource: {file: ../in/*.csv}\nkey: id\nschedule: manual\n");
  const auto finished = run_within(site, "ulimit -n 100", "Row");
  EXPECT_EQ(finished.exit_code, 3) << finished.out << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("ulimit -n"));
}

TEST(Limits, a_database_that_another_program_writes_to_is_waited_for_and_then_named) {
  const Site site;
  site.write("rows.csv", rows(3, "a"));
  site.write_loader(
      "Row",
      "name: Row\nsource: {file: ../rows.csv}\nkey: id\nschedule: {start: manual, retry: {limit: 0}}\n");
  ASSERT_EQ(site.run("Row").exit_code, 0);
  site.write("rows.csv", rows(4, "b"));
  {
    sqlite3* opened = nullptr;
    const int code =
        sqlite3_open_v2((site.data() / "sluice.db").c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> other(opened, sqlite3_close);
    ASSERT_EQ(code, SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other.get(), "begin immediate", nullptr, nullptr, nullptr), SQLITE_OK);
    const auto locked = site.run("Row");
    EXPECT_EQ(locked.exit_code, 3) << locked.err;
    EXPECT_EQ(locked.receipt.at("error").at("code"), "locked");
    EXPECT_THAT(locked.receipt.at("error").dump(), HasSubstr("another program is writing to it"));
  }
  EXPECT_EQ(site.run("Row").exit_code, 0);
  EXPECT_EQ(site.count("row"), 4);
}

TEST(Limits, a_target_that_is_no_database_is_not_touched) {
  const Site site;
  site.write("rows.csv", rows(3, "a"));
  site.write("notes.db", std::string(3000, 'x'));
  site.write_loader(
      "Row",
      "name: Row\nsource: {file: ../rows.csv}\nkey: id\nschedule: {start: manual, retry: {limit: 0}}\n");
  const auto refused = site.run("Row", {"--database", "sqlite:notes.db"});
  EXPECT_EQ(refused.exit_code, 3)
      << refused.err;  // what lies at the target's place is the environment's fault
  EXPECT_THAT(refused.receipt.at("error").dump(), HasSubstr("notes.db"));
  EXPECT_EQ(read_text(site.path() / "notes.db"), std::string(3000, 'x'));
}

}  // namespace
}  // namespace sluice::test
