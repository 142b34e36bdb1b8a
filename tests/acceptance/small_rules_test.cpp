// Small rules of the commands: what a word means, what is said when there is more, whom one waits for.
#include "acceptance/serving.h"
#include "fetch/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <latch>

namespace sluice::test {
namespace {

using fetch::test::HttpServer;
using testing::HasSubstr;
using testing::Not;

class SmallRules : public testing::Test {
 protected:
  void write(const std::string& name) const {
    site_.write("a.csv", "id,name\n1,a\nx,b\n2,c\n");
    site_.write_loader(name, fmt::format("name: \"{}\"\nschedule: manual\nsource: ../a.csv\nkey: id\n"
                                         "columns: {{id: int64}}\nguards: {{maxRejects: 5}}\n",
                                         name));
  }
  Site site_;
};

TEST_F(SmallRules, a_loader_named_with_digits_can_be_shown) {
  write("2024");
  ASSERT_EQ(site_.sluice({"run", "2024"}).exit_code, 0);
  const auto number = site_.sluice({"show", "2024"});
  EXPECT_EQ(number.exit_code, 2);
  EXPECT_THAT(number.err, HasSubstr("no job 2024"));
  EXPECT_THAT(number.err, HasSubstr("--loader"));
  EXPECT_THAT(site_.sluice({"show", "--loader", "2024"}).out, HasSubstr("2024.loader.yaml"));
  EXPECT_THAT(site_.sluice({"rejects", "list", "2024", "--loader"}).out, HasSubstr("2024"));
}

TEST_F(SmallRules, a_list_that_was_cut_says_so) {
  write("Aa");
  for (int i = 0; i < 3; ++i) ASSERT_EQ(site_.sluice({"run", "Aa"}).exit_code, 0);
  for (const auto& words : {std::vector<std::string>{"jobs", "list"}, {"history"}, {"history", "Aa"}}) {
    auto cut = words, whole = words;
    cut.insert(cut.end(), {"--limit", "2"});
    whole.insert(whole.end(), {"--limit", "3"});
    EXPECT_THAT(site_.sluice(cut).err, HasSubstr("more")) << words[0];
    EXPECT_THAT(site_.sluice(whole).err, Not(HasSubstr("more"))) << words[0];
  }
}

TEST_F(SmallRules, states_may_be_given_as_one_list) {
  write("Aa");
  ASSERT_EQ(site_.sluice({"run", "Aa"}).exit_code, 0);
  EXPECT_EQ(json_lines(site_.sluice({"jobs", "list", "--state", "failed,succeeded", "--json"}).out).size(),
            1u);
  EXPECT_THAT(site_.sluice({"jobs", "list", "--state", "failed,lost"}).err, HasSubstr("no state \"lost\""));
}

TEST_F(SmallRules, the_version_is_a_command_too) {
  const auto version = site_.sluice({"version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, site_.sluice({"--version"}).out);
}

TEST_F(SmallRules, a_file_that_is_no_database_is_a_matter_of_the_environment) {
  write("Aa");
  site_.write("notes.txt", std::string(5000, 'x'));
  const auto target = site_.sluice({"run", "Aa", "--database", "sqlite:notes.txt"});
  EXPECT_EQ(target.exit_code, 3) << target.err;
  EXPECT_THAT(target.out + target.err, HasSubstr("notes.txt"));
  site_.write("data/jobs.db", std::string(5000, 'x'));
  const auto store = site_.sluice({"jobs", "list"});
  EXPECT_EQ(store.exit_code, 3) << store.err;
  EXPECT_THAT(store.err, HasSubstr("jobs.db"));
}

TEST_F(SmallRules, changes_are_not_looked_for_in_another_database) {
  write("Aa");
  site_.write("definitions/sluice.service.yaml", "name: S\ndatabase: sqlite:../here.db\n");
  ASSERT_EQ(site_.sluice({"run", "Aa"}).exit_code, 0);
  EXPECT_THAT(site_.sluice({"rejects", "list", "1"}).out, HasSubstr("Aa"));
  site_.write("definitions/sluice.service.yaml", "name: S\ndatabse: sqlite:../here.db\n");
  const auto lost = site_.sluice({"rejects", "list", "1"});
  EXPECT_EQ(lost.exit_code, 2) << lost.out;
  EXPECT_THAT(lost.err, HasSubstr("databse"));
}

TEST_F(SmallRules, a_run_that_waits_for_another_one_says_for_which) {
  std::latch asked(1), go_on(1);
  HttpServer source([&](const auto&, int number, const auto& reply) {
    if (number == 0) {
      asked.count_down();
      go_on.wait();
    }
    reply.answer("200 OK", {"Content-Type: text/csv"}, "id,name\n1,a\n");
    return false;
  });
  site_.write_loader("Aa",
                     fmt::format("name: Aa\nschedule: manual\nsource: {}\nkey: id\n", source.url("/a.csv")));
  Process first({sluice_program(), "run", "Aa"}, site_.path());
  asked.wait();
  {
    // It works at its own job alone, so what is enqueued waits.
    Process second({sluice_program(), "run", "Aa"}, site_.path());
    EXPECT_TRUE(second.wait_for_output("waits for job 1")) << second.output();
    go_on.count_down();
    EXPECT_EQ(second.wait().exit_code, 0);
  }
  EXPECT_EQ(first.wait().exit_code, 0);
}

TEST_F(SmallRules, what_runs_again_does_not_show_the_former_error) {
  site_.write_loader("Gone", "name: Gone\nschedule: manual\nsource: ../gone.csv\nkey: id\n");
  ASSERT_EQ(site_.sluice({"run", "Gone"}).exit_code, 1);
  EXPECT_THAT(site_.sluice({"jobs", "list"}).out, HasSubstr("gone.csv"));
  ASSERT_EQ(site_.sluice({"jobs", "retry", "1", "--reason", "it is back"}).exit_code, 0);
  EXPECT_THAT(site_.sluice({"jobs", "list"}).out, Not(HasSubstr("gone.csv")));
}

}  // namespace
}  // namespace sluice::test
