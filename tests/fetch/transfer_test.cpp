// What only the transfer itself can promise: the address that is really connected to, and TLS.
#include "fetch/transfer.h"

#include "fetch/curl_library.h"
#include "fetch/fixture.h"

#include <mutex>
#include <set>
#include <thread>

namespace sluice::fetch::test {
namespace {

using testing::HasSubstr;

using Transfers = FetchTest;

Request request_to(std::string_view url) {
  Request request;
  request.url = *parse_url(url);
  request.address = request.url.text;
  request.connect_timeout = milliseconds(2000);
  return request;
}

TEST_F(Transfers, judge_the_address_that_a_name_resolved_to_before_a_packet_is_sent) {
  // As after a DNS answer that points inside: the name was not judged here, the address is.
  Transfer transfer(policy_, {});
  Spool spool(folder_ / "spool", 1000);
  const auto error = error_of(transfer.get(request_to("http://169.254.169.254/latest/meta-data"), spool, {}));
  EXPECT_EQ(error.code, ErrorCode::forbidden);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("--allow-address"));
}

TEST_F(Transfers, reuse_a_connection_for_the_next_request) {
  std::mutex mutex;
  std::set<std::thread::id> connections;
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    std::lock_guard lock(mutex);
    connections.insert(std::this_thread::get_id());  // one thread serves one connection
    reply.answer("503 Busy", {}, "later");
    return true;
  });
  Transfer transfer(policy_, {});
  for (int i = 0; i < 3; ++i) {
    Spool spool(folder_ / "spool", 1000);
    const auto response = transfer.get(request_to(server.url()), spool, {});
    ASSERT_TRUE(response) << response.error().describe();
    EXPECT_EQ(response->status, 503);
    EXPECT_EQ(response->excerpt, "later");
  }
  EXPECT_EQ(connections.size(), 1u);
}

TEST_F(Transfers, share_a_pool_between_fetches) {
  std::mutex mutex;
  std::set<std::thread::id> connections;
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    std::lock_guard lock(mutex);
    connections.insert(std::this_thread::get_id());
    reply.answer("200 OK", {}, "[1]");
    return true;
  });
  auto with = context();
  with.connections = std::make_shared<ConnectionPool>();
  auto source = http(server.url());
  source.auth = {.kind = AuthSpec::Kind::basic, .user = "me", .password = Secret("secret")};
  ASSERT_TRUE(fetch(source, {}, with, {}));
  ASSERT_TRUE(fetch(http(server.url()), {}, with, {}));
  EXPECT_EQ(connections.size(), 1u);
  EXPECT_NE(server.seen()[0].header("Authorization"), "");
  EXPECT_EQ(server.seen()[1].header("Authorization"), "") << "credentials belong to a request";
}

TEST_F(Transfers, cut_off_an_endless_error_page) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    while (reply.send("no ")) {
    }
    return false;
  });
  Transfer transfer(policy_, {});
  Spool spool(folder_ / "spool", 1000);
  const auto response = transfer.get(request_to(server.url()), spool, {});
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->status, 404);
  EXPECT_LE(response->excerpt.size(), 4096u);
}

TEST_F(Transfers, https_to_a_server_without_tls_says_so) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply&) { return false; });
  // The greeting of TLS holds no blank line, so the plain server would wait for more: the idle limit of the
  // handshake is the connect time-out.
  auto request = request_to("https" + server.url().substr(4));
  request.connect_timeout = milliseconds(100);
  Transfer transfer(policy_, {});
  Spool spool(folder_ / "spool", 1000);
  const auto error = error_of(transfer.get(request, spool, {}));
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_TRUE(error.retryable);
}

TEST(CurlLibrary, starts_and_names_its_version) {
  auto library = CurlLibrary::start();
  ASSERT_TRUE(library);
  const CurlLibrary moved = std::move(*library);
  EXPECT_TRUE(CurlLibrary::version().starts_with("libcurl/"));
}

}  // namespace
}  // namespace sluice::fetch::test
