#include "api/router.h"

#include "api/protection.h"
#include "fake_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

namespace sluice::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RouterTest : public testing::Test {
 protected:
  static Request request(const std::string& method, const std::string& target, Fields headers = {}) {
    Request request;
    request.method = method;
    request.target = parse_target(target).value();
    request.headers = std::move(headers);
    if (!request.header("host")) request.headers.emplace_back("host", "127.0.0.1:8080");
    request.peer = "127.0.0.1";
    return request;
  }
  Response get(const std::string& target, Fields headers = {}) {
    return router.handle(request("GET", target, std::move(headers)));
  }
  Response post(const std::string& target, Fields headers = {}, std::string body = "") {
    headers.emplace_back("content-type", "application/json");
    Request posted = request("POST", target, std::move(headers));
    posted.body = std::move(body);
    return router.handle(posted);
  }
  static std::string code_of(const Response& response) { return json::parse(response.body)["error"]["code"]; }
  static std::string message_of(const Response& response) {
    return json::parse(response.body)["error"]["message"];
  }

  static constexpr Asset kAssets[] = {{"index.html", "text/html; charset=utf-8", "<p>page</p>", false},
                                      {"app-1.js", "text/javascript; charset=utf-8", "go()", false}};
  FakeBackend backend;
  Router router{backend.parts(), {.allowed_hosts = {"sluice.example"}, .version = "9.9", .assets = kAssets}};
};

TEST_F(RouterTest, passes_documents_through_untouched) {
  const Response response = get("/api/v1/loaders/Country");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"name":"Country"})");
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(*response.header("Cache-Control"), "no-store");
}

TEST_F(RouterTest, lists_are_items_and_next) {
  backend.next_cursor = "41";
  EXPECT_EQ(get("/api/v1/jobs?limit=1").body,
            R"({"items":[{"id":"9007199254740993"}],"next":"/api/v1/jobs?limit=1&after=41"})");
  for (const char* path : {"loaders", "recurring", "queues", "nodes", "definitions", "jobs/17/changes",
                           "jobs/17/rejects", "jobs/17/log"}) {
    const json list = json::parse(get(std::string("/api/v1/") + path).body);
    EXPECT_TRUE(list["items"].is_array()) << path;
    EXPECT_TRUE(list["next"].is_null()) << path;
  }
}

TEST_F(RouterTest, every_list_takes_a_limit_and_a_place_to_go_on_from) {
  backend.list_cursor = "x y";
  for (const char* name : {"loaders", "definitions", "queues", "nodes"}) {
    const std::string path = std::string("/api/v1/") + name;
    const Response response = get(path + "?limit=7&after=B%20C");
    ASSERT_EQ(response.status, 200) << path << response.body;
    EXPECT_EQ(backend.last_page.limit, 7) << path;
    EXPECT_EQ(backend.last_page.after, "B C") << path;
    EXPECT_EQ(json::parse(response.body)["next"], path + "?limit=7&after=x%20y");
    EXPECT_EQ(get(path).status, 200);
    EXPECT_EQ(backend.last_page.limit, 50) << path;
    EXPECT_EQ(get(path + "?limit=501").status, 400);
    EXPECT_EQ(get(path + "?limti=5").status, 400);
  }
}

TEST_F(RouterTest, reads_the_loader_filter) {
  ASSERT_EQ(get("/api/v1/loaders?text=land&state=failing").status, 200);
  EXPECT_EQ(backend.last_loader_filter.text, "land");
  EXPECT_EQ(backend.last_loader_filter.state, "failing");
  EXPECT_THAT(message_of(get("/api/v1/loaders?state=pausd")), HasSubstr("did you mean 'paused'"));
}

TEST_F(RouterTest, reads_the_job_filter) {
  ASSERT_EQ(
      get("/api/v1/jobs?state=failed,held&state=deleted&loader=A%20B&retrying=true&text=x&from=2026-01-05")
          .status,
      200);
  EXPECT_THAT(backend.last_filter.states, ElementsAre("failed", "held", "deleted"));
  EXPECT_EQ(backend.last_filter.loader, "A B");
  EXPECT_TRUE(backend.last_filter.retrying);
  EXPECT_TRUE(backend.last_filter.from.has_value());
  EXPECT_EQ(backend.last_page.limit, 50);
}

TEST_F(RouterTest, bad_parameters_say_what_to_write) {
  EXPECT_THAT(message_of(get("/api/v1/jobs?state=faild")), HasSubstr("did you mean 'failed'"));
  EXPECT_THAT(message_of(get("/api/v1/jobs?stat=failed")), HasSubstr("did you mean 'state'"));
  EXPECT_THAT(message_of(get("/api/v1/jobs?limit=0")), HasSubstr("from 1 to 500"));
  EXPECT_THAT(message_of(get("/api/v1/jobs?limit=5&limit=6")), HasSubstr("twice"));
  EXPECT_THAT(message_of(get("/api/v1/jobs?from=yesterday")), HasSubstr("from"));
  EXPECT_THAT(message_of(get("/api/v1/overview?window=2h")), HasSubstr("1h, 24h or 7d"));
  EXPECT_THAT(message_of(get("/api/v1/schedule")), HasSubstr("phrase"));
  EXPECT_EQ(get("/api/v1/jobs?limit=501").status, 400);
}

TEST_F(RouterTest, schedule_and_overview_pass_their_parameters_on) {
  EXPECT_EQ(get("/api/v1/schedule?phrase=every+2+minutes&zone=Europe/Zurich&count=7").status, 200);
  EXPECT_EQ(backend.last_schedule.phrase, "every 2 minutes");
  EXPECT_EQ(backend.last_schedule.zone, "Europe/Zurich");
  EXPECT_EQ(backend.last_schedule.count, 7);
  EXPECT_EQ(get("/api/v1/overview?window=24h").status, 200);
  EXPECT_EQ(backend.last_window.first, std::chrono::hours(24));
}

TEST_F(RouterTest, errors_carry_code_and_message) {
  const Response missing = get("/api/v1/jobs/18");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(code_of(missing), "notFound");
  EXPECT_EQ(get("/api/v1/jobs/x").status, 404);
  EXPECT_EQ(get("/api/v1/jobs/99999999999999999999").status, 404);
  EXPECT_EQ(get("/api/v1/nothing").status, 404);
  EXPECT_EQ(code_of(post("/api/v1/jobs/17/undo")), "unsupported");
  EXPECT_EQ(post("/api/v1/jobs/17/undo").status, 501);
  EXPECT_EQ(post("/api/v1/jobs/17/retry").status, 409);
}

TEST_F(RouterTest, actions_name_their_actor) {
  const Response response = post("/api/v1/loaders/Country/run");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, R"({"job":"18"})");
  EXPECT_EQ(post("/api/v1/jobs/17/cancel", {}, "{}").status, 202);
  EXPECT_EQ(post("/api/v1/loaders/Country/pause").status, 200);
  EXPECT_THAT(backend.acts, ElementsAre("run Country by api 127.0.0.1", "cancel 17 by api 127.0.0.1",
                                        "pause Country by api 127.0.0.1"));
}

TEST_F(RouterTest, queues_are_paused_and_resumed) {
  EXPECT_EQ(post("/api/v1/queues/mail/pause").status, 200);
  EXPECT_EQ(post("/api/v1/queues/mail/resume").status, 200);
  EXPECT_EQ(get("/api/v1/queues/mail/pause").status, 405);
  EXPECT_THAT(backend.acts,
              ElementsAre("pause queue mail by api 127.0.0.1", "resume queue mail by api 127.0.0.1"));
}

TEST_F(RouterTest, a_change_may_expect_a_state) {
  EXPECT_EQ(post("/api/v1/jobs/17/cancel?expected=failed").status, 202);
  EXPECT_EQ(post("/api/v1/jobs/17/cancel?expected=broken").status, 400);
  EXPECT_EQ(post("/api/v1/jobs/17/reschedule?at=2026-01-05T09:30Z").status, 202);
  EXPECT_EQ(post("/api/v1/jobs/17/reschedule").status, 400);
  EXPECT_EQ(post("/api/v1/jobs/17/reschedule?at=soon").status, 400);
  EXPECT_THAT(backend.acts,
              ElementsAre("cancel 17 if failed by api 127.0.0.1", "reschedule 17 to 2026-01-05T09:30:00Z"));
}

TEST_F(RouterTest, all_failed_jobs_of_a_filter_are_run_again) {
  const Response done = post("/api/v1/jobs/retry?kind=send&batch=14&limit=200&after=9");
  EXPECT_EQ(done.status, 202);
  EXPECT_THAT(backend.last_filter.states, ElementsAre("failed"));
  EXPECT_EQ(backend.last_filter.kind, "send");
  EXPECT_EQ(backend.last_filter.batch, JobId(14));
  EXPECT_EQ(backend.last_page.limit, 200);
  EXPECT_EQ(backend.last_page.after, "9");
  EXPECT_EQ(post("/api/v1/jobs/retry?batch=x").status, 400);
}

TEST_F(RouterTest, batches_are_listed) {
  EXPECT_EQ(get("/api/v1/batches").status, 200);
  EXPECT_EQ(get("/api/v1/jobs?batch=14").status, 200);
  EXPECT_EQ(backend.last_filter.batch, JobId(14));
}

TEST_F(RouterTest, action_bodies_must_be_empty_objects) {
  EXPECT_EQ(post("/api/v1/loaders/Country/run", {}, "[]").status, 400);
  EXPECT_EQ(post("/api/v1/loaders/Country/run", {}, "{").status, 400);
  EXPECT_THAT(message_of(post("/api/v1/loaders/Country/run", {}, R"({"full":true})")), HasSubstr("full"));
  EXPECT_THAT(backend.acts, IsEmpty());
}

TEST_F(RouterTest, wrong_methods_are_told_the_right_ones) {
  const Response response = get("/api/v1/loaders/Country/run");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(*response.header("Allow"), "POST");
  EXPECT_EQ(*post("/api/v1/jobs").header("Allow"), "GET, HEAD");
  EXPECT_EQ(router.handle(request("DELETE", "/api/v1/jobs/17")).status, 405);
  EXPECT_EQ(router.handle(request("HEAD", "/api/v1/jobs/17")).status, 200);
}

TEST_F(RouterTest, accept_is_honoured) {
  EXPECT_EQ(get("/api/v1/jobs", {{"accept", "text/html"}}).status, 406);
  EXPECT_EQ(get("/api/v1/jobs", {{"accept", "text/html, application/json;q=0"}}).status, 406);
  EXPECT_EQ(get("/api/v1/jobs", {{"accept", "text/html, application/*;q=0.5"}}).status, 200);
  EXPECT_EQ(get("/api/v1/jobs", {{"accept", "*/*"}}).status, 200);
  EXPECT_EQ(get("/metrics", {{"accept", "application/openmetrics-text,text/plain;version=0.0.4"}}).status,
            200);
}

TEST_F(RouterTest, a_foreign_host_is_refused) {
  for (const char* host :
       {"evil.example", "127.0.0.1.evil.example", "sluice.example.evil", "128.0.0.1", "127.evil"}) {
    const Response response = get("/api/v1/jobs", {{"host", host}});
    EXPECT_EQ(response.status, 421) << host;
  }
  for (const char* host : {"127.0.0.1:8080", "localhost", "LOCALHOST:9000", "[::1]:8080", "sluice.example"}) {
    EXPECT_EQ(get("/api/v1/jobs", {{"host", host}}).status, 200) << host;
  }
  for (const char* host : {"", "a b", "localhost:x", "user@localhost", "[::1"}) {
    EXPECT_EQ(get("/api/v1/jobs", {{"host", host}}).status, 400) << host;
  }
  EXPECT_EQ(get("/api/v1/jobs", {{"host", "localhost"}, {"host", "evil.example"}}).status, 400);
  EXPECT_EQ(get("http://evil.example/api/v1/jobs").status, 421);
  EXPECT_EQ(get("/jobs", {{"host", "evil.example"}}).status, 421);
}

TEST_F(RouterTest, a_foreign_page_cannot_post) {
  const std::string run = "/api/v1/loaders/Country/run";
  EXPECT_EQ(post(run, {{"sec-fetch-site", "cross-site"}}).status, 403);
  EXPECT_EQ(post(run, {{"sec-fetch-site", "same-site"}}).status, 403);
  EXPECT_EQ(post(run, {{"origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(post(run, {{"origin", "null"}}).status, 403);
  EXPECT_EQ(post(run, {{"origin", "http://127.0.0.1:9999"}}).status, 403);
  Request form = request("POST", run, {{"content-type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(router.handle(form).status, 415);
  EXPECT_EQ(router.handle(request("POST", run)).status, 415);
  EXPECT_EQ(router.handle(request("POST", run, {{"content-type", "text/plain; application/json"}})).status,
            415);
  EXPECT_THAT(backend.acts, IsEmpty());

  EXPECT_EQ(post(run, {{"sec-fetch-site", "same-origin"}}).status, 202);
  EXPECT_EQ(post(run, {{"sec-fetch-site", "none"}}).status, 202);
  EXPECT_EQ(post(run, {{"origin", "http://127.0.0.1:8080"}}).status, 202);
}

TEST_F(RouterTest, every_answer_is_protected) {
  for (const Response& response : {get("/jobs"), get("/api/v1/nothing"), get("/", {{"host", "evil"}})}) {
    const std::string* policy = response.header("Content-Security-Policy");
    ASSERT_TRUE(policy);
    EXPECT_THAT(*policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(*policy, testing::Not(HasSubstr("unsafe")));
    EXPECT_EQ(*response.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(*response.header("Cross-Origin-Opener-Policy"), "same-origin");
  }
}

TEST_F(RouterTest, the_page_is_at_jobs_and_below) {
  EXPECT_EQ(get("/").status, 307);
  EXPECT_EQ(*get("/").header("Location"), "/jobs");
  for (const char* path : {"/jobs", "/jobs/", "/jobs/17", "/jobs/loaders/Country?tab=x"}) {
    EXPECT_EQ(get(path).body, "<p>page</p>") << path;
  }
  EXPECT_THAT(*get("/assets/app-1.js").header("Cache-Control"), HasSubstr("immutable"));
  EXPECT_EQ(get("/assets/app-2.js").status, 404);
  EXPECT_EQ(get("/assets/..%2fetc%2fpasswd").status, 404);
  EXPECT_EQ(get("/jobsx").status, 404);
}

TEST_F(RouterTest, embedded_files_unpack_for_clients_without_gzip) {
  Router embedded(backend.parts(), {});
  Request plain = request("GET", "/jobs");
  const Response response = embedded.handle(plain);
  ASSERT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("<title>Sluice</title>"));
  EXPECT_EQ(response.header("Content-Encoding"), nullptr);
}

TEST_F(RouterTest, a_polling_client_is_told_nothing_changed) {
  const Response first = get("/api/v1/loaders");
  ASSERT_TRUE(first.header("ETag"));
  const Response second = get("/api/v1/loaders", {{"if-none-match", *first.header("ETag")}});
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body, "");
}

TEST_F(RouterTest, health_readiness_and_metrics) {
  EXPECT_EQ(get("/healthz").body, "ok\n");
  EXPECT_EQ(get("/readyz").status, 200);
  backend.readiness = fail(ErrorCode::unreachable, "the job store is not open");
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_THAT(get("/readyz").body, HasSubstr("job store"));
  const std::string text = get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("sluice_build_info{version=\"9.9\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_jobs{state=\"succeeded\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("sluice_loader_failing{loader=\"say \\\"hi\\\"\\\\\\n\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_loader_last_success_timestamp_seconds{loader="));
}

TEST_F(RouterTest, openapi_describes_every_route) {
  const json document = json::parse(get("/api/v1/openapi.json").body);
  EXPECT_EQ(document["info"]["version"], "9.9");
  EXPECT_TRUE(document["paths"]["/api/v1/jobs/{id}/cancel"].contains("post"));
  EXPECT_EQ(document["paths"]["/api/v1/jobs"]["get"]["parameters"].size(), 12u);
  EXPECT_FALSE(document["paths"].contains("/jobs/*"));
}

TEST_F(RouterTest, error_text_is_data_never_markup) {
  for (const char* evil : {"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "';--"}) {
    const Response response = get("/api/v1/loaders/" + percent_encode(evil));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(message_of(response), std::string("there is no loader '") + evil + "'");
  }
}

TEST(ListenAddress, only_loopback_without_accounts) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"}) {
    EXPECT_TRUE(check_listen_address(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.evil", "127.0.0.1.evil"}) {
    const auto checked = check_listen_address(host);
    ASSERT_FALSE(checked) << host;
    EXPECT_EQ(exit_code_for(checked.error().code), 2);
    EXPECT_THAT(checked.error().message, HasSubstr("127.0.0.1"));
  }
}

}  // namespace
}  // namespace sluice::api
