// The commands as a user or a script meets them: arguments, output, exit codes (DESIGN, section 3).
#include "acceptance/site.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kAbc = "name: Abc\nschedule: manual\nsource: ../abc.csv\nkey: id\n";

// A site with a loader Abc of a CSV file.
class Commands : public testing::Test {
 protected:
  void SetUp() override {
    site_.write_loader("Abc", kAbc);
    site_.write("abc.csv", "id,name\n1,a\n2,b\n3,c\n");
  }
  Site site_;
};

TEST_F(Commands, answer_help_and_version) {
  const auto help = site_.sluice({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const auto* command : {"serve", "check", "run", "plan", "cron", "history", "show", "changes",
                              "rejects", "schema", "init", "infer"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
    const auto its = site_.sluice({command, "--help"});
    EXPECT_EQ(its.exit_code, 0) << command;
    EXPECT_THAT(its.out, HasSubstr("Example")) << command;
  }
  const auto version = site_.sluice({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Commands, refuse_what_they_do_not_know) {
  struct Case {
    std::vector<std::string> words;
    const char* says;
  };
  const std::vector<Case> cases = {
      {{"chek"}, "did you mean \"check\"?"},
      {{"frobnicate"}, "unknown command \"frobnicate\""},
      {{"check", "--nonsense"}, "--nonsense"},
      {{"--nonsense"}, "--help"},
      {{}, "--help"},
      {{"run"}, "--all"},
      {{"run", "Abc", "--all"}, "--all"},
      {{"run", "Abd"}, "did you mean \"Abc\"?"},
      {{"plan", "Abd"}, "did you mean \"Abc\"?"},
      {{"plan"}, "name"},
      {{"show", "Abd"}, "did you mean \"Abc\"?"},
      {{"show", "999"}, "no job 999"},
      {{"run", "Abc", "--definitions", "nowhere"}, "nowhere"},
      {{"check", "nowhere"}, "nowhere"},
      {{"serve", "nowhere", "--listen", "127.0.0.1:0"}, "nowhere"},
      {{"serve", "--listen", "nonsense"}, "HOST:PORT"},
      {{"serve", "--listen", "127.0.0.1:99999"}, "HOST:PORT"},
      {{"schema", "nothing"}, "loader, job, entity, dataSource or service"},
      {{"history", "--limit", "0"}, "--limit"},
      {{"check", "--log-level", "loud"}, "loud"},
      {{"init", "../out"}, "../out"},
      {{"init", "X", "--schedule", "evry blue moon"}, "evry blue moon"},
      {{"cron"}, "--stdin"},
      {{"run", "Abc", "--database", "mysql://x"}, "sqlite:PATH"},
      {{"run", "Abc", "--database", "sqlite:"}, "sqlite:PATH"},
  };
  for (const auto& [words, says] : cases) {
    const auto finished = site_.sluice(words);
    EXPECT_EQ(finished.exit_code, 2) << testing::PrintToString(words) << finished.out << finished.err;
    EXPECT_THAT(finished.out + finished.err, HasSubstr(says)) << testing::PrintToString(words);
  }
}

TEST_F(Commands, say_errors_in_json_too) {
  const auto run = site_.sluice({"run", "Abd", "--json"});
  EXPECT_EQ(run.exit_code, 2);
  const auto lines = json_lines(run.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("error").at("code"), "invalidArgument");
  EXPECT_THAT(lines[0].at("error").at("message").get<std::string>(), HasSubstr("did you mean"));
}

TEST_F(Commands, run_prints_a_receipt_with_the_promised_keys_in_order) {
  const auto run = site_.run("Abc");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const std::vector<std::string> promised = {"loader",   "job",         "state",      "applied",  "read",
                                             "inserted", "updated",     "deleted",    "restored", "unchanged",
                                             "vanished", "rejected",    "duplicates", "ignored",  "bytes",
                                             "requests", "notModified", "durationMs", "guards",   "error"};
  auto keys = keys_of(run.receipt);
  ASSERT_GE(keys.size(), promised.size());
  keys.resize(promised.size());
  EXPECT_EQ(keys, promised);
  EXPECT_TRUE(run.receipt.at("job").is_string());
  EXPECT_TRUE(run.receipt.at("error").is_null());
  expect_balanced(run.receipt);
  EXPECT_THAT(site_.query("select id, name from abc order by id"), ElementsAre("1|a", "2|b", "3|c"));
}

TEST_F(Commands, run_writes_its_table_for_people) {
  const auto finished = site_.sluice({"run", "--all"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, HasSubstr("loader  state"));
  EXPECT_THAT(finished.out, HasSubstr("created table abc"));
  EXPECT_THAT(finished.err, Not(HasSubstr("\033"))) << "no progress bar without a terminal";
  const auto quiet = site_.sluice({"run", "Abc", "--quiet"});
  EXPECT_EQ(quiet.out + quiet.err, "");
}

TEST_F(Commands, an_unsupported_database_is_the_environments_fault_and_names_the_way_out) {
  site_.write("definitions/x.service.nox.yaml",
              "name: X\ndatabase:\n  name: D\n  provider: sqlServer\n  server: localhost\n");
  const auto run = site_.run("Abc");
  EXPECT_EQ(run.exit_code, 3) << run.receipt.dump();
  EXPECT_THAT(run.receipt.at("error").at("message").get<std::string>(), HasSubstr("--database"));
  const auto other = site_.run("Abc", {"--database", "sqlite:other.db"});
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_THAT(site_.query("select count(*) from abc", "other.db"), ElementsAre("3"));
  const auto postgres = site_.run("Abc", {"--database", "postgres://nobody@127.0.0.1:1/x"});
  EXPECT_EQ(postgres.exit_code, 3) << postgres.receipt.dump();
  EXPECT_THAT(postgres.receipt.at("error").dump(), HasSubstr("--database"));
}

TEST_F(Commands, plan_creates_nothing_where_nothing_was) {
  const auto plan = site_.sluice({"plan", "Abc", "--json"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  const auto receipt = json_lines(plan.out).at(0);
  EXPECT_EQ(receipt.at("applied"), false);
  EXPECT_EQ(receipt.at("inserted"), 3);
  EXPECT_FALSE(std::filesystem::exists(site_.data()));
  const auto words = site_.sluice({"plan", "Abc"});
  EXPECT_THAT(words.out, HasSubstr("+3 insert"));
  EXPECT_THAT(words.out, HasSubstr("create table"));
  EXPECT_FALSE(std::filesystem::exists(site_.data()));
}

TEST_F(Commands, plan_foretells_the_run_and_writes_nothing) {
  ASSERT_EQ(site_.run("Abc").exit_code, 0);
  site_.write("abc.csv", "id,name\n1,a\n2,B\n4,d\n5,e\n");
  const auto before = read_text(site_.data() / "sluice.db") + read_text(site_.data() / "jobs.db");
  const auto plan = site_.sluice({"plan", "Abc", "--json"});
  EXPECT_EQ(read_text(site_.data() / "sluice.db") + read_text(site_.data() / "jobs.db"), before);
  const auto words = site_.sluice({"plan", "Abc"});
  EXPECT_THAT(words.out, HasSubstr("name: \"b\" -> \"B\""));
  EXPECT_EQ(read_text(site_.data() / "sluice.db") + read_text(site_.data() / "jobs.db"), before);

  const auto planned = json_lines(plan.out).at(0);
  const auto run = site_.run("Abc");
  for (const auto* count : {"read", "inserted", "updated", "deleted", "restored", "unchanged", "vanished",
                            "rejected", "duplicates", "ignored"}) {
    EXPECT_EQ(planned.at(count), run.receipt.at(count)) << count;
  }
  EXPECT_EQ(run.receipt.at("inserted"), 2);
  EXPECT_EQ(run.receipt.at("updated"), 1);
  EXPECT_EQ(run.receipt.at("vanished"), 1);
}

TEST_F(Commands, plan_shows_a_breached_guard_with_its_exit_code) {
  ASSERT_EQ(site_.run("Abc").exit_code, 0);
  site_.write("abc.csv", "id,name\n");
  const auto plan = site_.sluice({"plan", "Abc"});
  EXPECT_EQ(plan.exit_code, 4);
  EXPECT_THAT(plan.out, HasSubstr("minimumExpectedRecords"));
}

TEST_F(Commands, check_says_file_line_column_and_what_was_meant) {
  site_.write_loader("Bad", "name: Bad\nschedule: every day\nsorce: ../abc.csv\nkey: id\n");
  const auto check = site_.sluice({"check"});
  EXPECT_EQ(check.exit_code, 2);
  EXPECT_THAT(check.err, HasSubstr("Bad.loader.yaml:3:1: error: unknown key \"sorce\""));
  EXPECT_THAT(check.err, HasSubstr("did you mean \"source\"?"));
  EXPECT_THAT(check.err, HasSubstr("\n     3 | sorce: ../abc.csv\n       | ^\n"));
  EXPECT_THAT(check.out, HasSubstr("2 files, 1 loader"));

  const auto json = json_lines(site_.sluice({"check", "--json"}).out).at(0);
  EXPECT_EQ(json.at("ok"), false);
  for (const auto& problem : json.at("problems")) {
    EXPECT_THAT(keys_of(problem),
                ElementsAre("file", "line", "column", "severity", "code", "message", "suggestion"));
  }
  const auto& unknown = json.at("problems").back();
  EXPECT_EQ(unknown.at("file"), "Bad.loader.yaml");
  EXPECT_EQ(unknown.at("line"), 3);
  EXPECT_EQ(unknown.at("column"), 1);
  EXPECT_EQ(unknown.at("severity"), "error");
  EXPECT_EQ(unknown.at("code"), "invalidDefinition");
  EXPECT_EQ(unknown.at("suggestion"), "did you mean \"source\"?");
  EXPECT_EQ(json.at("loaders").at(0).at("name"), "Abc");
}

TEST_F(Commands, run_never_asks_a_metadata_address) {
  site_.write_loader("Meta",
                     "name: Meta\nschedule: manual\nsource: http://169.254.169.254/latest\nkey: id\n");
  const auto run = site_.run("Meta");
  EXPECT_EQ(run.exit_code, 2) << run.receipt.dump();
  EXPECT_EQ(run.receipt.at("error").at("code"), "forbidden");
  EXPECT_EQ(run.receipt.at("requests"), 0);
}

TEST_F(Commands, init_then_check_then_schema) {
  const auto init = site_.sluice({"init", "City", "--source", "../abc.csv", "--key", "id", "--json"});
  EXPECT_EQ(init.exit_code, 0) << init.err;
  EXPECT_EQ(json_lines(init.out).at(0).at("file"), "definitions/City.loader.yaml");
  EXPECT_EQ(site_.sluice({"check"}).exit_code, 0);
  EXPECT_EQ(site_.run("City").exit_code, 0);
  const auto again = site_.sluice({"init", "City", "--key", "id"});
  EXPECT_EQ(again.exit_code, 2) << "an existing file is never overwritten";
  EXPECT_THAT(again.err, HasSubstr("exists already"));
  const auto schema = site_.sluice({"schema"});
  EXPECT_EQ(schema.exit_code, 0);
  EXPECT_EQ(Json::parse(schema.out).at("$schema"), "http://json-schema.org/draft-07/schema#");
  for (const auto* kind : {"loader", "entity", "dataSource", "service"}) {
    EXPECT_TRUE(Json::accept(site_.sluice({"schema", kind}).out)) << kind;
  }
}

TEST_F(Commands, schema_knows_the_retry_of_a_request_from_the_retry_of_a_run) {
  const auto schema = Json::parse(site_.sluice({"schema", "loader"}).out).dump();
  EXPECT_THAT(schema, HasSubstr("\"maxDelay\""));
  EXPECT_THAT(schema, HasSubstr("\"maxWait\""));
}

TEST_F(Commands, history_and_show_read_the_record) {
  EXPECT_EQ(site_.sluice({"history"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(site_.data())) << "looking creates nothing";
  const auto first = site_.run("Abc");
  site_.write("abc.csv", "id,name\n");
  ASSERT_EQ(site_.run("Abc").exit_code, 4);

  const auto history = json_lines(site_.sluice({"history", "--json"}).out);
  ASSERT_EQ(history.size(), 2U);
  const std::vector<std::string> keys = {"id",         "kind",    "loader",      "name",      "queue",
                                         "state",      "fireAt",  "createdAt",   "startedAt", "finishedAt",
                                         "durationMs", "attempt", "maxAttempts", "node",      "progress",
                                         "receipt",    "error"};
  EXPECT_EQ(keys_of(history[0]), keys);
  EXPECT_EQ(history[0].at("state"), "failed");
  EXPECT_EQ(history[0].at("error").at("code"), "guard");
  EXPECT_EQ(history[1].at("id"), first.receipt.at("job"));
  EXPECT_TRUE(history[1].at("fireAt").is_null()) << "started by hand";
  EXPECT_EQ(history[1].at("receipt").at("inserted"), 3);
  EXPECT_EQ(json_lines(site_.sluice({"history", "Abc", "--limit", "1", "--json"}).out).size(), 1U);
  EXPECT_TRUE(json_lines(site_.sluice({"history", "Nobody", "--json"}).out).at(0).contains("error"));

  const auto id = history[1].at("id").get<std::string>();
  const auto job = json_lines(site_.sluice({"show", id, "--json"}).out).at(0);
  EXPECT_EQ(job.at("id"), id);
  std::vector<std::string> states;
  for (const auto& change : job.at("states")) states.push_back(change.at("state"));
  EXPECT_THAT(states, ElementsAre("enqueued", "processing", "succeeded"));

  const auto loader = json_lines(site_.sluice({"show", "Abc", "--json"}).out).at(0);
  EXPECT_EQ(loader.at("name"), "Abc");
  EXPECT_THAT(site_.sluice({"show", "Abc"}).out, HasSubstr("table abc: 3 rows"));
}

TEST_F(Commands, show_prints_the_types_that_columns_have) {
  site_.write_loader("Price", "name: Price\nschedule: manual\nsource: {file: ../price.csv}\nkey: id\n");
  site_.write("price.csv", "id,net,gross\n1,1.5,1.25\n2,2.5,12345678901234567890.25\n");
  ASSERT_EQ(site_.run("Price").exit_code, 0);
  const auto out = site_.sluice({"show", "Price"}).out;
  EXPECT_THAT(out, HasSubstr("#   net: decimal(2,1)\n"));
  EXPECT_THAT(out, HasSubstr("#   gross: decimal(22,2) (kept as text"));
}

}  // namespace
}  // namespace sluice::test
