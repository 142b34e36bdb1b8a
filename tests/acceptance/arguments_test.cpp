// The command line itself: what is mistyped, what is printed where, and streams that are closed or full.
#include "acceptance/site.h"
#include "fetch/http_server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Arguments : public testing::Test {
 protected:
  void SetUp() override {
    site_.write_loader("Abc", "name: Abc\nschedule: manual\nsource: ../abc.csv\nkey: id\n");
    site_.write("abc.csv", "id,name\n1,a\n2,b\n3,c\n");
  }
  // The words as a shell would have them, with the program as $SLUICE.
  Finished shell(const std::string& line) const {
    return test::run({"/bin/sh", "-c", "SLUICE='" + sluice_program() + "'; " + line}, site_.path());
  }
  Site site_;
};

TEST_F(Arguments, name_what_was_mistyped_and_what_was_meant) {
  struct Case {
    std::vector<std::string> words;
    const char* says;
  };
  const std::vector<Case> cases = {
      {{"--nonsense"}, "unknown option \"--nonsense\""},
      {{"--nonsense", "check"}, "unknown option \"--nonsense\""},
      {{"--jsno", "check"}, "unknown option \"--jsno\"; did you mean \"--json\"?"},
      {{"run", "--jsno"}, "unknown option \"--jsno\"; did you mean \"--json\"?"},
      {{"run", "Abc", "--jsno=yes"}, "unknown option \"--jsno\"; did you mean \"--json\"?"},
      {{"-x"}, "unknown option \"-x\""},
      {{"rnu"}, "unknown command \"rnu\"; did you mean \"run\"?"},
      {{"--data", "elsewhere", "rnu"}, "did you mean \"run\"?"},
      {{}, "name a command: serve, check, run"},
      {{"--json"}, "name a command"},
      {{"--all", "run"}, "write it after the command, sluice run --all"},
      {{"check", "--definitions"}, "--definitions needs a value"},
      {{"run", "--data", "--json", "Abc"}, "--data needs a value"},
      {{"plan"}, "\"name\" is missing"},
      {{"show"}, "\"what\" is missing"},
      {{"history", "a", "b"}, "history takes one argument: \"b\" is one too many"},
      {{"plan", "Abc", "b"}, "\"b\" is one too many"},
      {{"cron", "--count", "x"}, "\"x\" is not a whole number from 0 to 1000"},
      {{"plan", "Abc", "--samples", "-1"}, "--samples"},
      {{"serve", "--workers", "0"}, "\"0\" is not a whole number from 1 to 256"},
      {{"help", "rnu"}, "did you mean \"run\"?"},
  };
  for (const auto& [words, says] : cases) {
    const auto finished = site_.sluice(words);
    EXPECT_EQ(finished.exit_code, 2) << testing::PrintToString(words) << finished.out << finished.err;
    EXPECT_THAT(finished.err, HasSubstr(says)) << testing::PrintToString(words);
    EXPECT_THAT(finished.err, HasSubstr("--help")) << testing::PrintToString(words);
  }
}

TEST_F(Arguments, are_refused_in_json_for_those_who_asked_for_json) {
  for (const auto& words : {std::vector<std::string>{"run", "--json", "--nonsense"}, {"--json", "rnu"}}) {
    const auto finished = site_.sluice(words);
    EXPECT_EQ(finished.exit_code, 2);
    const auto lines = json_lines(finished.out);
    ASSERT_EQ(lines.size(), 1U) << finished.out;
    EXPECT_EQ(lines[0].at("error").at("code"), "invalidArgument");
    EXPECT_THAT(lines[0].at("error").at("message").get<std::string>(), HasSubstr("unknown"));
  }
}

TEST_F(Arguments, help_reads_as_people_ask_for_it) {
  const auto help = site_.sluice({"help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("Commands:"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes:"));
  const auto run = site_.sluice({"help", "run"});
  EXPECT_EQ(run.out, site_.sluice({"run", "--help"}).out);
  for (const auto* option : {"--definitions DIR", "--data DIR", "--database URL", "--json", "--quiet",
                             "--log-level", "--allow-path", "--allow-address"}) {
    EXPECT_THAT(help.out, HasSubstr(option));
    EXPECT_THAT(run.out, HasSubstr(option)) << "every command knows it, so its help says so";
  }
}

TEST_F(Arguments, of_an_option_never_swallow_the_words_that_follow) {
  const auto run = site_.sluice({"run", "--allow-path", "/srv", "Abc", "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(json_lines(run.out).at(0).at("loader"), "Abc");
  EXPECT_EQ(site_.sluice({"--allow-address", "169.254.0.0/16", "run", "Abc"}).exit_code, 0);
  EXPECT_EQ(site_.sluice({"check", "--definitions", "nowhere", "--definitions", "definitions"}).exit_code, 0)
      << "given twice, the last one counts";
}

TEST_F(Arguments, check_says_by_hand_only_without_a_zone) {
  EXPECT_THAT(site_.sluice({"check"}).out, HasSubstr("by hand only\n"));
}

TEST_F(Arguments, output_has_no_colour_where_nobody_sees_it) {
  site_.write_loader("Bad", "name: Bad\nsorce: x\n");
  for (const auto* line : {"$SLUICE check", "NO_COLOR=1 $SLUICE run --all", "NO_COLOR=1 $SLUICE plan Abc"}) {
    const auto finished = shell(line);
    EXPECT_THAT(finished.out + finished.err, Not(HasSubstr("\033"))) << line;
  }
}

TEST_F(Arguments, a_terminal_sees_colours_unless_it_said_no) {
  // Logs a warning, and ends by itself.
  site_.write("definitions/x.service.nox.yaml",
              "name: X\ndatabase: {name: D, provider: sqlServer, server: localhost}\n");
  const std::string serve = "\"$SLUICE serve definitions --listen 127.0.0.1:0\" /dev/null";
  const auto seen = shell("unset NO_COLOR; TERM=xterm script -qec " + serve);
  if (seen.exit_code == 127) GTEST_SKIP() << "no script(1) to make a terminal with";
  EXPECT_THAT(seen.out, HasSubstr("SQL Server"));
  EXPECT_THAT(seen.out, HasSubstr("\033["));
  const auto plain = shell("NO_COLOR=1 TERM=xterm script -qec " + serve);
  EXPECT_THAT(plain.out, HasSubstr("SQL Server"));
  EXPECT_THAT(plain.out, Not(HasSubstr("\033[")));
}

TEST_F(Arguments, run_all_of_nothing_says_so) {
  std::filesystem::remove(site_.definitions() / "Abc.loader.yaml");
  const auto run = site_.sluice({"run", "--all"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.err, HasSubstr("no loader to run in definitions"));
}

TEST_F(Arguments, all_loaders_run_though_the_reader_of_the_output_went_away) {
  site_.write_loader("Def", "name: Def\nschedule: manual\nsource: ../abc.csv\nkey: id\n");
  // The pipe's reading end is closed before the run starts.
  const auto finished = shell(
      "mkfifo go done; { read x < go; $SLUICE run --all --json; echo $? > code; echo > done; } | "
      "{ exec <&-; echo > go; read y < done; }");
  EXPECT_EQ(read_text(site_.path() / "code"), "0\n") << finished.err;
  EXPECT_EQ(site_.count("abc"), 3);
  EXPECT_EQ(site_.count("def"), 3);
}

TEST_F(Arguments, an_answer_that_could_not_be_written_is_no_success) {
  const auto full = shell("$SLUICE check --json > /dev/full");
  EXPECT_EQ(full.exit_code, 3);
  EXPECT_THAT(full.err, HasSubstr("standard output"));
  const auto run = shell("$SLUICE run Abc > /dev/full 2> /dev/full");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(site_.count("abc"), 3) << "the load itself is not lost";
}

TEST_F(Arguments, closed_streams_harm_no_file) {
  const auto before = read_text(site_.path() / "abc.csv");
  const auto run = shell("$SLUICE run Abc --json <&- >&- 2>&-");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(site_.query("pragma integrity_check"), std::vector<std::string>{"ok"});
  EXPECT_EQ(site_.query("pragma integrity_check", "data/jobs.db"), std::vector<std::string>{"ok"});
  EXPECT_EQ(site_.count("abc"), 3);
  EXPECT_EQ(read_text(site_.path() / "abc.csv"), before);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site_.data())) {
    if (entry.path().extension() != ".lock") continue;
    EXPECT_THAT(read_text(entry.path()), Not(HasSubstr("{\"loader\""))) << entry;
  }
}

TEST_F(Arguments, a_run_of_a_broken_definition_says_why_in_json) {
  site_.write_loader("Bad",
                     "name: Bad\nschedule: every day\nsorce: ../abc.csv\nkey: id\nload: {verify: daily}\n");
  const auto good = site_.run("Abc");
  for (const auto* command : {"run", "plan"}) {
    const auto finished = site_.sluice({command, "Bad", "--json"});
    EXPECT_EQ(finished.exit_code, 2);
    const auto lines = json_lines(finished.out);
    ASSERT_EQ(lines.size(), 1U);
    const auto& line = lines[0];
    auto keys = keys_of(line);
    for (const auto& key : keys_of(good.receipt)) EXPECT_TRUE(line.contains(key)) << key;
    EXPECT_EQ(line.at("loader"), "Bad");
    EXPECT_TRUE(line.at("job").is_null());
    EXPECT_EQ(line.at("state"), "failed");
    EXPECT_EQ(line.at("applied"), false);
    const auto& error = line.at("error");
    EXPECT_EQ(error.at("code"), "invalidDefinition");
    EXPECT_EQ(error.at("retryable"), false);
    EXPECT_EQ(error.at("file"), "Bad.loader.yaml");
    EXPECT_EQ(error.at("line"), 3);
    EXPECT_EQ(error.at("where"), "Bad.loader.yaml:3:1");
    EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("did you mean \"source\"?"));
    ASSERT_EQ(error.at("problems").size(), 2U);
    EXPECT_EQ(error.at("problems")[0].at("suggestion"), "did you mean \"source\"?");
    EXPECT_EQ(error.at("problems")[1].at("line"), 5);
    EXPECT_THAT(finished.err, HasSubstr("definitions/Bad.loader.yaml:3:1: error: unknown key \"sorce\""));
  }
  const auto show = json_lines(site_.sluice({"show", "Bad", "--json"}).out);
  ASSERT_EQ(show.size(), 1U);
  EXPECT_EQ(show[0].at("error").at("line"), 3);

  const auto all = site_.sluice({"run", "--all", "--json"});
  EXPECT_EQ(all.exit_code, 2);
  const auto lines = json_lines(all.out);
  ASSERT_EQ(lines.size(), 2U) << "one line for each loader, the broken one's too";
  EXPECT_EQ(lines[0].at("loader"), "Bad");
  EXPECT_EQ(lines[0].at("error").at("code"), "invalidDefinition");
  EXPECT_EQ(lines[1].at("loader"), "Abc");
  EXPECT_TRUE(lines[1].at("error").is_null());
}

TEST_F(Arguments, a_run_beside_a_broken_service_file_names_that_file) {
  site_.write("definitions/x.service.yaml", "name: X\ntimezon: UTC\n");
  for (const auto& words : {std::vector<std::string>{"run", "Abc", "--json"}, {"run", "--all", "--json"}}) {
    const auto run = site_.sluice(words);
    EXPECT_EQ(run.exit_code, 2);
    const auto error = json_lines(run.out).at(0).at("error");
    EXPECT_EQ(error.at("code"), "invalidDefinition");
    EXPECT_EQ(error.at("file"), "x.service.yaml");
    EXPECT_EQ(error.at("line"), 2);
  }
}

TEST_F(Arguments, history_of_a_name_that_nobody_has_is_an_error) {
  ASSERT_EQ(site_.run("Abc").exit_code, 0);
  const auto words = site_.sluice({"history", "Abd"});
  EXPECT_EQ(words.exit_code, 2);
  EXPECT_THAT(words.err, HasSubstr("there is no loader or job \"Abd\"; did you mean \"Abc\"?"));
  const auto json = site_.sluice({"history", "Abd", "--json"});
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_EQ(json_lines(json.out).at(0).at("error").at("code"), "invalidArgument");

  site_.write_loader("Fresh", "name: Fresh\nschedule: manual\nsource: ../abc.csv\nkey: id\n");
  const auto fresh = site_.sluice({"history", "Fresh", "--json"});
  EXPECT_EQ(fresh.exit_code, 0);
  EXPECT_EQ(fresh.out, "");
  EXPECT_THAT(fresh.err, HasSubstr("No runs yet of Fresh"));

  std::filesystem::remove(site_.definitions() / "Abc.loader.yaml");
  EXPECT_EQ(json_lines(site_.sluice({"history", "Abc", "--json"}).out).size(), 1U)
      << "the record outlives the definition";
}

TEST_F(Arguments, ctrl_c_ends_a_command_with_130_and_leaves_everything_as_it_was) {
  ASSERT_EQ(site_.run("Abc").exit_code, 0);
  std::atomic<int> asked = 0;
  const fetch::test::HttpServer server([&](const auto&, int, const auto& reply) {
    ++asked;
    asked.notify_all();
    reply.wait_until_gone();  // the command waits for an answer for good
    return false;
  });
  const auto before = "name: Abc\nschedule: manual\nsource: " + server.url() + "\nkey: id\n";
  site_.write_loader("Abc", before);
  int expected = 0;
  for (const auto& words : {std::vector<std::string>{"run", "Abc", "--json"},
                            {"plan", "Abc", "--json"},
                            {"init", "Abc", "--force", "--source", server.url()}}) {
    std::vector<std::string> command = {sluice_program()};
    command.insert(command.end(), words.begin(), words.end());
    Process process(command, site_.path());
    for (int seen = asked; seen <= expected; seen = asked) asked.wait(seen);
    ++expected;
    process.signal(SIGINT);
    EXPECT_EQ(process.wait(std::chrono::seconds(60)).exit_code, 130) << words[0];
  }
  EXPECT_EQ(site_.count("abc"), 3);
  EXPECT_EQ(read_text(site_.definitions() / "Abc.loader.yaml"), before);
}

}  // namespace
}  // namespace sluice::test
