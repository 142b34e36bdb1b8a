#include "base/file.h"
#include "task/log_book.h"
#include "task/output_lines.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace sluice::task {
namespace {

namespace fs = std::filesystem;

CommandTask shell(std::string script) {
  return {.arguments = {"sh", "-c", std::move(script)}, .directory = fs::temp_directory_path()};
}

TEST(CommandTasks, log_what_the_program_says) {
  test::Setting setting;
  const auto outcome = setting.run(shell("echo out; echo error >&2; pwd; printf last"));
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  const auto text = setting.book.text();
  EXPECT_NE(text.find("out\n"), std::string::npos) << text;
  EXPECT_NE(text.find("warning: error\n"), std::string::npos) << text;
  EXPECT_NE(text.find(fs::canonical(fs::temp_directory_path()).string()), std::string::npos) << text;
  EXPECT_NE(text.find("last\n"), std::string::npos) << text;
  const auto result = test::result_of(outcome);
  EXPECT_EQ(result["exitCode"], 0);
  EXPECT_TRUE(result["signal"].is_null());
  EXPECT_EQ(result["lines"], 4);
}

TEST(CommandTasks, give_arguments_as_they_stand) {
  test::Setting setting;
  const auto outcome =
      setting.run(CommandTask{.arguments = {"printf", "%s|", "a b", "$HOME", "; rm -rf *", ""},
                              .directory = fs::temp_directory_path()});
  ASSERT_FALSE(outcome.error);
  EXPECT_EQ(setting.book.text(), "a b|$HOME|; rm -rf *||\n");
}

TEST(CommandTasks, pass_on_only_a_harmless_environment) {
  ::setenv("SLUICE_TEST_SECRET", "hidden", 1);
  test::Setting setting;
  auto command = CommandTask{.arguments = {"env"}, .directory = fs::temp_directory_path()};
  command.environment = {{"REPORT", "yes"}, {"PATH", "/usr/bin:/bin"}};
  ASSERT_FALSE(setting.run(command).error);
  ::unsetenv("SLUICE_TEST_SECRET");
  const auto text = setting.book.text();
  EXPECT_EQ(text.find("SLUICE_TEST_SECRET"), std::string::npos) << text;
  for (const auto* line : {"REPORT=yes\n", "PATH=/usr/bin:/bin\n", "SLUICE_JOB=17\n", "SLUICE_NAME=Night\n",
                           "SLUICE_ATTEMPT=2\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(CommandTasks, read_an_empty_input) {
  test::Setting setting;
  EXPECT_FALSE(setting.run(shell("cat")).error);
}

TEST(CommandTasks, fail_by_their_exit_code_and_say_their_last_words) {
  test::Setting setting;
  auto command = shell("echo first; echo 'no such report' >&2; exit 3");
  auto outcome = setting.run(command);
  ASSERT_TRUE(outcome.error);
  EXPECT_FALSE(outcome.error->retryable);
  EXPECT_EQ(outcome.error->describe(), "sh: ended with exit code 3; it says: no such report");
  EXPECT_EQ(test::result_of(outcome)["exitCode"], 3);
  command.retry_exit_codes = {3};
  outcome = setting.run(command);
  EXPECT_TRUE(outcome.error->retryable);
}

TEST(CommandTasks, tell_the_signal_that_ended_them) {
  test::Setting setting;
  const auto outcome = setting.run(shell("kill -SEGV $$"));
  ASSERT_TRUE(outcome.error);
  EXPECT_FALSE(outcome.error->retryable);
  EXPECT_EQ(test::result_of(outcome)["signal"], SIGSEGV);
  EXPECT_TRUE(test::result_of(outcome)["exitCode"].is_null());
}

TEST(CommandTasks, say_what_cannot_be_started) {
  test::Setting setting;
  const auto folder = fs::temp_directory_path() / fmt::format("command_task_{}", ::getpid());
  fs::create_directories(folder);
  std::ofstream(folder / "plain") << "echo x\n";
  const auto error_of = [&](std::vector<std::string> arguments, const fs::path& directory) {
    const auto outcome = setting.run(CommandTask{.arguments = std::move(arguments), .directory = directory});
    return outcome.error ? outcome.error->describe() : "";
  };
  EXPECT_NE(error_of({"no-such-program"}, folder).find("there is no program \"no-such-program\" in /"),
            std::string::npos);
  EXPECT_NE(error_of({"./plain"}, folder).find("chmod +x"), std::string::npos);
  EXPECT_NE(error_of({"./gone"}, folder).find("there is no program"), std::string::npos);
  EXPECT_NE(error_of({"true"}, folder / "gone").find("cannot run in"), std::string::npos);
  fs::permissions(folder / "plain", fs::perms::owner_all);
  EXPECT_NE(error_of({"./plain"}, folder).find("#!/bin/sh"), std::string::npos);
  fs::remove_all(folder);
}

// The processes that a command says it runs, until they are gone: they are killed, not waited for, by us.
pid_t number_in(const std::string& text) { return static_cast<pid_t>(std::stol(text)); }
bool goes(pid_t pid) {
  const FileHandle watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!watched) return errno == ESRCH;
  pollfd ended{watched.get(), POLLIN, 0};
  return ::poll(&ended, 1, 60'000) == 1;
}

TEST(CommandTasks, end_with_their_whole_group_when_they_are_stopped) {
  test::Setting setting;
  std::stop_source stop;
  std::vector<pid_t> pids;
  TaskSpec spec;
  spec.work = shell("sleep 600 & echo $!; echo $$; wait");
  const auto outcome = task::run(
      {.task = spec}, setting.environment,
      [&](Level, std::string_view line) {
        pids.push_back(number_in(std::string(line)));
        if (pids.size() == 2) stop.request_stop();
      },
      stop.get_token());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::cancelled);
  EXPECT_EQ(test::result_of(outcome)["signal"], SIGTERM);
  for (const auto pid : pids) EXPECT_TRUE(goes(pid)) << pid;
}

TEST(CommandTasks, are_ended_by_force_after_the_grace) {
  test::Setting setting;
  std::stop_source stop;
  TaskSpec spec;
  auto command = shell("trap '' TERM; echo ready; while true; do sleep 600; done");
  command.grace = std::chrono::milliseconds(50);
  spec.work = command;
  const auto outcome = task::run(
      {.task = spec}, setting.environment, [&](Level, std::string_view) { stop.request_stop(); },
      stop.get_token());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::cancelled);
  EXPECT_EQ(test::result_of(outcome)["signal"], SIGKILL);
}

TEST(CommandTasks, leave_nothing_running_behind) {
  test::Setting setting;
  const auto outcome = setting.run(shell("sleep 600 & echo $!"));
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  EXPECT_TRUE(goes(number_in(setting.book.lines.at(0))));
}

TEST(CommandTasks, hide_their_secrets) {
  test::Setting setting;
  auto command = shell("echo \"$TOKEN\" and $1; exit 1");
  command.environment = {{"TOKEN", "topsecret1"}};
  const auto outcome = setting.run(command, {}, {Secret("topsecret1")});
  ASSERT_TRUE(outcome.error);
  const auto all = setting.book.text() + outcome.result + outcome.error->describe();
  EXPECT_EQ(all.find("topsecret1"), std::string::npos) << all;
  EXPECT_NE(all.find("*** and"), std::string::npos) << all;
}

TEST(OutputLines, keep_the_beginning_and_the_end) {
  test::LogBook book;
  const auto log = book.log();
  const fetch::SecretMask mask;
  OutputLines lines(mask, log);
  for (int i = 1; i <= 10'000; ++i) lines.add(false, fmt::format("line {}\n", i));
  lines.add(true, "half");
  EXPECT_EQ(book.lines.size(), OutputLines::kLines);
  lines.finish();
  EXPECT_EQ(book.lines.size(), 2 * OutputLines::kLines + 1);
  EXPECT_EQ(book.lines.front(), "line 1");
  EXPECT_EQ(book.lines[OutputLines::kLines], "… 9,001 lines are left out here …");
  EXPECT_EQ(book.lines.back(), "warning: half");
  EXPECT_EQ(lines.lines(), 10'001);
  EXPECT_EQ(lines.last_line(), "half");
}

TEST(OutputLines, bound_lines_that_never_end_and_bytes_that_are_no_text) {
  test::LogBook book;
  const auto log = book.log();
  const fetch::SecretMask mask;
  OutputLines lines(mask, log);
  for (int i = 0; i < 1000; ++i) lines.add(false, std::string(10'000, 'x'));
  lines.add(false, std::string("\n\xff\0\x1b[31mred\n", 10));
  lines.finish();
  ASSERT_EQ(book.lines.size(), 2u);
  EXPECT_LE(book.lines[0].size(), OutputLines::kLongestLine + 10);
  EXPECT_EQ(book.lines[1].find('\x1b'), std::string::npos);
  EXPECT_EQ(lines.bytes(), 10'000'010);
}

}  // namespace
}  // namespace sluice::task
