#include "fetch/http_server.h"
#include "task/log_book.h"

#include <gtest/gtest.h>

namespace sluice::task {
namespace {

using fetch::test::HttpServer;

HttpTask request_of(const HttpServer& server, std::string method = "GET") {
  HttpTask http;
  http.request.kind = SourceSpec::Kind::http;
  http.request.url = server.url("/healthz");
  http.method = std::move(method);
  return http;
}

TEST(HttpTasks, get_and_log_the_answer) {
  HttpServer server([](const auto&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, "fine\n");
    return true;
  });
  test::Setting setting;
  const auto outcome = setting.run(request_of(server));
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  const auto result = test::result_of(outcome);
  EXPECT_EQ(result["status"], 200);
  EXPECT_EQ(result["method"], "GET");
  EXPECT_EQ(result["bytes"], 5);
  EXPECT_EQ(result["requests"], 1);
  ASSERT_EQ(setting.book.lines.size(), 2u);
  EXPECT_EQ(setting.book.lines[1], "fine");
}

TEST(HttpTasks, send_method_headers_and_body) {
  HttpServer server([](const auto&, int, const HttpServer::Reply& reply) {
    reply.answer("201 Created", {}, "");
    return true;
  });
  test::Setting setting;
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    auto http = request_of(server, method);
    http.request.headers = {{"Content-Type", "application/json"}, {"X-Reason", "night"}};
    http.body = "{\"scope\":\"all\"}";
    const auto outcome = setting.run(http);
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(server.seen().back().line, method + " /healthz HTTP/1.1");
    EXPECT_EQ(server.seen().back().header("X-Reason"), "night");
    EXPECT_EQ(server.seen().back().header("Content-Type"), "application/json");
    EXPECT_EQ(server.seen().back().body, "{\"scope\":\"all\"}");
  }
  ASSERT_FALSE(setting.run(request_of(server, "POST")).error);
  EXPECT_EQ(server.seen().back().header("Content-Length"), "0");
  ASSERT_FALSE(setting.run(request_of(server, "DELETE")).error);
  EXPECT_EQ(server.seen().back().line, "DELETE /healthz HTTP/1.1");
}

TEST(HttpTasks, read_no_body_after_head) {
  HttpServer server([](const auto&, int, const HttpServer::Reply& reply) {
    return reply.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  });
  test::Setting setting;
  const auto outcome = setting.run(request_of(server, "HEAD"));
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
}

struct Answer {
  std::string status;
  std::vector<int> expect;
  bool fine;
  bool retryable;
};
TEST(HttpTasks, judge_the_status) {
  for (const auto& answer :
       {Answer{"204 No Content", {}, true, false}, Answer{"404 Not Found", {}, false, false},
        Answer{"404 Not Found", {200, 404}, true, false}, Answer{"200 OK", {204}, false, false},
        Answer{"503 Busy", {}, false, true}, Answer{"500 Oh", {}, false, true},
        Answer{"429 Slow", {}, false, true}, Answer{"501 Never", {}, false, false}}) {
    HttpServer server([&](const auto&, int, const HttpServer::Reply& reply) {
      reply.answer(answer.status, {"Retry-After: 7"}, "because of the moon");
      return true;
    });
    test::Setting setting;
    auto http = request_of(server);
    http.expect = answer.expect;
    const auto outcome = setting.run(http);
    EXPECT_EQ(!outcome.error, answer.fine) << answer.status;
    EXPECT_EQ(test::result_of(outcome)["status"], std::stoi(answer.status));
    if (!outcome.error) continue;
    EXPECT_EQ(outcome.error->retryable, answer.retryable) << answer.status;
    EXPECT_EQ(outcome.error->retry_after.has_value(), answer.retryable) << answer.status;
    if (answer.retryable) {
      EXPECT_EQ(outcome.error->retry_after, std::chrono::seconds(7));
    }
    EXPECT_EQ(server.seen().size(), 1u) << "a job's own retry tries again, not the request";
  }
}

TEST(HttpTasks, follow_redirects_only_where_they_read) {
  HttpServer server([](const auto& request, int, const HttpServer::Reply& reply) {
    if (request.line.find("/there") != std::string::npos) {
      reply.answer("200 OK", {}, "");
    } else {
      reply.answer("302 Found", {"Location: /there"}, "");
    }
    return true;
  });
  test::Setting setting;
  EXPECT_FALSE(setting.run(request_of(server)).error);
  const auto posted = setting.run(request_of(server, "POST"));
  ASSERT_TRUE(posted.error);
  EXPECT_NE(posted.error->message.find("/there"), std::string::npos) << posted.error->message;
  EXPECT_EQ(server.seen().size(), 3u);
}

TEST(HttpTasks, are_refused_metadata_addresses) {
  test::Setting setting;
  HttpTask http;
  http.request.kind = SourceSpec::Kind::http;
  http.request.url = "http://169.254.169.254/latest/meta-data/";
  const auto outcome = setting.run(http);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::forbidden);
}

TEST(HttpTasks, can_be_tried_again_when_nobody_answers) {
  std::string url;
  {
    HttpServer server([](const auto&, int, const HttpServer::Reply&) { return false; });
    url = server.url();
  }
  test::Setting setting;
  HttpTask http;
  http.request.kind = SourceSpec::Kind::http;
  http.request.url = url;
  const auto outcome = setting.run(http);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::unreachable);
  EXPECT_TRUE(outcome.error->retryable);
  EXPECT_TRUE(test::result_of(outcome)["status"].is_null());
}

TEST(HttpTasks, hide_what_they_send) {
  HttpServer server([](const auto& request, int, const HttpServer::Reply& reply) {
    reply.answer("400 Bad", {}, "you sent " + request.header("Authorization") + " and " + request.body);
    return true;
  });
  test::Setting setting;
  auto http = request_of(server, "POST");
  http.request.auth.kind = AuthSpec::Kind::bearer;
  http.request.auth.token = Secret("topsecret1");
  http.body = "key=othersecret2";
  const auto outcome = setting.run(http, {}, {Secret("othersecret2")});
  ASSERT_TRUE(outcome.error);
  const auto all = setting.book.text() + outcome.result + outcome.error->describe();
  EXPECT_EQ(all.find("topsecret1"), std::string::npos) << all;
  EXPECT_EQ(all.find("othersecret2"), std::string::npos) << all;
}

TEST(HttpTasks, stop_while_they_wait) {
  std::stop_source stop;
  HttpServer server([&](const auto&, int, const HttpServer::Reply& reply) {
    stop.request_stop();
    reply.wait_until_gone();
    return false;
  });
  test::Setting setting;
  const auto outcome = setting.run(request_of(server), stop.get_token());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::cancelled);
}

TEST(HttpTasks, keep_only_the_beginning_of_a_long_answer) {
  HttpServer server([](const auto&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, std::string(1u << 20, 'x'));
    return false;
  });
  test::Setting setting;
  const auto outcome = setting.run(request_of(server));
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  EXPECT_LT(setting.book.text().size(), 100'000u);
}

}  // namespace
}  // namespace sluice::task
