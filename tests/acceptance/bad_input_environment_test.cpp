// Bad input, part 3: the world around. Folders that may not be written, disks that are full, ports and data
// that another one has: exit 3, what is in the way is named, nothing that was loaded is lost, and it goes on
// when there is room again.
#include "acceptance/serving.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Environment : public testing::Test {
 protected:
  void SetUp() override {
    site_.write_loader("Abc", "name: Abc\nschedule: manual\nsource: ../abc.csv\nkey: id\n");
    site_.write("abc.csv", "id,name\n1,a\n2,b\n3,c\n");
  }
  // The words as a user who may not write everywhere, as root may.
  Finished as_user(const std::string& line) const {
    std::vector<std::string> command = {"/bin/sh", "-c", "SLUICE='" + sluice_program() + "'; " + line};
    if (::geteuid() == 0)
      command.insert(command.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    return test::run(command, site_.path());
  }
  // Whether that works here: the program and the site have to be in reach of that user.
  bool give_to_user() const {
    if (::geteuid() == 0) {
      for (const auto& entry : fs::recursive_directory_iterator(site_.path()))
        if (::lchown(entry.path().c_str(), 65534, 65534) != 0) return false;
      if (::lchown(site_.path().c_str(), 65534, 65534) != 0) return false;
    }
    return as_user("$SLUICE --version").exit_code == 0;
  }
  void expect_loads_again(int rows) const {
    std::string text = "id,name\n";
    for (int i = 1; i <= rows; ++i) text += fmt::format("{},n{}\n", i, i);
    site_.write("abc.csv", text);
    const auto run = site_.run("Abc");
    EXPECT_EQ(run.exit_code, 0) << run.receipt << run.err;
    EXPECT_EQ(site_.count("abc"), rows);
    EXPECT_EQ(site_.query("pragma integrity_check"), std::vector<std::string>{"ok"});
    EXPECT_EQ(site_.query("pragma integrity_check", "data/jobs.db"), std::vector<std::string>{"ok"});
  }
  Site site_;
};

TEST_F(Environment, a_read_only_data_folder_is_named) {
  ASSERT_EQ(site_.run("Abc").exit_code, 0);
  if (!give_to_user()) GTEST_SKIP() << "no other user to be, or the program is out of its reach";
  fs::permissions(site_.data(), fs::perms::owner_read | fs::perms::owner_exec);
  for (const auto* line : {"$SLUICE run Abc", "$SLUICE serve definitions --listen 127.0.0.1:0"}) {
    const auto run = as_user(line);
    EXPECT_EQ(run.exit_code, 3) << line << run.out << run.err;
    EXPECT_THAT(run.err, HasSubstr("data")) << line;
  }
  fs::permissions(site_.data(), fs::perms::owner_all);
  EXPECT_EQ(as_user("$SLUICE run Abc").exit_code, 0);
}

TEST_F(Environment, a_read_only_folder_for_a_new_data_folder_is_named) {
  if (!give_to_user()) GTEST_SKIP() << "no other user to be, or the program is out of its reach";
  fs::permissions(site_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto run = as_user("$SLUICE run Abc --json");
  fs::permissions(site_.path(), fs::perms::owner_all);
  EXPECT_EQ(run.exit_code, 3) << run.out << run.err;
  EXPECT_THAT(json_lines(run.out).at(0).at("error").dump(), HasSubstr("data"));
}

TEST_F(Environment, a_source_that_may_not_be_read_is_named) {
  if (!give_to_user()) GTEST_SKIP() << "no other user to be, or the program is out of its reach";
  ASSERT_EQ(as_user("$SLUICE run Abc").exit_code, 0);
  fs::permissions(site_.path() / "abc.csv", fs::perms::none);
  const auto run = as_user("$SLUICE run Abc --json");
  EXPECT_EQ(run.exit_code, 3) << run.out << run.err;
  EXPECT_THAT(json_lines(run.out).at(0).at("error").dump(), HasSubstr("no permission to read"));
  EXPECT_EQ(site_.count("abc"), 3);
}

TEST_F(Environment, a_data_folder_that_is_a_file_is_named) {
  site_.write("data", "I am a file");
  const auto run = site_.sluice({"run", "Abc"});
  EXPECT_EQ(run.exit_code, 3) << run.err;
  EXPECT_THAT(run.err, HasSubstr("data"));
  EXPECT_EQ(read_text(site_.data()), "I am a file");
}

TEST_F(Environment, a_database_that_is_none_is_left_alone) {
  site_.write("text.db", "This is a letter, and no database; please do not write into it.\n");
  const auto run = site_.run("Abc", {"--database", "sqlite:text.db"});
  EXPECT_NE(run.exit_code, 0);
  EXPECT_THAT(run.receipt.at("error").dump(), HasSubstr("text.db"));
  EXPECT_THAT(read_text(site_.path() / "text.db"), testing::StartsWith("This is a letter"));
}

// A file that may grow no more fails a write as a full disk does. The limit counts blocks of 512 bytes.
TEST_F(Environment, a_full_disk_loses_nothing_that_was_there) {
  ASSERT_EQ(site_.run("Abc").exit_code, 0);
  std::string big = "id,name\n";
  for (int i = 1; i <= 20'000; ++i) big += fmt::format("{},a longer text than before {}\n", i, i * 7919);
  site_.write("abc.csv", big);
  const auto full = test::run(
      {"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 1000; exec '" + sluice_program() + "' run Abc --json"},
      site_.path());
  EXPECT_EQ(full.exit_code, 3) << full.out << full.err;
  const auto lines = json_lines(full.out);
  ASSERT_EQ(lines.size(), 1U) << full.out;
  EXPECT_THAT(lines[0].at("error").dump(), HasSubstr("sluice.db"));
  EXPECT_EQ(site_.count("abc"), 3);
  expect_loads_again(5000);
}

TEST_F(Environment, a_disk_that_is_full_from_the_start_is_named) {
  const auto full = test::run(
      {"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 1; exec '" + sluice_program() + "' run Abc --json"},
      site_.path());
  EXPECT_EQ(full.exit_code, 3) << full.out << full.err;
  EXPECT_THAT(json_lines(full.out).at(0).at("error").dump(), HasSubstr("data"));
  expect_loads_again(4);
}

TEST_F(Environment, a_service_ends_with_the_exit_code_of_its_trouble) {
  const auto foreign = site_.sluice({"serve", "definitions", "--listen", "0.0.0.0:8080"});
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_THAT(foreign.err, HasSubstr("accounts"));
  EXPECT_FALSE(fs::exists(site_.data())) << "refused before anything is created";

  Serving service(site_);
  const auto second = site_.sluice({"serve", "definitions", "--listen", "127.0.0.1:0", "--json"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_EQ(json_lines(second.out).at(0).at("error").at("code"), "locked");
  EXPECT_THAT(second.err, HasSubstr("data"));

  const auto address = "127.0.0.1:" + std::to_string(service.port());
  const auto taken = site_.sluice({"serve", "definitions", "--listen", address, "--data", "other", "--json"});
  EXPECT_EQ(taken.exit_code, 3);
  EXPECT_THAT(json_lines(taken.out).at(0).at("error").dump(), HasSubstr(address));
  EXPECT_EQ(http_get(service.port(), "/healthz")->status, 200) << "the first one goes on";

  const auto beside = site_.run("Abc");
  EXPECT_EQ(beside.exit_code, 0) << "a command beside the service is one more node: "
                                 << beside.receipt.dump();
  service.expect_clean_stop();
  Serving(site_).expect_clean_stop();
}

}  // namespace
}  // namespace sluice::test
