// The running service as a whole: definitions that come, go and change while their jobs run.
#include "service/service.h"

#include "fetch/http_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace sluice::service {
namespace {

namespace fs = std::filesystem;
using fetch::test::HttpServer;

// A source that answers when it is told to.
class SlowSource {
 public:
  SlowSource()
      : server_([this](const auto&, int, const HttpServer::Reply& reply) {
          {
            std::unique_lock lock(mutex_);
            ++asked_;
            changed_.notify_all();
            if (!answers_) {
              lock.unlock();
              reply.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n[");
              reply.wait_until_gone();
              return false;
            }
          }
          reply.answer("200 OK", {"Content-Type: application/json"}, R"([{"id":1,"name":"a"}])");
          return true;
        }) {}
  void answer() {
    std::lock_guard lock(mutex_);
    answers_ = true;
  }
  void wait_until_asked(int times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= times; });
  }
  std::string url() const { return server_.url(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
  bool answers_ = false;
  HttpServer server_;  // last: its threads use the rest
};

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-service-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(definitions());
    std::ofstream(folder_ / "rows.json") << R"([{"id":1,"name":"a"},{"id":2,"name":"b"}])";
  }
  void TearDown() override {
    service_.reset();
    fs::remove_all(folder_);
  }
  fs::path definitions() const { return folder_ / "definitions"; }
  void write(const std::string& file, const std::string& name, const std::string& source,
             const std::string& more = "") {
    // Written aside and moved: the service's own watch never sees half of it.
    std::ofstream(folder_ / "written")
        << fmt::format("name: {}\nschedule: manual\nsource: {}\nkey: id\n{}", name, source, more);
    fs::rename(folder_ / "written", definitions() / file);
  }
  void write(const std::string& name) { write(name + ".loader.yaml", name, "../rows.json"); }

  void start(int workers) {
    ServiceOptions options;
    options.definitions = definitions();
    options.data = folder_ / "data";
    options.workers = workers;
    options.serving = true;
    auto opened = Service::open(options, clock_);
    ASSERT_TRUE(opened) << opened.error().describe();
    service_ = *std::move(opened);
    const auto started = service_->start();
    ASSERT_TRUE(started) << started.error().describe();
  }
  void reload() {
    const auto done = service_->reload();
    ASSERT_TRUE(done) << done.error().describe();
  }
  JobId run(const std::string& name, jobs::Origin origin = jobs::Origin::api) {
    const auto id = service_->run(name, origin, "ada");
    EXPECT_TRUE(id) << id.error().describe();
    return id.value_or(JobId());
  }
  jobs::Job rest(JobId id) {
    auto job = service_->engine().wait(id);
    EXPECT_TRUE(job) << job.error().describe();
    return *std::move(job);
  }
  jobs::Job get(JobId id) { return service_->store().queries().get(id).value().value(); }

  SystemClock clock_;
  fs::path folder_;
  SlowSource slow_;
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, a_removed_loader_takes_its_waiting_jobs_along_and_works_when_it_is_back) {
  write("Slow.loader.yaml", "Slow", slow_.url());
  write("A");
  start(1);
  const JobId busy = run("Slow");
  slow_.wait_until_asked(1);  // the one worker is taken
  const JobId by_hand = run("A", jobs::Origin::manual);
  const JobId by_api = run("A");
  const auto plan = service_->plan_loader("A", jobs::Origin::api, "ada");
  ASSERT_TRUE(plan);
  fs::remove(definitions() / "A.loader.yaml");
  reload();
  for (const JobId id : {by_hand, by_api, *plan}) {
    EXPECT_EQ(get(id).state, jobs::JobState::deleted);
    EXPECT_NE(get(id).reason.find("definition of A is gone"), std::string::npos) << get(id).reason;
  }
  EXPECT_EQ(service_->run("A", jobs::Origin::api, "ada").error().code, ErrorCode::not_found);
  EXPECT_EQ(service_->engine().requeue(by_api, "again").error().code, ErrorCode::conflict);

  write("A");
  reload();
  EXPECT_TRUE(service_->engine().requeue(by_api, "again"));
  const JobId anew = run("A");
  EXPECT_TRUE(service_->engine().cancel(busy, "enough"));
  EXPECT_EQ(rest(busy).state, jobs::JobState::deleted);
  EXPECT_EQ(rest(by_api).state, jobs::JobState::succeeded);
  EXPECT_EQ(rest(anew).state, jobs::JobState::succeeded);
}

TEST_F(ServiceTest, a_running_job_of_a_removed_loader_ends_and_is_not_tried_again) {
  write("Slow.loader.yaml", "Slow", slow_.url());
  start(1);
  const JobId id = run("Slow");
  slow_.wait_until_asked(1);
  fs::remove(definitions() / "Slow.loader.yaml");
  reload();
  EXPECT_EQ(get(id).state, jobs::JobState::processing) << "what runs may end";
  service_->stop();  // interrupted, it would run again
  EXPECT_EQ(get(id).state, jobs::JobState::deleted);
}

TEST_F(ServiceTest, a_file_may_be_renamed_while_its_loader_runs) {
  write("Slow.loader.yaml", "Slow", slow_.url());
  start(2);
  const JobId id = run("Slow");
  slow_.wait_until_asked(1);
  fs::rename(definitions() / "Slow.loader.yaml", definitions() / "Other.loader.yaml");
  reload();
  EXPECT_EQ(get(id).state, jobs::JobState::processing);
  ASSERT_NE(service_->definitions()->catalog->find("Slow"), nullptr);
  EXPECT_EQ(service_->definitions()->catalog->find("Slow")->file, "Other.loader.yaml");
  const auto recurring = service_->engine().list_recurring(true).value();
  ASSERT_EQ(recurring.size(), 1u);
  EXPECT_FALSE(recurring[0].retired_at);
  EXPECT_EQ(service_->store().queries().list({}).value().size(), 1u) << "nothing was started anew";
  EXPECT_TRUE(service_->engine().cancel(id, "enough"));
  EXPECT_EQ(rest(id).state, jobs::JobState::deleted);
  slow_.answer();
  EXPECT_EQ(rest(run("Slow")).state, jobs::JobState::succeeded);
}

TEST_F(ServiceTest, a_loader_may_be_renamed_while_it_runs) {
  write("Slow.loader.yaml", "Slow", slow_.url(), "target: {table: things}\n");
  start(2);
  const JobId id = run("Slow");
  slow_.wait_until_asked(1);
  write("Slow.loader.yaml", "Swift", "../rows.json", "target: {table: things}\n");
  reload();
  EXPECT_EQ(service_->definitions()->catalog->find("Slow"), nullptr);
  EXPECT_EQ(get(id).state, jobs::JobState::processing);
  const jobs::Job swift = rest(run("Swift"));
  EXPECT_EQ(swift.state, jobs::JobState::succeeded) << swift.error.value_or(jobs::JobError{}).message;
  EXPECT_TRUE(service_->engine().cancel(id, "enough"));
  EXPECT_EQ(rest(id).state, jobs::JobState::deleted);
}

TEST_F(ServiceTest, what_was_never_loaded_runs_at_once_and_once) {
  const auto daily = [&](const std::string& name) {
    std::ofstream(folder_ / "written")
        << fmt::format("name: {}\nschedule: every day at 2am\nsource: ../rows.json\nkey: id\n", name);
    fs::rename(folder_ / "written", definitions() / (name + ".loader.yaml"));
  };
  daily("A");
  daily("B");
  write("Manual");
  start(2);
  const auto jobs_of = [&](const std::string& loader) {
    return service_->store().queries().list({.subject = loader}).value();
  };
  for (const auto* name : {"A", "B"}) {
    ASSERT_EQ(jobs_of(name).size(), 1u) << name;
    EXPECT_EQ(jobs_of(name)[0].origin, jobs::Origin::startup);
    EXPECT_EQ(rest(jobs_of(name)[0].id).state, jobs::JobState::succeeded);
  }
  EXPECT_TRUE(jobs_of("Manual").empty());
  service_.reset();
  start(2);
  EXPECT_EQ(jobs_of("A").size(), 1u) << "it was loaded before";
  daily("C");
  reload();
  ASSERT_EQ(jobs_of("C").size(), 1u);
  EXPECT_EQ(rest(jobs_of("C")[0].id).state, jobs::JobState::succeeded);
}

TEST_F(ServiceTest, an_edited_schedule_counts_and_a_removed_one_ends_while_the_others_stay) {
  write("A");
  write("B");
  start(1);
  const auto recurring = [&](const std::string& name) {
    return service_->store().recurring().get("load:" + name).value().value();
  };
  const auto untouched = recurring("B").updated_at;
  std::ofstream(folder_ / "written") << "name: A\nschedule: {start: every day at 3am, runOnStartup: never}\n"
                                        "source: ../rows.json\nkey: id\n";
  fs::rename(folder_ / "written", definitions() / "A.loader.yaml");
  reload();
  EXPECT_EQ(recurring("A").spec.phrase, "every day at 3am");
  EXPECT_TRUE(recurring("A").next_fire_at);
  EXPECT_EQ(recurring("B").updated_at, untouched);

  service_.reset();
  fs::remove(definitions() / "A.loader.yaml");
  start(1);
  EXPECT_TRUE(recurring("A").retired_at) << "gone while nobody ran";
  EXPECT_FALSE(recurring("B").retired_at);
}

TEST_F(ServiceTest, stops_with_ten_slow_runs_under_way_and_counts_none) {
  constexpr int kRuns = 10;
  for (int i = 0; i < kRuns; ++i) {
    const std::string name = fmt::format("L{}", i);
    write(name + ".loader.yaml", name, slow_.url());
  }
  start(kRuns);
  std::vector<JobId> ids;
  ids.reserve(kRuns);
  for (int i = 0; i < kRuns; ++i) ids.push_back(run(fmt::format("L{}", i)));
  slow_.wait_until_asked(kRuns);
  service_->stop();
  for (const JobId id : ids) {
    const jobs::Job job = get(id);
    EXPECT_EQ(job.state, jobs::JobState::enqueued);
    EXPECT_EQ(job.attempt, 0);
    EXPECT_EQ(job.crashes, 0);
  }
  service_.reset();
  slow_.answer();
  start(kRuns);
  for (const JobId id : ids) {
    const jobs::Job job = rest(id);
    EXPECT_EQ(job.state, jobs::JobState::succeeded) << job.error.value_or(jobs::JobError{}).message;
    EXPECT_EQ(job.attempt, 1);
  }
}

}  // namespace
}  // namespace sluice::service
