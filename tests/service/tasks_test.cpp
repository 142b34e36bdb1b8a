// Jobs of *.job.yaml in the running service, and what runs after what.
#include "service/loader_schedule.h"
#include "service/service.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace sluice::service {
namespace {

namespace fs = std::filesystem;

class TasksTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-tasks-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(folder_ / "definitions");
    std::ofstream(folder_ / "rows.json") << R"([{"id":1,"name":"a"},{"id":2,"name":"b"}])";
  }
  void TearDown() override {
    service_.reset();
    fs::remove_all(folder_);
  }
  void write(const std::string& file, const std::string& text) {
    std::ofstream(folder_ / "written") << text;
    fs::rename(folder_ / "written", folder_ / "definitions" / file);
  }
  void loader(const std::string& name, const std::string& schedule = "manual") {
    write(name + ".loader.yaml",
          fmt::format("name: {}\nschedule: {}\nsource: ../rows.json\nkey: id\n", name, schedule));
  }
  void job(const std::string& name, const std::string& more) {
    write(name + ".job.yaml", fmt::format("name: {}\n{}\n", name, more));
  }
  void start(bool commands = false) {
    ServiceOptions options;
    options.definitions = folder_ / "definitions";
    options.data = folder_ / "data";
    options.workers = 2;
    options.serving = true;
    options.allow_commands = commands;
    auto opened = Service::open(options, clock_);
    ASSERT_TRUE(opened) << opened.error().describe();
    service_ = *std::move(opened);
    const auto started = service_->start();
    ASSERT_TRUE(started) << started.error().describe();
  }
  jobs::Job run(const std::string& name) {
    const auto id = service_->run(name, jobs::Origin::api, "ada");
    EXPECT_TRUE(id) << id.error().describe();
    return rest(id.value_or(JobId()));
  }
  jobs::Job rest(JobId id) {
    auto job = service_->engine().wait(id);
    EXPECT_TRUE(job) << job.error().describe();
    return *std::move(job);
  }
  // The runs of a name, oldest first; those that live are waited for.
  std::vector<jobs::Job> runs_of(const std::string& name, const std::string& kind) {
    jobs::JobFilter filter;
    filter.subject = name;
    filter.kind = kind;
    filter.oldest_first = true;
    auto jobs = service_->store().queries().list(filter).value();
    for (auto& job : jobs) job = rest(job.id);
    return jobs;
  }
  // What followed a run, waited for: its continuations are there before it begins.
  std::vector<jobs::Job> followers_of(const jobs::Job& parent) {
    auto children = service_->store().flow().children(parent.id, {}, 100).value();
    for (auto& child : children) child = rest(child.id);
    return children;
  }

  SystemClock clock_;
  fs::path folder_;
  std::unique_ptr<Service> service_;
};

using enum jobs::JobState;

TEST_F(TasksTest, sql_runs_on_the_database_of_the_service) {
  loader("Country");
  job("Purge", "schedule: manual\nsql: delete from country where id = 2");
  start();
  ASSERT_EQ(run("Country").state, succeeded);
  const auto purged = run("Purge");
  ASSERT_EQ(purged.state, succeeded) << purged.error->message;
  EXPECT_EQ(purged.kind, "sql");
  EXPECT_EQ(nlohmann::json::parse(purged.result)["changed"], 1);
  EXPECT_EQ(purged.recurring_id, "job:Purge");
}

TEST_F(TasksTest, a_failure_keeps_its_result_and_says_why) {
  job("Purge", "schedule: manual\nsql: delete from no_such_table");
  start();
  const auto failed_run = run("Purge");
  ASSERT_EQ(failed_run.state, failed);
  EXPECT_EQ(failed_run.error->code, "invalidDefinition");
  EXPECT_NE(failed_run.error->message.find("no_such_table"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(failed_run.result)["changed"], 0);
}

TEST_F(TasksTest, commands_run_only_where_they_are_allowed) {
  job("Report", "schedule: manual\ncommand: [echo, hello]");
  start();
  EXPECT_EQ(service_->run("Report", jobs::Origin::api, "ada").error().code, ErrorCode::not_found);
  service_.reset();
  start(true);
  const auto report = run("Report");
  EXPECT_EQ(report.state, succeeded);
  const auto log = service_->store().queries().log(report.id, 0, 10).value();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].text, "hello");
}

TEST_F(TasksTest, a_command_that_is_cancelled_is_stopped) {
  job("Long", "schedule: manual\ncommand: [sleep, \"600\"]");
  start(true);
  const auto id = service_->run("Long", jobs::Origin::api, "ada");
  ASSERT_TRUE(id);
  EXPECT_TRUE(service_->engine().cancel(*id, "enough"));
  EXPECT_EQ(rest(*id).state, deleted);
}

TEST_F(TasksTest, a_command_over_its_time_out_is_stopped) {
  job("Long", "schedule: {start: manual, timeout: 100ms, retry: 0}\ncommand: [sleep, \"600\"]");
  start(true);
  const auto ended = run("Long");
  EXPECT_EQ(ended.state, failed);
  EXPECT_EQ(ended.error->code, "timeout");
}

TEST_F(TasksTest, a_definition_that_goes_retires_its_schedule) {
  job("Ping", "schedule: every day at 2am\nsql: analyze");
  start();
  const auto recurring = service_->store().recurring().get("job:Ping").value();
  ASSERT_TRUE(recurring);
  EXPECT_EQ(recurring->spec.kind, "sql");
  EXPECT_TRUE(recurring->next_fire_at);
  fs::remove(folder_ / "definitions" / "Ping.job.yaml");
  ASSERT_TRUE(service_->reload());
  EXPECT_TRUE(service_->store().recurring().get("job:Ping").value()->retired_at);
  EXPECT_EQ(service_->run("Ping", jobs::Origin::api, "ada").error().code, ErrorCode::not_found);

  job("Ping", "schedule: every day at 2am\nsql: analyze");
  ASSERT_TRUE(service_->reload());
  EXPECT_FALSE(service_->store().recurring().get("job:Ping").value()->retired_at);
}

TEST_F(TasksTest, a_definition_that_goes_while_nobody_runs_is_retired_at_the_next_start) {
  job("Ping", "schedule: every day at 2am\nsql: analyze");
  start();
  service_.reset();
  fs::remove(folder_ / "definitions" / "Ping.job.yaml");
  start();
  EXPECT_TRUE(service_->store().recurring().get("job:Ping").value()->retired_at);
}

TEST_F(TasksTest, a_broken_file_goes_on_as_it_was_accepted) {
  job("Ping", "schedule: manual\nsql: select 1");
  start();
  job("Ping", "schedule: manual\nslq: select 1");
  ASSERT_TRUE(service_->reload());
  EXPECT_EQ(run("Ping").state, succeeded);
  service_.reset();
  start();
  EXPECT_EQ(run("Ping").state, succeeded);
}

TEST_F(TasksTest, run_at_the_start_of_the_service_when_they_say_so) {
  job("Warm", "schedule: {start: manual, runOnStartup: always}\nsql: select 1");
  job("Cold", "schedule: every day at 2am\nsql: select 1");
  start();
  EXPECT_EQ(runs_of("Warm", "sql").size(), 1u);
  EXPECT_TRUE(runs_of("Cold", "sql").empty());
}

TEST_F(TasksTest, a_job_follows_a_loader_that_succeeded) {
  loader("Country");
  job("Report", "after: Country\nsql: select count(*) as n from country");
  start();
  const auto load = run("Country");
  ASSERT_EQ(load.state, succeeded);
  const auto followers = followers_of(load);
  ASSERT_EQ(followers.size(), 1u);
  EXPECT_EQ(followers[0].subject, "Report");
  EXPECT_EQ(followers[0].state, succeeded);
  EXPECT_NE(followers[0].started_by.find("after Country"), std::string::npos) << followers[0].started_by;
}

TEST_F(TasksTest, nothing_follows_a_run_that_failed_but_what_says_so) {
  job("Broken", "schedule: manual\nsql: delete from no_such_table");
  job("Report", "after: Broken\nsql: select 1");
  job("Alarm", "after: {names: Broken, on: failure}\nsql: select 1");
  job("Always", "after: {names: Broken, on: always}\nsql: select 1");
  start();
  std::vector<std::string> names;
  for (const auto& follower : followers_of(run("Broken"))) {
    names.push_back(follower.subject);
    EXPECT_EQ(follower.state, succeeded) << follower.subject;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"Alarm", "Always"}));
}

TEST_F(TasksTest, a_loader_follows_a_loader_and_each_run_of_it) {
  loader("Country", "manual");
  loader("City", "{after: Country}");
  start();
  for (int i = 0; i < 3; ++i) {
    const auto followers = followers_of(run("Country"));
    ASSERT_EQ(followers.size(), 1u);
    EXPECT_EQ(followers[0].kind, "load");
    EXPECT_EQ(followers[0].state, succeeded);
  }
  EXPECT_EQ(runs_of("City", "load").size(), 3u);
}

TEST_F(TasksTest, what_waits_for_several_runs_once_all_have_run) {
  loader("Country");
  loader("Currency");
  job("Report", "after: [Country, Currency]\nsql: select 1");
  start();
  const auto run_and_look = [&](const std::string& name) { return followers_of(run(name)); };
  run_and_look("Country");
  EXPECT_TRUE(runs_of("Report", "sql").empty());
  run_and_look("Country");
  EXPECT_TRUE(runs_of("Report", "sql").empty());
  run_and_look("Currency");
  EXPECT_EQ(runs_of("Report", "sql").size(), 1u);
  run_and_look("Currency");  // since its own last run, Country has not run
  EXPECT_EQ(runs_of("Report", "sql").size(), 1u);
  run_and_look("Country");
  EXPECT_EQ(runs_of("Report", "sql").size(), 2u);
}

TEST_F(TasksTest, what_waits_for_any_of_several_runs_after_each) {
  loader("Country");
  loader("Currency");
  job("Report", "after: {names: [Country, Currency], wait: any}\nsql: select 1");
  start();
  followers_of(run("Country"));
  followers_of(run("Currency"));
  EXPECT_EQ(runs_of("Report", "sql").size(), 2u);
}

TEST_F(TasksTest, what_is_paused_or_disabled_does_not_follow) {
  loader("Country");
  job("Report", "after: Country\nsql: select 1");
  job("Off", "after: Country\nenabled: false\nsql: select 1");
  start();
  ASSERT_TRUE(service_->engine().pause_recurring("job:Report", "ada", "not now"));
  EXPECT_TRUE(followers_of(run("Country")).empty());
  ASSERT_TRUE(service_->engine().resume_recurring("job:Report"));
  EXPECT_EQ(followers_of(run("Country")).size(), 1u);
}

TEST_F(TasksTest, a_follower_whose_definition_goes_is_not_run) {
  job("Long", "schedule: manual\ncommand: [sleep, \"600\"]");
  job("Report", "after: {names: Long, on: always}\nsql: select 1");
  start(true);
  const auto id = service_->run("Long", jobs::Origin::api, "ada");
  ASSERT_TRUE(id);
  while (service_->store().flow().children(*id, {}, 10).value().empty()) std::this_thread::yield();
  fs::remove(folder_ / "definitions" / "Report.job.yaml");
  ASSERT_TRUE(service_->reload());
  ASSERT_TRUE(service_->engine().cancel(*id, "enough"));
  rest(*id);
  const auto children = service_->store().flow().children(*id, {}, 10).value();
  ASSERT_EQ(children.size(), 1u);
  EXPECT_EQ(children[0].state, deleted);
}

}  // namespace
}  // namespace sluice::service
