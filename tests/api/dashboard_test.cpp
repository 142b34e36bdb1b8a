// The page inside another program: its own jobs, no loaders, and nothing of a service around it.
#include "api/dashboard.h"

#include "api/socket_client.h"
#include "base/clock.h"
#include "jobs/sqlite/store.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

namespace sluice::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class DashboardTest : public testing::Test {
 public:
  ~DashboardTest() override {
    page_.reset();
    engine_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

 protected:
  DashboardTest() {
    std::string name = std::filesystem::temp_directory_path() / "sluice-dashboard-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    store_ = *jobs::open_sqlite_store(folder_);
    engine_ = std::make_unique<jobs::Engine>(*store_, clock_, jobs::EngineOptions{.workers = 1});
    engine_->register_handler("greet", [](jobs::JobContext&, std::stop_token) -> Result<jobs::JobOutcome> {
      return jobs::JobOutcome{.result = R"({"said":"hello"})"};
    });
  }
  void start() {
    auto page = Dashboard::start(*store_, *engine_, clock_, {.port = 0, .version = "7.8.9"});
    ASSERT_TRUE(page) << page.error().describe();
    page_ = std::move(*page);
  }
  std::string get(const std::string& path, const std::string& method = "GET") {
    SocketClient client(page_->port());
    client.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(page_->port()) +
                "\r\nContent-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return client.read_response();
  }

  std::filesystem::path folder_;
  SystemClock clock_;
  std::unique_ptr<jobs::Store> store_;
  std::unique_ptr<jobs::Engine> engine_;
  std::unique_ptr<Dashboard> page_;
};

TEST_F(DashboardTest, shows_the_jobs_of_the_program) {
  start();
  ASSERT_TRUE(engine_->start());
  jobs::NewJob greet;
  greet.kind = "greet";
  greet.subject = "ada";
  const auto id = engine_->enqueue(greet);
  ASSERT_TRUE(id);
  ASSERT_TRUE(engine_->wait(*id));
  EXPECT_THAT(page_->url(), HasSubstr(std::to_string(page_->port()) + "/jobs"));
  const auto listed = get("/api/v1/jobs");
  EXPECT_THAT(listed, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(listed, HasSubstr(R"("kind":"greet")"));
  EXPECT_THAT(listed, HasSubstr(R"("state":"succeeded")"));
  for (const char* path : {"/api/v1/overview", "/api/v1/loaders", "/api/v1/definitions", "/api/v1/recurring",
                           "/api/v1/queues", "/api/v1/nodes", "/api/v1/jobs/1", "/api/v1/jobs/1/changes",
                           "/api/v1/jobs/1/log", "/api/v1/jobs/1/rejects", "/metrics", "/healthz", "/readyz"})
    EXPECT_THAT(get(path), StartsWith("HTTP/1.1 200 ")) << path;
  EXPECT_THAT(get("/metrics"), HasSubstr("7.8.9"));
  EXPECT_THAT(get("/api/v1/loaders/Country/run", "POST"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(DashboardTest, acts_on_the_jobs_of_the_program) {
  start();
  ASSERT_TRUE(engine_->start());
  jobs::NewJob later;
  later.kind = "greet";
  later.delay = std::chrono::hours(1);
  const auto id = engine_->enqueue(later);
  ASSERT_TRUE(id);
  EXPECT_THAT(get("/api/v1/jobs/1/retry", "POST"), StartsWith("HTTP/1.1 202 "));
  const auto done = engine_->wait(*id);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->state, jobs::JobState::succeeded);
}

TEST_F(DashboardTest, goes_without_its_engine) {
  start();
  page_.reset();
  ASSERT_TRUE(engine_->start()) << "which goes on";
}

TEST_F(DashboardTest, is_for_this_machine_alone) {
  const auto open = Dashboard::start(*store_, *engine_, clock_, {.host = "0.0.0.0", .port = 0});
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sluice::api
