// Jobs of *.job.yaml, as a user meets them: the smallest files, what is printed, wrong input, a kill
// half-way.
#include "acceptance/serving.h"

#include <gmock/gmock.h>

#include <csignal>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Tasks : public testing::Test {
 protected:
  Tasks() {
    site_.write("a.csv", "id,name\n1,a\n2,b\n");
    site_.write_loader("Aa", "name: Aa\nschedule: every day at 2am\nsource: {file: ../a.csv}\nkey: id\n");
  }
  void job(const std::string& name, const std::string& yaml) {
    site_.write("definitions/" + name + ".job.yaml", "name: " + name + "\n" + yaml + "\n");
  }
  Site site_;
};

TEST_F(Tasks, run_once_by_hand_and_say_what_they_did) {
  job("Purge", "schedule: every night at 2am\nsql: delete from aa where id = 2");
  job("Report", "after: Aa\ncommand: [sh, -c, \"echo ready; echo $REPORT; exit 0\"]");
  ASSERT_EQ(site_.run("Aa").exit_code, 0);
  const auto purge = site_.sluice({"run", "Purge"});
  EXPECT_EQ(purge.exit_code, 0) << purge.err;
  EXPECT_THAT(purge.out, HasSubstr("Purge: succeeded, 1 row changed"));
  EXPECT_EQ(site_.count("aa"), 1);

  const auto again = site_.sluice({"run", "Purge", "--json"});
  const auto line = json_lines(again.out).at(0);
  EXPECT_EQ(line.at("name"), "Purge");
  EXPECT_EQ(line.at("kind"), "sql");
  EXPECT_EQ(line.at("state"), "succeeded");
  EXPECT_EQ(line.at("changed"), 0);
  EXPECT_TRUE(line.at("error").is_null());

  const auto report = site_.sluice({"run", "Report", "--allow-commands"});
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("  ready\n"));
  EXPECT_THAT(report.out, HasSubstr("Report: succeeded, exit code 0"));

  EXPECT_THAT(site_.sluice({"history", "Purge"}).out, HasSubstr("1 row changed"));
  EXPECT_THAT(site_.sluice({"show", line.at("job").get<std::string>()}).out, HasSubstr("0 rows changed"));
  EXPECT_THAT(site_.sluice({"show", "Purge"}).out, HasSubstr("delete from aa where id = 2"));
  const auto plan = site_.sluice({"plan", "Purge"});
  EXPECT_EQ(plan.exit_code, 2);
  EXPECT_THAT(plan.err, HasSubstr("jobs have no plan"));
}

TEST_F(Tasks, fail_with_an_exit_code_of_the_contract) {
  job("Wrong", "schedule: manual\nsql: delete from no_such_table");
  job("Three", "schedule: manual\ncommand: [sh, -c, \"echo lost >&2; exit 3\"]");
  job("Nobody", "schedule: manual\nhttp: http://127.0.0.1:1/");
  EXPECT_EQ(site_.sluice({"run", "Wrong"}).exit_code, 2);
  const auto three = site_.sluice({"run", "Three", "--allow-commands", "--json"});
  EXPECT_EQ(three.exit_code, 1);
  EXPECT_EQ(json_lines(three.out).at(0).at("exitCode"), 3);
  EXPECT_THAT(json_lines(three.out).at(0).at("error").at("message").get<std::string>(), HasSubstr("lost"));
  EXPECT_EQ(site_.sluice({"run", "Nobody"}).exit_code, 3);
}

TEST_F(Tasks, commands_are_refused_without_the_flag) {
  job("Report", "schedule: manual\ncommand: [echo, x]");
  const auto checked = site_.sluice({"check"});
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(
      checked.err,
      HasSubstr(
          "Report.job.yaml:3:10: error: jobs may not start programs here; start with --allow-commands"));
  EXPECT_EQ(site_.sluice({"check", "--allow-commands"}).exit_code, 0);
  EXPECT_NE(site_.sluice({"run", "Report"}).exit_code, 0);
}

TEST_F(Tasks, check_names_the_place_and_what_was_meant) {
  job("Report", "after: [Ab]\nsql: analyze");
  job("Slip", "schedule: every hour\nslq: analyze");
  const auto checked = site_.sluice({"check"});
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(
      checked.err,
      HasSubstr("Report.job.yaml:2:9: error: after: there is no loader or job \"Ab\"; did you mean \"Aa\"?"));
  EXPECT_THAT(checked.err,
              HasSubstr("Slip.job.yaml:3:1: error: unknown key \"slq\" in a job; did you mean \"sql\"?"));
  EXPECT_THAT(site_.sluice({"run", "Slip"}).err, HasSubstr("Slip.job.yaml:3:1"));
}

TEST_F(Tasks, follow_a_load_and_run_from_the_page) {
  job("Report", "after: Aa\nsql: select count(*) as n from aa");
  Serving serving(site_);
  ASSERT_TRUE(serving.until_succeeded("Aa"));
  const auto reports = [&] {
    return serving.get("/api/v1/jobs?kind=sql&state=succeeded").at("items").size();
  };
  EXPECT_TRUE(serving.until([&] { return reports() == 1; }));
  const auto by_hand = serving.ended(serving.run("Report"));
  EXPECT_EQ(by_hand.at("state"), "succeeded");
  EXPECT_EQ(by_hand.at("kind"), "sql");
  EXPECT_EQ(by_hand.at("result").at("statements").at(0).at("rows"), 1);
  bool listed = false;
  const auto recurring = serving.get("/api/v1/recurring");
  for (const auto& one : recurring.at("items")) {
    if (one.at("id") != "job:Report") continue;
    listed = true;
    EXPECT_EQ(one.at("name"), "Report");
    EXPECT_EQ(one.at("lastJob").at("id"), by_hand.at("id"));
    EXPECT_EQ(one.at("schedule").at("english"), "after Aa");
  }
  EXPECT_TRUE(listed);
  EXPECT_EQ(serving.get("/schema/job.json").at("title"), "Sluice job");
  EXPECT_EQ(site_.sluice({"jobs", "pause", "Report"}).exit_code, 0);
  EXPECT_EQ(site_.sluice({"jobs", "resume", "Report"}).exit_code, 0);
  const auto enqueued = json_lines(site_.sluice({"jobs", "enqueue", "Report", "--json"}).out);
  EXPECT_EQ(serving.ended(enqueued.at(0).at("job").get<std::string>()).at("state"), "succeeded");
  EXPECT_EQ(json_lines(site_.sluice({"jobs", "list", "--kind", "sql", "--json"}).out).size(), 3u);
  serving.expect_clean_stop();
}

TEST_F(Tasks, a_kill_half_way_loses_no_follower_and_doubles_none) {
  job("Slow",
      "schedule: manual\ncommand: [sh, -c, \"echo begun >> ../begun; until test -e ../go; do sleep 0.05; "
      "done\"]");
  job("Report", "after: Slow\ncommand: [sh, -c, \"echo done >> ../done\"]");
  {
    Serving serving(site_, {"--allow-commands"});
    serving.run("Slow");
    EXPECT_TRUE(serving.until([&] { return std::filesystem::exists(site_.path() / "begun"); }));
    serving.process().signal(SIGKILL);
    serving.process().wait();
  }
  site_.write("go", "");
  Serving serving(site_, {"--allow-commands"});
  EXPECT_TRUE(serving.until([&] { return std::filesystem::exists(site_.path() / "done"); }));
  EXPECT_TRUE(serving.until(
      [&] { return serving.get("/api/v1/jobs?kind=command&state=succeeded").at("items").size() == 2; }));
  EXPECT_EQ(read_text(site_.path() / "done"), "done\n");
  EXPECT_EQ(read_text(site_.path() / "begun"), "begun\nbegun\n")
      << "the run that was killed was taken up again";
  serving.expect_clean_stop();
}

TEST_F(Tasks, show_no_secret_anywhere) {
  site_.write("secret", "topsecret1");
  job("Report",
      "schedule: manual\ncommand:\n  run: [sh, -c, \"echo $TOKEN; exit 1\"]\n"
      "  environment: {TOKEN: \"${file:../secret}\"}");
  const auto ran = site_.sluice({"run", "Report", "--allow-commands"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("topsecret1")));
  EXPECT_THAT(site_.sluice({"show", "Report", "--allow-commands"}).out, Not(HasSubstr("topsecret1")));
  EXPECT_THAT(site_.sluice({"show", "1", "--json"}).out, Not(HasSubstr("topsecret1")));
  for (const auto* file : {"jobs.db", "jobs.db-wal"}) {
    if (std::filesystem::exists(site_.data() / file)) {
      EXPECT_THAT(read_text(site_.data() / file), Not(HasSubstr("topsecret1")));
    }
  }
}

}  // namespace
}  // namespace sluice::test
