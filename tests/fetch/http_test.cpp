// The everyday life of an HTTP source: conditional requests, credentials, redirects.
#include "fetch/fixture.h"
#include "fetch/secret_mask.h"

#include <fmt/format.h>

namespace sluice::fetch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using Http = FetchTest;
using Redirects = FetchTest;
using Credentials = FetchTest;

constexpr std::string_view kBody = R"([{"id":1},{"id":2}])";

HttpServer::Script with_etag(std::string etag) {
  return [etag](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.header("If-None-Match") == etag)
      reply.answer("304 Not Modified", {"ETag: " + etag}, "");
    else
      reply.answer("200 OK", {"ETag: " + etag, "Content-Type: application/json"}, kBody);
    return true;
  };
}

TEST_F(Http, spools_the_body_and_remembers_its_validators) {
  HttpServer server(with_etag("\"v1\""));
  const auto fetched = get(http(server.url()));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  ASSERT_EQ(fetched->items.size(), 1u);
  EXPECT_EQ(bytes_of(fetched->items[0]), kBody);
  EXPECT_EQ(fetched->items[0].content_type, "application/json");
  EXPECT_EQ(fetched->items[0].validators.etag, "\"v1\"");
  EXPECT_EQ(fetched->items[0].validators.length, kBody.size());
  EXPECT_EQ(fetched->items[0].validators.body_hash.size(), 32u);
  EXPECT_FALSE(fetched->not_modified);
  EXPECT_EQ(fetched->requests, 1);
  EXPECT_EQ(fetched->bytes, static_cast<std::int64_t>(kBody.size()));
  EXPECT_TRUE(verify_pinned(*fetched));
  EXPECT_TRUE(server.seen()[0].line.starts_with("GET /data.json "));
  EXPECT_EQ(server.seen()[0].header("User-Agent"), "sluice-test/1");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "spool")) << "spooled bytes have no name";
}

TEST_F(Http, a_304_is_not_modified_and_costs_one_request) {
  HttpServer server(with_etag("W/\"v1\""));
  const auto first = get(http(server.url()));
  ASSERT_TRUE(first);
  const auto again = get(http(server.url()), validators(*first));
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_TRUE(again->not_modified);
  EXPECT_TRUE(again->items.empty());
  EXPECT_EQ(again->requests, 1);
  EXPECT_EQ(again->bytes, 0);
}

TEST_F(Http, validators_survive_their_json_form) {
  HttpServer server(with_etag("\"v1\""));
  const auto first = get(http(server.url()));
  ASSERT_TRUE(first);
  const auto back = validators_from_json(to_json(validators(*first)));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, validators(*first));
  EXPECT_FALSE(validators_from_json("{}"));
  EXPECT_FALSE(validators_from_json("[{\"length\":\"x\"}]"));
  EXPECT_FALSE(validators_from_json("["));
}

TEST_F(Http, the_etag_wins_over_last_modified) {
  HttpServer server([](const SeenRequest&, int number, const HttpServer::Reply& reply) {
    // The date stays although the content changes: only the ETag tells.
    reply.answer("200 OK",
                 {fmt::format("ETag: \"v{}\"", number), "Last-Modified: Mon, 01 Dec 2025 10:00:00 GMT"},
                 fmt::format("[{}]", number));
    return true;
  });
  const auto first = get(http(server.url()));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->items[0].validators.last_modified, "Mon, 01 Dec 2025 10:00:00 GMT");
  const auto again = get(http(server.url()), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_EQ(server.seen()[1].header("If-None-Match"), "\"v0\"");
  EXPECT_EQ(server.seen()[1].header("If-Modified-Since"), "");
  EXPECT_FALSE(again->not_modified);
  EXPECT_EQ(bytes_of(again->items[0]), "[1]");
}

TEST_F(Http, last_modified_is_sent_back_word_for_word) {
  constexpr std::string_view odd = "Mon, 1 Dec 2025 10:00:00 GMT";  // one digit: not our way to write it
  HttpServer server([&](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.header("If-Modified-Since") == odd)
      reply.answer("304 Not Modified", {}, "");
    else
      reply.answer("200 OK", {fmt::format("Last-Modified: {}", odd)}, kBody);
    return true;
  });
  const auto first = get(http(server.url()));
  ASSERT_TRUE(first);
  const auto again = get(http(server.url()), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
}

TEST_F(Http, a_last_modified_of_this_very_second_is_not_trusted) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK",
                 {"Date: Mon, 01 Dec 2025 10:00:00 GMT", "Last-Modified: Mon, 01 Dec 2025 10:00:00 GMT"},
                 kBody);
    return true;
  });
  const auto first = get(http(server.url()));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->items[0].validators.last_modified, "");
}

TEST_F(Http, without_validators_the_same_body_is_not_modified) {
  std::string body(kBody);
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, body);
    return true;
  });
  const auto first = get(http(server.url()));
  ASSERT_TRUE(first);
  const auto again = get(http(server.url()), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
  EXPECT_EQ(again->items.size(), 1u);
  body += "\n";
  const auto changed = get(http(server.url()), validators(*first));
  ASSERT_TRUE(changed);
  EXPECT_FALSE(changed->not_modified);
}

TEST_F(Http, validators_of_another_url_or_client_are_not_used) {
  HttpServer server(with_etag("\"v1\""));
  auto source = http(server.url());
  source.auth.kind = AuthSpec::Kind::bearer;
  source.auth.token = Secret("token-of-alice");
  const auto first = get(source);
  ASSERT_TRUE(first);
  auto other = source;
  other.auth.token = Secret("token-of-bob");
  ASSERT_TRUE(get(other, validators(*first)));
  EXPECT_EQ(server.seen()[1].header("If-None-Match"), "");
  auto elsewhere = source;
  elsewhere.url = server.url("/other.json");
  ASSERT_TRUE(get(elsewhere, validators(*first)));
  EXPECT_EQ(server.seen()[2].header("If-None-Match"), "");
  EXPECT_THAT(to_json(validators(*first)), Not(HasSubstr("alice")));
}

TEST_F(Http, an_unasked_304_is_an_error) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("304 Not Modified", {}, "");
    return true;
  });
  EXPECT_EQ(error_of(get(http(server.url()))).code, ErrorCode::malformed);
}

TEST_F(Http, an_empty_body_is_an_empty_item) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, "");
    return true;
  });
  const auto fetched = get(http(server.url()));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(bytes_of(fetched->items[0]), "");
}

TEST_F(Http, progress_ends_with_the_whole_body) {
  HttpServer server(with_etag("\"v1\""));
  auto with = context();
  std::uint64_t last = 0;
  std::optional<std::uint64_t> promised;
  with.progress = [&](std::uint64_t bytes, std::optional<std::uint64_t> total) {
    last = bytes;
    promised = total;
  };
  ASSERT_TRUE(fetch(http(server.url()), {}, with, {}));
  EXPECT_EQ(last, kBody.size());
  EXPECT_EQ(promised, kBody.size());
}

TEST_F(Http, other_schemes_and_nonsense_are_refused) {
  for (const std::string url : {"ftp://127.0.0.1/x", "file:///etc/passwd", "data.json", "http://", ""})
    EXPECT_EQ(error_of(get(http(url))).code, ErrorCode::invalid_definition) << url;
}

TEST_F(Http, client_errors_are_not_tried_again_and_quote_the_answer) {
  HttpServer server([](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    const std::string path = request.line.substr(5, 3);
    reply.answer(path + " No", {}, R"({"error":"no page \u0001 for you, key=hunter2-secret"})");
    return true;
  });
  const std::vector<std::pair<int, ErrorCode>> expected = {
      {400, ErrorCode::invalid_argument}, {401, ErrorCode::unauthorized}, {403, ErrorCode::unauthorized},
      {404, ErrorCode::not_found},        {410, ErrorCode::not_found},    {422, ErrorCode::invalid_argument},
      {204, ErrorCode::malformed}};
  for (const auto& [status, code] : expected) {
    auto source = http(server.url(fmt::format("/{}", status)));
    source.headers = {{"X-Key", "hunter2-secret"}};
    const auto error = error_of(get(source));
    EXPECT_EQ(error.code, code) << status;
    EXPECT_FALSE(error.retryable) << status;
    EXPECT_THAT(error.message, HasSubstr(std::to_string(status)));
    EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2")));
  }
  EXPECT_EQ(server.seen().size(), expected.size());
}

TEST_F(Credentials, each_kind_goes_where_it_belongs_and_into_no_log) {
  HttpServer server(with_etag("\"v1\""));
  auto basic = http(server.url());
  basic.auth = {.kind = AuthSpec::Kind::basic, .user = "me", .password = Secret("pa:ss wörd")};
  auto bearer = http(server.url());
  bearer.auth.kind = AuthSpec::Kind::bearer;
  bearer.auth.token = Secret("bearer-secret");
  auto header = http(server.url());
  header.auth.kind = AuthSpec::Kind::api_key;
  header.auth.name = "X-Api-Key";
  header.auth.key = Secret("header-secret");
  auto query = http(server.url("/data.json?page=1"));
  query.auth = header.auth;
  query.auth.in_query = true;
  query.auth.name = "key";
  query.auth.key = Secret("query/secret&");
  auto in_url = http(fmt::format("http://me:url%20secret@127.0.0.1:{}/x", server.port()));
  for (const auto* source : {&basic, &bearer, &header, &query, &in_url}) {
    const auto fetched = get(*source);
    ASSERT_TRUE(fetched) << fetched.error().describe();
    EXPECT_THAT(to_json(validators(*fetched)), Not(HasSubstr("secret")));
    EXPECT_THAT(fetched->items[0].name, Not(HasSubstr("secret")));
  }
  const auto seen = server.seen();
  EXPECT_EQ(seen[0].header("Authorization"), "Basic " + base64("me:pa:ss wörd"));
  EXPECT_EQ(seen[1].header("Authorization"), "Bearer bearer-secret");
  EXPECT_EQ(seen[2].header("X-Api-Key"), "header-secret");
  EXPECT_TRUE(seen[3].line.starts_with("GET /data.json?page=1&key=query%2Fsecret%26 HTTP")) << seen[3].line;
  EXPECT_EQ(seen[4].header("Authorization"), "Basic " + base64("me:url secret"));
  EXPECT_THAT(log_, Not(HasSubstr("secret")));
  EXPECT_THAT(log_, HasSubstr("200"));
}

TEST_F(Credentials, are_taken_out_of_what_the_server_repeats) {
  const std::string secret = "s3cret/with+signs";
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("400 Bad", {},
                 fmt::format("bad key {} or {} or {}", secret, url_encode(secret), base64(secret)));
    return true;
  });
  auto source = http(server.url());
  source.auth.kind = AuthSpec::Kind::bearer;
  source.auth.token = Secret(secret);
  const auto error = error_of(get(source));
  EXPECT_THAT(error.message, HasSubstr("bad key *** or *** or ***"));
}

TEST_F(Credentials, a_line_break_in_a_header_is_refused) {
  auto source = http("http://127.0.0.1:1/");
  source.headers = {{"X-Key", "a\r\nX-Evil: b"}};
  EXPECT_EQ(error_of(get(source)).code, ErrorCode::invalid_definition);
  source.headers = {{"X Key", "a"}};
  EXPECT_EQ(error_of(get(source)).code, ErrorCode::invalid_definition);
  source.headers.clear();
  source.auth.kind = AuthSpec::Kind::bearer;
  source.auth.token = Secret("token\n");
  const auto error = error_of(get(source));
  EXPECT_EQ(error.code, ErrorCode::invalid_definition);
  EXPECT_THAT(error.message, HasSubstr("Authorization"));
}

TEST_F(Redirects, are_followed_with_credentials_on_the_same_origin) {
  HttpServer server([](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.line.starts_with("GET /old"))
      reply.answer("302 Found", {"Location: new.json?sig=abc"}, "");
    else
      reply.answer("200 OK", {"ETag: \"v1\""}, kBody);
    return true;
  });
  auto source = http(server.url("/old"));
  source.auth.kind = AuthSpec::Kind::bearer;
  source.auth.token = Secret("bearer-secret");
  const auto fetched = get(source);
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->requests, 2);
  EXPECT_TRUE(fetched->items[0].name.ends_with("/new.json?sig=***")) << fetched->items[0].name;
  EXPECT_EQ(server.seen()[1].header("Authorization"), "Bearer bearer-secret");
  // The condition belongs to the URL that gave the ETag, not to the one that redirects.
  ASSERT_TRUE(get(source, validators(*fetched)));
  EXPECT_EQ(server.seen()[2].header("If-None-Match"), "");
  EXPECT_EQ(server.seen()[3].header("If-None-Match"), "\"v1\"");
}

TEST_F(Redirects, to_another_host_lose_every_credential) {
  HttpServer other(with_etag("\"v1\""));
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("307 Temporary Redirect", {"Location: " + other.url("/x", "me:stolen@localhost")}, "");
    return true;
  });
  for (const auto kind : {AuthSpec::Kind::basic, AuthSpec::Kind::bearer, AuthSpec::Kind::api_key}) {
    auto source = http(server.url());
    source.auth = {.kind = kind,
                   .user = "me",
                   .password = Secret("pass-secret"),
                   .token = Secret("token-secret"),
                   .name = "X-Api-Key",
                   .key = Secret("key-secret")};
    source.headers = {
        {"Cookie", "session=cookie-secret"}, {"X-Tenant", "tenant-secret"}, {"Accept", "text/csv"}};
    const auto fetched = get(source);
    ASSERT_TRUE(fetched) << fetched.error().describe();
    const auto request = other.seen().back();
    EXPECT_THAT(request.head, Not(HasSubstr("secret")));
    EXPECT_THAT(request.head, Not(HasSubstr("Authorization")));
    EXPECT_EQ(request.header("Accept"), "text/csv");
  }
  EXPECT_THAT(server.seen()[0].head, HasSubstr("cookie-secret"));
}

TEST_F(Redirects, end_after_ten) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("301 Moved", {"Location: /again?token=abcdefgh"}, "");
    return true;
  });
  const auto error = error_of(get(http(server.url())));
  EXPECT_EQ(error.code, ErrorCode::malformed);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("more than 10"));
  EXPECT_THAT(error.message, Not(HasSubstr("abcdefgh")));
  EXPECT_EQ(server.seen().size(), 11u);
}

TEST_F(Redirects, to_metadata_link_local_and_other_schemes_are_refused) {
  std::string target;
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("302 Found", {"Location: " + target}, "");
    return true;
  });
  for (const std::string_view to :
       {"http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/", "http://2852039166/",
        "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://metadata.google.internal/x",
        "http://METADATA.google.internal./x", "file:///etc/passwd", "gopher://127.0.0.1/"}) {
    target = to;
    const auto error = error_of(get(http(server.url())));
    EXPECT_EQ(error.code, ErrorCode::forbidden) << to;
    EXPECT_FALSE(error.retryable) << to;
  }
}

TEST_F(Redirects, without_a_location_are_an_error) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("302 Found", {}, "");
    return true;
  });
  EXPECT_EQ(error_of(get(http(server.url()))).code, ErrorCode::malformed);
}

}  // namespace
}  // namespace sluice::fetch::test
