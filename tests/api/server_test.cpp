// The server over real loopback sockets.
#include "api/server.h"

#include "fake_backend.h"
#include "socket_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <thread>

namespace sluice::api {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string get(std::string_view path, std::string_view more = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) + "\r\n";
}

class ServerTest : public testing::Test {
 protected:
  void start(ServerLimits limits = {}) {
    server.emplace(backend.parts(), RouterOptions{}, limits);
    const auto started = server->start("127.0.0.1", 0);
    ASSERT_TRUE(started) << started.error().describe();
    port = *started;
  }
  FakeBackend backend;
  std::optional<HttpServer> server;
  std::uint16_t port = 0;
};

TEST_F(ServerTest, keeps_the_connection_alive) {
  start();
  SocketClient client(port);
  client.send(get("/api/v1/jobs/17"));
  const std::string first = client.read_response();
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first, EndsWith("\r\n\r\n{\"id\":\"17\"}"));
  client.send(get("/api/v1/jobs/18"));
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
  start();
  SocketClient client(port);
  client.send(get("/healthz") + get("/api/v1/jobs/17") + get("/readyz", "Connection: close\r\n"));
  EXPECT_THAT(client.read_response(), EndsWith("ok\n"));
  EXPECT_THAT(client.read_response(), EndsWith("{\"id\":\"17\"}"));
  EXPECT_THAT(client.read_to_close(), EndsWith("ready\n"));
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, head_has_the_length_but_no_body) {
  start();
  SocketClient client(port);
  client.send("HEAD /api/v1/jobs/17 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = client.read_response(false);
  EXPECT_THAT(head, HasSubstr("Content-Length: 11\r\n"));
  client.send(get("/healthz", "Connection: close\r\n"));
  EXPECT_THAT(client.read_to_close(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ServerTest, http_1_0_is_closed_after_the_answer) {
  start();
  SocketClient client(port);
  client.send("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_to_close(), EndsWith("ok\n"));
}

TEST_F(ServerTest, refuses_a_foreign_host_and_a_missing_one) {
  start();
  SocketClient foreign(port);
  foreign.send("GET /jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_THAT(foreign.read_response(), StartsWith("HTTP/1.1 421 "));
  SocketClient none(port);
  none.send("GET /jobs HTTP/1.1\r\n\r\n");
  EXPECT_THAT(none.read_response(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, a_foreign_page_cannot_run_a_loader) {
  start();
  SocketClient client(port);
  const std::string head =
      "POST /api/v1/loaders/Country/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n";
  client.send(head + "Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n\r\n{}");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 403 "));
  client.send(head + "Content-Type: text/plain\r\n\r\n{}");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 415 "));
  EXPECT_TRUE(backend.acts.empty());
  client.send(head + "Content-Type: application/json\r\nSec-Fetch-Site: same-origin\r\n\r\n{}");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 202 "));
}

TEST_F(ServerTest, limits_header_and_body) {
  start({.header_bytes = 1024, .body_bytes = 100});
  SocketClient wide(port);
  wide.send(get("/jobs", "X-Long: " + std::string(5000, 'x') + "\r\n"));
  EXPECT_THAT(wide.read_to_close(), StartsWith("HTTP/1.1 431 "));
  SocketClient fat(port);
  fat.send(
      "POST /api/v1/loaders/Country/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 1000\r\n\r\n" +
      std::string(1000, ' '));
  fat.finish();
  EXPECT_THAT(fat.read_to_close(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, garbage_is_told_so_and_closed) {
  start();
  for (const char* garbage :
       {"\x16\x03\x01\x02\x00\x01\x00", "GET\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /jobs HTTP/9.9\r\n\r\n", "GET /../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    SocketClient client(port);
    client.send(garbage);
    client.finish();
    const std::string answer = client.read_to_close();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 400 ")) << garbage << " -> " << answer;
    EXPECT_TRUE(client.closed());
  }
  SocketClient after(port);
  after.send(get("/healthz"));
  EXPECT_THAT(after.read_response(), EndsWith("ok\n"));
}

// Whatever is refused, and wherever: JSON that says why, and the headers that protect the page.
TEST_F(ServerTest, every_refusal_is_json_and_protected) {
  start({.header_bytes = 1024, .body_bytes = 100});
  const std::string post =
      "POST /api/v1/loaders/Country/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  const std::pair<std::string, int> cases[] = {
      {get("/jobs/%00"), 400},
      {get("/assets/../../etc/passwd"), 400},
      {get("/assets/..%2f..%2fetc%2fpasswd"), 404},
      {get("/assets/%2e%2e/index.html"), 400},
      {get("/jobs", "X-Long: " + std::string(5000, 'x') + "\r\n"), 431},
      {post + "Content-Length: 1000\r\n\r\n", 413},
      {post + "Content-Length: -1\r\n\r\n", 400},
      {post + "Content-Length: 9\r\n\r\n[[[[[[[[[", 400},
      {"not http at all\r\n\r\n", 400},
      {"OPTIONS /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"BREW /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"GET /jobs HTTP/1.1\r\n\r\n", 400},
      {"GET /jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
      {get("/api/v1/jobs/-1"), 404},
      {get("/api/v1/jobs?nonsense=1"), 400},
  };
  for (const auto& [request, status] : cases) {
    SocketClient client(port);
    client.send(request);
    client.finish();
    const std::string answer = client.read_to_close();
    const std::string what = request.substr(0, 60) + "\n" + answer.substr(0, 600);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status) + " ")) << what;
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n")) << what;
    EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'")) << what;
    EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n")) << what;
    EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n")) << what;
    EXPECT_THAT(answer, HasSubstr("{\"error\":{\"code\":\"")) << what;
  }
  EXPECT_TRUE(backend.acts.empty());
}

TEST_F(ServerTest, a_body_of_brackets_is_refused_without_harm) {
  start();
  SocketClient client(port);
  const std::string deep(60'000, '[');
  client.send(
      "POST /api/v1/loaders/Country/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 60000\r\n\r\n" +
      deep);
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 400 "));
  client.send(get("/healthz"));
  EXPECT_THAT(client.read_response(), EndsWith("ok\n"));
}

TEST_F(ServerTest, clients_that_trickle_make_room_when_they_are_cut_off) {
  start({.connections = 2, .request = 100ms});
  SocketClient first(port), second(port);
  for (auto* client : {&first, &second}) client->send("GET /healthz HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(first.read_to_close(), "");
  EXPECT_EQ(second.read_to_close(), "");
  SocketClient after(port);
  after.send(get("/healthz"));
  EXPECT_THAT(after.read_response(), EndsWith("ok\n"));
}

TEST_F(ServerTest, too_many_streams_and_connections_are_refused_with_the_same_headers) {
  start({.connections = 2, .event_streams = 1});
  SocketClient first(port), second(port);
  first.send(get("/api/v1/events"));
  first.read_until("hello");
  second.send(get("/api/v1/events"));
  EXPECT_THAT(second.read_response(), HasSubstr("Content-Security-Policy:"));
  SocketClient third(port);
  third.finish();
  EXPECT_THAT(third.read_to_close(), HasSubstr("Content-Security-Policy:"));
}

TEST_F(ServerTest, a_handler_that_throws_is_an_answer_too) {
  backend.overview_hook = [] { throw std::runtime_error("boom"); };
  start();
  SocketClient client(port);
  client.send(get("/api/v1/overview"));
  const std::string answer = client.read_response();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy:"));
}

TEST_F(ServerTest, a_request_that_trickles_is_cut_off) {
  start({.request = 100ms});
  SocketClient client(port);
  client.send("GET /healthz HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(client.read_to_close(), "");
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, an_idle_connection_is_closed_in_silence) {
  start({.idle = 50ms});
  SocketClient client(port);
  EXPECT_EQ(client.read_to_close(), "");
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, one_connection_too_many_is_told_so) {
  start({.connections = 1});
  SocketClient first(port);
  first.send(get("/healthz"));
  first.read_response();  // now it surely counts
  SocketClient second(port);
  second.finish();
  EXPECT_THAT(second.read_to_close(), StartsWith("HTTP/1.1 503 "));
  first.send(get("/healthz"));
  EXPECT_THAT(first.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, events_say_what_changed) {
  start({.event_interval = 1ms});
  SocketClient client(port);
  client.send(get("/api/v1/events", "Last-Event-ID: 99\r\n"));
  const std::string opening = client.read_until("event: hello\ndata: {\"version\":\"0.1.0\"}\n\n");
  EXPECT_THAT(opening, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(opening, HasSubstr("Content-Security-Policy:"));
  backend.notify({.jobs = true, .loaders = true, .job = JobId(17)});
  EXPECT_THAT(client.read_until("data: {\"topics\":[\"jobs\",\"loaders\"],\"jobs\":[\"17\"]}\n\n"),
              HasSubstr("event: change\n"));
}

TEST_F(ServerTest, a_burst_of_changes_is_one_event) {
  start({.event_interval = 50ms});
  SocketClient client(port);
  client.send(get("/api/v1/events"));
  client.read_until("event: hello\n");
  backend.notify({.nodes = true});  // goes out at once; the others are gathered for an interval
  client.read_until("\"nodes\"");
  for (int i = 1; i <= 3; ++i) backend.notify({.jobs = true, .job = JobId(i)});
  EXPECT_THAT(client.read_until("\"jobs\":[\"1\",\"2\",\"3\"]"), HasSubstr("\"topics\":[\"jobs\"]"));
}

TEST_F(ServerTest, a_quiet_event_stream_is_pinged) {
  start({.event_ping = 20ms});
  SocketClient client(port);
  client.send(get("/api/v1/events"));
  EXPECT_THAT(client.read_until(": ping\n\n"), HasSubstr("hello"));
}

TEST_F(ServerTest, event_streams_are_limited) {
  start({.event_streams = 1});
  SocketClient first(port), second(port);
  first.send(get("/api/v1/events"));
  first.read_until("hello");
  second.send(get("/api/v1/events"));
  EXPECT_THAT(second.read_response(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ServerTest, a_slow_backend_does_not_hold_up_others) {
  std::latch entered(1), release(1);
  backend.overview_hook = [&] {
    entered.count_down();
    release.wait();
  };
  start({.handler_threads = 2});
  SocketClient slow(port), quick(port);
  slow.send(get("/api/v1/overview"));
  entered.wait();
  quick.send(get("/healthz"));
  EXPECT_THAT(quick.read_response(), EndsWith("ok\n"));
  release.count_down();
  EXPECT_THAT(slow.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, a_store_that_hangs_takes_neither_the_page_nor_the_sign_of_life_along) {
  std::latch entered(2), release(1);
  backend.overview_hook = [&] {
    entered.count_down();
    release.wait();
  };
  start({.handler_threads = 2});
  SocketClient one(port), two(port), quick(port), page(port);
  one.send(get("/api/v1/overview"));
  two.send(get("/api/v1/overview"));
  entered.wait();
  quick.send(get("/healthz"));
  EXPECT_THAT(quick.read_response(), EndsWith("ok\n"));
  page.send(get("/assets/none.js"));
  EXPECT_THAT(page.read_response(), StartsWith("HTTP/1.1 404 "));
  release.count_down();
  EXPECT_THAT(one.read_response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(two.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, stop_ends_streams_and_lets_requests_finish) {
  std::latch entered(1), release(1);
  backend.overview_hook = [&] {
    entered.count_down();
    release.wait();
  };
  start();
  SocketClient stream(port), idle(port), busy(port);
  stream.send(get("/api/v1/events"));
  stream.read_until("hello");
  busy.send(get("/api/v1/overview"));
  entered.wait();
  std::jthread stopper([&] { server->stop(); });
  EXPECT_THAT(stream.read_to_close(), HasSubstr("hello"));
  EXPECT_EQ(idle.read_to_close(), "");
  release.count_down();
  const std::string answer = busy.read_to_close();
  EXPECT_THAT(answer, HasSubstr("{\"version\":\"0.1.0\"}"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  stopper.join();
  backend.notify({.jobs = true});  // nobody listens any more; must not crash
  server->stop();
}

TEST_F(ServerTest, a_port_in_use_is_an_environment_error) {
  start();
  HttpServer other(backend.parts(), {});
  const auto second = other.start("127.0.0.1", port);
  ASSERT_FALSE(second);
  EXPECT_EQ(exit_code_for(second.error().code), 3);
  EXPECT_THAT(second.error().describe(), HasSubstr("--listen"));
}

TEST_F(ServerTest, other_addresses_are_refused_before_they_are_bound) {
  HttpServer open(backend.parts(), {});
  const auto started = open.start("0.0.0.0", 0);
  ASSERT_FALSE(started);
  EXPECT_EQ(exit_code_for(started.error().code), 2);
}

}  // namespace
}  // namespace sluice::api
