// Servers, proxies and URLs that mean harm, or that were written by hand.
#include "base/text.h"
#include "fetch/content_decoder.h"
#include "fetch/fixture.h"
#include "fetch/gzip_text.h"
#include "fetch/variable.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>

namespace sluice::fetch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using Hostile = FetchTest;
using Proxies = FetchTest;

constexpr std::string_view kBody = R"([{"id":1},{"id":2}])";

SourceSpec once(SourceSpec source) {
  source.retry.limit = 0;
  return source;
}

TEST_F(Hostile, passwords_of_wrongly_written_urls_are_not_repeated) {
  const std::string secret = "hunter2-secret";
  for (const std::string& url :
       {"https://me:" + std::string(300, 's') + secret + "@bad host/x", "https://me:" + secret + "@",
        "me:" + secret + "@host/x", "https://me:a/" + secret + "@127.0.0.1/x",
        "https://me:a?" + secret + "@127.0.0.1/x", "https://me:a#" + secret + "@127.0.0.1/x",
        "ftp://me:" + secret + "@127.0.0.1/x", "http://127.0.0.1:99999/x?key=" + secret,
        "http://127.0.0.1:99999/x#" + secret}) {
    const auto error = error_of(get(http(url)));
    EXPECT_EQ(error.code, ErrorCode::invalid_definition) << url;
    EXPECT_THAT(error.describe(), Not(HasSubstr("secret"))) << url;
    EXPECT_THAT(error.describe(), Not(HasSubstr("sssssss"))) << url;
  }
  EXPECT_THAT(log_, Not(HasSubstr("secret")));
}

TEST_F(Hostile, a_redirect_s_secrets_are_not_repeated_either) {
  const std::string secret = "hunter2-secret";
  std::string target;
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("302 Found", {"Location: " + target}, "");
    return true;
  });
  for (const std::string& to :
       {"ftp://me:" + std::string(300, 's') + secret + "@host/", "http://me:a/" + secret + "@127.0.0.1:x/",
        "http://127.0.0.1:99999/?" + secret + "-0123456789"}) {
    target = to;
    const auto error = error_of(get(once(http(server.url()))));
    EXPECT_THAT(error.describe(), Not(HasSubstr("secret"))) << to;
    EXPECT_THAT(error.describe(), Not(HasSubstr("sssssss"))) << to;
  }
  EXPECT_THAT(log_, Not(HasSubstr("secret")));
}

TEST_F(Hostile, what_c_would_cut_at_a_nul_is_refused) {
  using namespace std::string_literals;
  EXPECT_EQ(error_of(get(http("http://127.0.0.1:1/\0x"s))).code, ErrorCode::invalid_definition);
  auto source = http("http://127.0.0.1:1/");
  source.auth = {.kind = AuthSpec::Kind::basic, .user = "me", .password = Secret("pass\0geheim"s)};
  const auto error = error_of(get(once(source)));
  EXPECT_EQ(error.code, ErrorCode::invalid_definition);
  EXPECT_THAT(error.describe(), Not(HasSubstr("geheim")));
}

TEST_F(Hostile, a_basic_user_with_a_colon_is_refused) {  // RFC 7617, 2: the colon ends the user
  auto source = http("http://127.0.0.1:1/");
  source.auth = {.kind = AuthSpec::Kind::basic, .user = "me:you", .password = Secret("secret")};
  const auto error = error_of(get(once(source)));
  EXPECT_EQ(error.code, ErrorCode::invalid_definition);
  EXPECT_THAT(error.message, HasSubstr("colon"));
}

TEST_F(Hostile, an_etag_that_would_match_everything_or_break_the_request_is_not_used) {
  // "*" asks "not modified as long as there is anything"; a list may hold it; servers refuse giant headers.
  for (const std::string& etag :
       {std::string("*"), std::string(R"("a", *)"), '"' + std::string(9000, 'x') + '"'}) {
    HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
      reply.answer("200 OK", {"ETag: " + etag}, kBody);
      return true;
    });
    const auto first = get(http(server.url()));
    ASSERT_TRUE(first) << first.error().describe();
    ASSERT_TRUE(get(http(server.url()), validators(*first)));
    EXPECT_TRUE(server.seen()[1].header("If-None-Match").empty()) << etag.substr(0, 20);
  }
}

TEST_F(Hostile, etags_as_servers_write_them_are_sent_back) {
  for (const std::string etag : {"\"v1\"", "W/\"v1\"", "\"a, b\"", "unquoted-1", "\"\""}) {
    HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
      reply.answer("200 OK", {"ETag: " + etag}, kBody);
      return true;
    });
    const auto first = get(http(server.url()));
    ASSERT_TRUE(first);
    ASSERT_TRUE(get(http(server.url()), validators(*first)));
    EXPECT_EQ(server.seen()[1].header("If-None-Match"), etag);
  }
}

TEST_F(Hostile, a_body_that_drips_is_as_good_as_silence) {
  HttpServer server([](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.line.starts_with("GET /headers")) {
      reply.send("HTTP/1.1 200 OK\r\n");
      reply.drip("X: y\r\n", 200, milliseconds(20));
    } else {
      reply.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      reply.drip(" ", 200, milliseconds(20));
    }
    return false;
  });
  for (const std::string_view path : {"/headers", "/body"}) {
    auto source = once(http(server.url(path)));
    source.timeouts.idle = milliseconds(200);
    const auto error = error_of(get(source));
    EXPECT_EQ(error.code, ErrorCode::timeout) << path;
    EXPECT_TRUE(error.retryable) << path;
    EXPECT_THAT(error.message, HasSubstr("timeouts.idle")) << path;
  }
}

TEST_F(Hostile, a_slow_server_that_sends_enough_is_heard_out) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    reply.drip(std::string(600, ' '), 20, milliseconds(20));
    return false;
  });
  auto source = once(http(server.url()));
  source.timeouts.idle = milliseconds(200);
  const auto fetched = get(source);
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->bytes, 12'000);
}

TEST_F(Hostile, answers_that_contradict_themselves_are_never_data) {
  using namespace std::string_literals;
  for (const std::string& bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\n[1]"s,
        "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n[1]"s,
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n[1]"s,
        "HTTP/1.1 200 OK\r\nContent-Length: 3, 9\r\n\r\n[1]"s,
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[1]"s,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[1]\r\n0\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n[1]\r\n0\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]tail0\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 3\r\n\r\n[1]"s,
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 3\r\n\r\n[1]"s, "HTTP/1.1 abc\r\n\r\n[1]"s,
        "HTTP/9.9 200 OK\r\n\r\n[1]"s, "HTTP/1.1 2000 OK\r\n\r\n[1]"s, "[1]"s, "\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nContent-Le"s, "HTTP/1.1 100 Continue\r\n\r\n"s}) {
    // A server for each: it may still be writing when the fetch has given up.
    HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
      reply.send(bytes);
      return false;
    });
    const auto fetched = get(once(http(server.url())));
    EXPECT_FALSE(fetched) << printable(bytes);
  }
}

TEST_F(Hostile, padding_after_a_gzip_stream_is_ignored_however_it_arrives) {
  auto decoder = ContentDecoder::create("gzip");
  ASSERT_TRUE(decoder);
  std::string decoded;
  const auto sink = [&](std::string_view bytes) -> Result<void> {
    decoded += bytes;
    return {};
  };
  const std::string stream = gzip(kBody);
  ASSERT_TRUE((*decoder)->write(stream + stream, sink));  // two members
  ASSERT_TRUE((*decoder)->write(std::string("\0\0", 2), sink));
  ASSERT_TRUE((*decoder)->write("\x1f is padding as well by now", sink));
  ASSERT_TRUE((*decoder)->finish());
  EXPECT_EQ(decoded, std::string(kBody) + std::string(kBody));
}

TEST_F(Hostile, a_full_spool_is_said_once_and_leaves_nothing) {
  const std::string large(200'000, 'x');
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, large);
    return true;
  });
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 64 << 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto error = error_of(get(http(server.url())));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code, ErrorCode::io);
  EXPECT_TRUE(error.retryable) << "a later run may find room";
  EXPECT_THAT(error.describe(), HasSubstr("spool in " + (folder_ / "spool").string()));
  EXPECT_THAT(error.describe(), HasSubstr("size limit"));
  EXPECT_EQ(server.seen().size(), 1u) << "the same bytes would not fit a moment later";
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "spool"));
  EXPECT_TRUE(get(http(server.url())));
}

TEST_F(Proxies, that_refuse_the_tunnel_say_so) {
  std::string status;
  HttpServer proxy([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer(status, {}, "");
    return false;
  });
  const Variable none("no_proxy", "");
  const Variable all("https_proxy", "http://me:hunter2-secret@127.0.0.1:" + std::to_string(proxy.port()));
  status = "407 Proxy Authentication Required";
  auto error = error_of(get(http("https://data.example/x")));
  EXPECT_EQ(error.code, ErrorCode::unauthorized);
  EXPECT_THAT(error.message, HasSubstr("proxy"));
  EXPECT_EQ(proxy.seen().size(), 1u) << "not tried again";
  status = "403 Forbidden";
  error = error_of(get(http("https://data.example/x")));
  EXPECT_EQ(error.code, ErrorCode::unauthorized);
  EXPECT_THAT(error.message, HasSubstr("403"));
  EXPECT_EQ(proxy.seen().size(), 2u) << "not tried again";
  status = "502 Bad Gateway";
  error = error_of(get(http("https://data.example/x")));
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2")));
}

TEST_F(Proxies, whose_url_is_wrong_do_not_give_away_their_password) {
  const Variable none("no_proxy", "");
  for (const std::string proxy :
       {"foo://me:hunter2-secret@127.0.0.1:1", "http://me:hunter2-secret@127.0.0.1:x",
        "http://me:hunter2-secret@no host"}) {
    const Variable all("http_proxy", proxy);
    const auto error = error_of(get(once(http("http://data.example/x"))));
    EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2"))) << proxy;
    EXPECT_THAT(error.describe(), HasSubstr("proxy"));
  }
}

TEST_F(Proxies, are_asked_for_plain_urls_and_get_no_header_of_the_tunnel) {
  HttpServer proxy([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, kBody);
    return true;
  });
  const Variable none("no_proxy", "localhost");
  const Variable all("http_proxy", "http://127.0.0.1:" + std::to_string(proxy.port()));
  ASSERT_TRUE(get(once(http("http://data.example/x"))));
  EXPECT_EQ(proxy.seen()[0].line, "GET http://data.example/x HTTP/1.1");
  // A proxy would do the connecting: literals are judged before it is asked.
  EXPECT_EQ(error_of(get(once(http("http://169.254.169.254/x")))).code, ErrorCode::forbidden);
}

}  // namespace
}  // namespace sluice::fetch::test
