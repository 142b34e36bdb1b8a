// What goes wrong on the way: cut bodies, busy servers, bombs, silence.
#include "fetch/fixture.h"
#include "fetch/gzip_text.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <latch>

namespace sluice::fetch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using Truncation = FetchTest;
using Retries = FetchTest;
using Caps = FetchTest;
using Timeouts = FetchTest;
using Stop = FetchTest;

constexpr std::string_view kBody = R"([{"id":1},{"id":2}])";

SourceSpec once(SourceSpec source) {
  source.retry.limit = 0;
  return source;
}

TEST_F(Truncation, fewer_bytes_than_content_length_is_a_transient_error) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", kBody));
    return false;
  });
  const auto error = error_of(get(once(http(server.url()))));
  EXPECT_EQ(error.code, ErrorCode::truncated);
  EXPECT_TRUE(error.retryable);
}

TEST_F(Truncation, a_chunked_body_without_its_end_is_a_transient_error) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n");
    return false;
  });
  const auto error = error_of(get(once(http(server.url()))));
  EXPECT_EQ(error.code, ErrorCode::truncated);
  EXPECT_TRUE(error.retryable);
}

TEST_F(Truncation, a_compressed_stream_that_stops_is_seen_even_where_http_cannot_tell) {
  const std::string whole = gzip(kBody);
  for (const std::string_view name : {"gzip", "zstd"}) {
    std::string body = whole;
    if (name == "zstd") {
      body.resize(ZSTD_compressBound(kBody.size()));
      body.resize(ZSTD_compress(body.data(), body.size(), kBody.data(), kBody.size(), 3));
    }
    std::size_t sent = body.size();
    HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
      // Delimited by the end of the connection: HTTP/1.0 style.
      reply.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Encoding: {}\r\nConnection: close\r\n\r\n", name));
      reply.send(std::string_view(body).substr(0, sent));
      return false;
    });
    const auto complete = get(once(http(server.url())));
    ASSERT_TRUE(complete) << complete.error().describe();
    EXPECT_EQ(bytes_of(complete->items[0]), kBody);
    EXPECT_EQ(server.seen()[0].header("Accept-Encoding"), "zstd, gzip");
    sent -= 3;
    EXPECT_EQ(error_of(get(once(http(server.url())))).code, ErrorCode::truncated) << name;
  }
}

TEST_F(Truncation, a_cut_body_is_fetched_again) {
  HttpServer server([](const SeenRequest&, int number, const HttpServer::Reply& reply) {
    if (number > 0) reply.answer("200 OK", {}, kBody);
    if (number == 0) reply.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[");
    return number > 0;
  });
  const auto fetched = get(http(server.url()));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(bytes_of(fetched->items[0]), kBody);
  EXPECT_EQ(fetched->retries, 1);
}

TEST_F(Truncation, damaged_compression_is_malformed) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {"Content-Encoding: gzip"}, "this is not gzip");
    return true;
  });
  EXPECT_EQ(error_of(get(http(server.url()))).code, ErrorCode::malformed);
}

TEST_F(Truncation, an_encoding_nobody_offered_is_refused) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {"Content-Encoding: br"}, "xx");
    return true;
  });
  EXPECT_EQ(error_of(get(http(server.url()))).code, ErrorCode::unsupported);
}

TEST_F(Retries, twice_500_then_200_succeeds_with_jittered_waits) {
  HttpServer server([](const SeenRequest&, int number, const HttpServer::Reply& reply) {
    reply.answer(number < 2 ? "500 Oops" : "200 OK", {}, number < 2 ? "" : kBody);
    return true;
  });
  const auto fetched = get(http(server.url()));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->requests, 3);
  EXPECT_EQ(fetched->retries, 2);
  EXPECT_EQ(clock_.slept(), milliseconds(250 + 500));  // half of 500, then half of 1000
}

TEST_F(Retries, end_with_the_budget) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("503 Busy", {}, "maintenance");
    return true;
  });
  const auto error = error_of(get(http(server.url())));
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("maintenance"));
  EXPECT_THAT(error.message, HasSubstr("tried 5 times"));
  EXPECT_EQ(server.seen().size(), 5u);
}

TEST_F(Retries, only_for_the_statuses_of_the_definition) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("500 Oops", {}, "");
    return true;
  });
  auto source = http(server.url());
  source.retry.statuses = {429};
  EXPECT_TRUE(error_of(get(source)).retryable) << "a later run may try";
  EXPECT_EQ(server.seen().size(), 1u);
}

TEST_F(Retries, retry_after_is_waited_out_in_both_forms) {
  for (const std::string_view hint : {"7", "Mon, 05 Jan 2026 12:00:07 GMT"}) {
    HttpServer server([&](const SeenRequest&, int number, const HttpServer::Reply& reply) {
      if (number == 0)
        reply.answer("429 Slow down", {fmt::format("Retry-After: {}", hint)}, "");
      else
        reply.answer("200 OK", {}, kBody);
      return true;
    });
    clock_.set(Timestamp(std::chrono::seconds(1767614400)));
    const auto before = clock_.slept();
    ASSERT_TRUE(get(http(server.url())));
    EXPECT_EQ(clock_.slept() - before, milliseconds(7000)) << hint;
  }
}

TEST_F(Retries, a_retry_after_of_zero_or_past_is_no_hint) {
  for (const std::string_view hint : {"0", "Mon, 05 Jan 2020 12:00:00 GMT", "soon", "-3"}) {
    HttpServer server([&](const SeenRequest&, int number, const HttpServer::Reply& reply) {
      if (number == 0)
        reply.answer("429 Slow down", {fmt::format("Retry-After: {}", hint)}, "");
      else
        reply.answer("200 OK", {}, kBody);
      return true;
    });
    const auto before = clock_.slept();
    ASSERT_TRUE(get(http(server.url())));
    EXPECT_EQ(clock_.slept() - before, milliseconds(250)) << hint;
  }
}

TEST_F(Retries, a_retry_after_past_max_wait_ends_the_fetch_and_is_handed_on) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("503 Busy", {"Retry-After: 3600"}, "");
    return true;
  });
  const auto error = error_of(get(http(server.url())));
  EXPECT_EQ(error.code, ErrorCode::rate_limited);
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.retry_after, milliseconds(3'600'000));
  EXPECT_EQ(server.seen().size(), 1u);
  EXPECT_EQ(clock_.slept(), milliseconds(0));
}

TEST_F(Retries, a_server_that_hangs_up_or_resets_is_tried_again) {
  HttpServer server([](const SeenRequest&, int number, const HttpServer::Reply& reply) {
    if (number == 1) reply.reset();
    if (number == 2) reply.answer("200 OK", {}, kBody);
    return number > 1;
  });
  const auto fetched = get(http(server.url()));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->retries, 2);
}

TEST_F(Retries, a_port_where_nobody_listens_is_unreachable) {
  std::string url;
  {
    HttpServer gone([](const SeenRequest&, int, const HttpServer::Reply&) { return false; });
    url = gone.url();
  }
  const auto error = error_of(get(http(url)));
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("Connection refused"));
  EXPECT_GT(clock_.slept(), milliseconds(0));
}

TEST_F(Caps, a_web_page_is_not_data) {
  HttpServer server([](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.line.starts_with("GET /login"))
      reply.answer("200 OK", {"Content-Type: text/html; charset=utf-8"},
                   "\n<!DOCTYPE html><html><body><form>Please sign in <input type=\"password\"></form>");
    else if (request.line.starts_with("GET /page"))
      reply.answer("200 OK", {"Content-Type: application/json"}, "<html><body>Wartung</body></html>");
    else
      reply.answer("200 OK", {"Content-Type: text/html"}, "id,name\n1,<b>one</b>\n");
    return true;
  });
  const auto login = error_of(get(http(server.url("/login"))));
  EXPECT_EQ(login.code, ErrorCode::unauthorized);
  EXPECT_FALSE(login.retryable);
  EXPECT_THAT(login.message, HasSubstr("login page"));
  EXPECT_THAT(login.message, HasSubstr("Please sign in"));
  EXPECT_EQ(error_of(get(http(server.url("/page")))).code, ErrorCode::malformed);
  EXPECT_TRUE(get(http(server.url("/table.csv")))) << "CSV that a careless server calls HTML";
}

TEST_F(Caps, five_gigabytes_of_gzip_zeros_end_early) {
  // One gzip stream of 5 GB, made while it is sent: 64 MiB of zeros, again and again.
  constexpr std::uint64_t kTotal = 5'000'000'000;
  std::uint64_t made = 0;
  std::latch sender_done(1);
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n");
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string zeros(1u << 20, '\0'), out(1u << 16, '\0');
    for (bool open = true; open && made < kTotal; made += zeros.size()) {
      stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
      stream.avail_in = static_cast<uInt>(zeros.size());
      do {
        stream.next_out = reinterpret_cast<Bytef*>(out.data());
        stream.avail_out = static_cast<uInt>(out.size());
        deflate(&stream, Z_SYNC_FLUSH);
        open = open && reply.send(std::string_view(out).substr(0, out.size() - stream.avail_out));
      } while (stream.avail_in > 0 || stream.avail_out == 0);
    }
    deflateEnd(&stream);
    sender_done.count_down();
    return false;
  });
  auto source = http(server.url());
  source.max_bytes = 100ull << 30;  // the ratio alone must stop it
  const auto error = error_of(get(source));
  EXPECT_EQ(error.code, ErrorCode::too_large);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("decompression bomb"));
  sender_done.wait();
  EXPECT_LT(made, kTotal / 2) << "the rest was never asked for";
}

TEST_F(Caps, max_bytes_holds_for_announced_and_for_decoded_bytes) {
  const std::string large(200'000, 'x');
  HttpServer server([&](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.line.starts_with("GET /gzip"))
      reply.answer("200 OK", {"Content-Encoding: gzip"}, gzip(large));
    else
      reply.answer("200 OK", {}, large);
    return false;
  });
  for (const std::string_view path : {"/plain", "/gzip"}) {
    auto source = http(server.url(path));
    source.max_bytes = 100'000;
    const auto error = error_of(get(source));
    EXPECT_EQ(error.code, ErrorCode::too_large) << path;
    EXPECT_THAT(error.message, HasSubstr("maxBytes")) << path;
    source.max_bytes = 200'000;
    EXPECT_TRUE(get(source)) << path;
  }
}

TEST_F(Caps, endless_headers_end_early) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; reply.send(fmt::format("X-Filler-{}: {}\r\n", i, std::string(1000, 'x'))); ++i) {
    }
    return false;
  });
  const auto error = error_of(get(http(server.url())));
  EXPECT_EQ(error.code, ErrorCode::too_large);
  EXPECT_FALSE(error.retryable);
}

TEST_F(Caps, something_that_is_not_http_is_malformed) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("220 mail.example.org ESMTP ready\r\n");
    return false;
  });
  EXPECT_EQ(error_of(get(once(http(server.url())))).code, ErrorCode::malformed);
}

TEST_F(Caps, a_spool_folder_that_is_gone_is_an_io_error) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, kBody);
    return true;
  });
  std::filesystem::remove(folder_ / "spool");
  const auto error = error_of(get(http(server.url())));
  EXPECT_THAT(error.code, testing::AnyOf(ErrorCode::io, ErrorCode::not_found));
  EXPECT_THAT(error.message, HasSubstr("spool"));
}

TEST_F(Timeouts, a_silent_server_is_given_up_before_and_inside_the_body) {
  HttpServer server([](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    if (request.line.starts_with("GET /half"))
      reply.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,");
    reply.wait_until_gone();
    return false;
  });
  for (const std::string_view path : {"/never", "/half"}) {
    auto source = once(http(server.url(path)));
    source.timeouts.idle = milliseconds(60);
    const auto error = error_of(get(source));
    EXPECT_EQ(error.code, ErrorCode::timeout) << path;
    EXPECT_TRUE(error.retryable) << path;
    EXPECT_THAT(error.message, HasSubstr("60 ms")) << path;
  }
}

TEST_F(Timeouts, the_total_time_holds_while_bytes_still_trickle) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (reply.send(" ")) {
    }
    return false;
  });
  auto source = once(http(server.url()));
  source.timeouts.total = milliseconds(80);
  const auto error = error_of(get(source));
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_THAT(error.message, HasSubstr("total"));
}

TEST_F(Timeouts, are_tried_again) {
  HttpServer server([](const SeenRequest&, int number, const HttpServer::Reply& reply) {
    if (number > 0)
      reply.answer("200 OK", {}, kBody);
    else
      reply.wait_until_gone();
    return number > 0;
  });
  auto source = http(server.url());
  source.timeouts.idle = milliseconds(60);
  const auto fetched = get(source);
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->retries, 1);
}

TEST_F(Stop, ends_a_transfer_that_waits) {
  std::stop_source stop;
  std::latch bytes_came(1);
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,");
    bytes_came.wait();  // nothing more will come: only the stop can end the wait
    stop.request_stop();
    reply.wait_until_gone();
    return false;
  });
  auto with = context();
  with.progress = [&](std::uint64_t, std::optional<std::uint64_t>) { bytes_came.count_down(); };
  const auto error = error_of(fetch(http(server.url()), {}, with, stop.get_token()));
  EXPECT_EQ(error.code, ErrorCode::cancelled);
  EXPECT_FALSE(error.retryable);
}

TEST_F(Stop, ends_the_wait_before_a_retry) {
  std::stop_source stop;
  HttpServer server([&](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("503 Busy", {}, "");
    stop.request_stop();
    return false;
  });
  EXPECT_EQ(error_of(get(http(server.url()), {}, stop.get_token())).code, ErrorCode::cancelled);
  EXPECT_EQ(server.seen().size(), 1u);
}

}  // namespace
}  // namespace sluice::fetch::test
