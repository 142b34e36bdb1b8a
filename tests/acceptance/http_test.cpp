// Loads over HTTP, end to end: the built program against a server that misbehaves by script.
#include "acceptance/site.h"
#include "fetch/http_server.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <zlib.h>

#include <atomic>
#include <cstdlib>

namespace sluice::test {
namespace {

using fetch::test::HttpServer;
using fetch::test::SeenRequest;
using testing::HasSubstr;
using testing::Not;
using Reply = HttpServer::Reply;

constexpr const char* kThree = R"([{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}])";
constexpr const char* kJsonType = "Content-Type: application/json";

// A loader of the server's /data.json; retries wait for milliseconds.
std::string loader_of(const std::string& url, const std::string& more = {}) {
  return "name: Things\nschedule: manual\nkey: id\nsource:\n  url: " + url +
         "\n  retry: {limit: 3, base: 10ms, max: 20ms}\n" + more;
}

TEST(HttpLoad, gets_200_then_304_then_the_one_changed_row) {
  std::atomic<int> version = 1;
  const HttpServer server([&](const SeenRequest& request, int, const Reply& reply) {
    const std::string tag = version == 1 ? "\"v1\"" : "\"v2\"";
    if (request.header("If-None-Match") == tag) {
      reply.send("HTTP/1.1 304 Not Modified\r\nETag: " + tag + "\r\n\r\n");
    } else {
      std::string body = kThree;
      if (version == 2) body.replace(body.find("\"b\""), 3, "\"B\"");
      reply.answer("200 OK", {kJsonType, "ETag: " + tag}, body);
    }
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));

  auto first = site.run("Things");
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(first.receipt["inserted"], 3);
  EXPECT_EQ(first.receipt["requests"], 1);
  EXPECT_EQ(first.receipt["bytes"], std::string(kThree).size());
  EXPECT_EQ(first.receipt["notModified"], 0);

  auto second = site.run("Things");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.receipt["state"], "succeeded");
  EXPECT_EQ(second.receipt["applied"], true);
  EXPECT_EQ(second.receipt["notModified"], 1);
  EXPECT_EQ(second.receipt["read"], 0);
  EXPECT_EQ(second.receipt["requests"], 1);
  EXPECT_EQ(server.seen().back().header("If-None-Match"), "\"v1\"");

  version = 2;
  auto third = site.run("Things");
  EXPECT_EQ(third.receipt["updated"], 1);
  EXPECT_EQ(third.receipt["unchanged"], 2);
  expect_balanced(third.receipt);
  EXPECT_THAT(site.query("select name from things order by id"), testing::ElementsAre("a", "B", "c"));
}

TEST(HttpLoad, calls_a_cut_body_truncated_and_leaves_the_table_alone) {
  std::atomic<bool> cut = false;
  const HttpServer server([&](const SeenRequest&, int, const Reply& reply) {
    if (!cut) {
      reply.answer("200 OK", {kJsonType}, kThree);
      return true;
    }
    // Two whole records have arrived when the line goes dead: they must not become "one row fewer".
    reply.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 61\r\n\r\n"
        R"([{"id":1,"name":"changed"},{"id":2,"name":"b"})");
    return false;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  ASSERT_EQ(site.run("Things").exit_code, 0);

  cut = true;
  auto broken = site.run("Things");
  EXPECT_EQ(broken.exit_code, 1) << broken.err;
  EXPECT_EQ(broken.receipt["state"], "failed");
  EXPECT_EQ(broken.receipt["applied"], false);
  EXPECT_EQ(broken.receipt["error"]["code"], "truncated");
  EXPECT_EQ(broken.receipt["error"]["retryable"], true);
  EXPECT_EQ(broken.receipt["requests"], 4) << "a failed run tells what it asked for, too";
  EXPECT_EQ(server.seen().size(), 1U + 4U);  // the first load; then one attempt and three retries
  EXPECT_THAT(site.query("select name from things order by id"), testing::ElementsAre("a", "b", "c"));

  cut = false;
  auto healed = site.run("Things");
  EXPECT_EQ(healed.exit_code, 0);
  EXPECT_EQ(healed.receipt["inserted"], 0);
  EXPECT_EQ(healed.receipt["updated"], 0);
}

TEST(HttpLoad, calls_a_chunked_body_without_its_end_truncated) {
  const HttpServer server([](const SeenRequest&, int, const Reply& reply) {
    reply.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        "12\r\n[{\"id\":1},{\"id\":2}\r\n");
    return false;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.receipt["error"]["code"], "truncated");
}

TEST(HttpLoad, survives_two_answers_of_500) {
  const HttpServer server([](const SeenRequest&, int number, const Reply& reply) {
    if (number < 2) {
      reply.answer("500 Internal Server Error", {}, "oops");
    } else {
      reply.answer("200 OK", {kJsonType}, kThree);
    }
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["requests"], 3);
  EXPECT_EQ(run.receipt["inserted"], 3);
  EXPECT_EQ(run.receipt["attempt"], 1);
}

TEST(HttpLoad, gives_up_when_500_does_not_end) {
  const HttpServer server([](const SeenRequest&, int, const Reply& reply) {
    reply.answer("500 Internal Server Error", {}, "oops");
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 3) << run.receipt.dump();  // unreachable: the environment's fault
  EXPECT_EQ(run.receipt["state"], "failed");
  EXPECT_EQ(run.receipt["applied"], false);
  EXPECT_THAT(run.receipt["error"]["message"].get<std::string>(), HasSubstr("500"));
  EXPECT_EQ(server.seen().size(), 4U);
  EXPECT_EQ(run.receipt["requests"], 4);
}

TEST(HttpLoad, waits_as_long_as_retry_after_says) {
  const HttpServer server([](const SeenRequest&, int number, const Reply& reply) {
    if (number == 0) {
      reply.answer("429 Too Many Requests", {"Retry-After: 1"}, "slow down");
    } else {
      reply.answer("200 OK", {kJsonType}, kThree);
    }
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["requests"], 2);
  EXPECT_GE(run.receipt["durationMs"].get<int>(), 1000);  // a promise to the server, not a matter of speed
}

TEST(HttpLoad, does_not_wait_for_an_hour_within_a_run) {
  const HttpServer server([](const SeenRequest&, int, const Reply& reply) {
    reply.answer("429 Too Many Requests", {"Retry-After: 3600"}, "slow down");
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 1) << run.err;
  EXPECT_EQ(run.receipt["error"]["code"], "rateLimited");
  EXPECT_EQ(run.receipt["error"]["retryAfterMs"], 3'600'000);
  EXPECT_EQ(server.seen().size(), 1U);
}

TEST(HttpLoad, recognises_a_login_page) {
  const HttpServer server([](const SeenRequest&, int, const Reply& reply) {
    reply.answer("200 OK", {"Content-Type: text/html; charset=utf-8"},
                 "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>");
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 3) << run.receipt.dump();
  EXPECT_EQ(run.receipt["error"]["code"], "unauthorized");
  EXPECT_THAT(run.receipt["error"]["message"].get<std::string>(), HasSubstr("login page"));
  EXPECT_TRUE(site.query("select name from sqlite_master where name = 'things'").empty());
}

// A deflate stream of zeros that can be sent for ever: after a full flush every block of 1 MiB of zeros has
// the same bytes. `wrap` is 31 for gzip.
struct ZeroStream {
  std::string head;   // the gzip header and the first block
  std::string block;  // one more MiB
  ZeroStream() {
    z_stream stream{};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
    head = deflate_mebibyte(stream);
    block = deflate_mebibyte(stream);
    deflateEnd(&stream);
  }

 private:
  static std::string deflate_mebibyte(z_stream& stream) {
    const std::string zeros(1 << 20, '\0');
    std::string out(64 << 10, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
    stream.avail_in = static_cast<uInt>(zeros.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FULL_FLUSH);
    out.resize(out.size() - stream.avail_out);
    return out;
  }
};

class GzipBomb : public testing::TestWithParam<std::string> {};

TEST_P(GzipBomb, ends_early_and_in_little_memory) {
  static const ZeroStream zeros;
  const auto& header = GetParam();
  const HttpServer server([&](const SeenRequest&, int, const Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\n" + header + "\r\nConnection: close\r\n\r\n" + zeros.head);
    for (int mebibyte = 1; mebibyte < 5 * 1024 && reply.send(zeros.block); ++mebibyte) {
    }
    return false;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 1) << run.receipt.dump();
  EXPECT_EQ(run.receipt["state"], "failed");
  EXPECT_EQ(run.receipt["applied"], false);
  EXPECT_EQ(run.receipt["error"]["code"], "tooLarge") << run.receipt.dump();
  EXPECT_EQ(run.receipt["error"]["retryable"], false);
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  EXPECT_LT(used.ru_maxrss, 256 * 1024) << "KiB, the largest of all children";
}

INSTANTIATE_TEST_SUITE_P(HttpLoad, GzipBomb,
                         testing::Values("Content-Type: application/json\r\nContent-Encoding: gzip",
                                         "Content-Type: application/gzip"),
                         [](const auto& which) { return which.index == 0 ? "as_encoding" : "as_file"; });

TEST(HttpLoad, follows_a_redirect) {
  const HttpServer server([](const SeenRequest& request, int, const Reply& reply) {
    if (request.line.find("/old.json") != std::string::npos) {
      reply.answer("302 Found", {"Location: /new.json"}, "");
    } else {
      reply.answer("200 OK", {kJsonType}, kThree);
    }
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url("/old.json")));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["inserted"], 3);
  EXPECT_EQ(server.seen().back().line, "GET /new.json HTTP/1.1");
}

TEST(HttpLoad, refuses_a_redirect_to_a_metadata_address) {
  const HttpServer server([](const SeenRequest&, int, const Reply& reply) {
    reply.answer("302 Found", {"Location: http://169.254.169.254/latest/meta-data/"}, "");
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_NE(run.exit_code, 0);
  EXPECT_EQ(run.receipt["error"]["code"], "forbidden") << run.receipt.dump();
  EXPECT_THAT(run.receipt["error"]["message"].get<std::string>(), HasSubstr("169.254.169.254"));
}

TEST(HttpLoad, keeps_the_token_to_its_own_server_and_out_of_every_record) {
  const HttpServer other([](const SeenRequest&, int, const Reply& reply) {
    reply.answer("401 Unauthorized", {}, "who are you, and is s3cr3t-t0ken yours?");
    return true;
  });
  const HttpServer server([&](const SeenRequest&, int, const Reply& reply) {
    reply.answer("302 Found", {"Location: " + other.url("/data.json", "localhost")}, "");
    return true;
  });
  const Site site;
  ::setenv("SLUICE_TEST_TOKEN", "s3cr3t-t0ken", 1);
  site.write_loader("Things", loader_of(server.url(), "  auth: {token: \"${env:SLUICE_TEST_TOKEN}\"}\n"));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 3) << run.receipt.dump();
  EXPECT_EQ(run.receipt["error"]["code"], "unauthorized");
  EXPECT_EQ(server.seen().front().header("Authorization"), "Bearer s3cr3t-t0ken");
  EXPECT_EQ(other.seen().front().header("Authorization"), "");
  EXPECT_THAT(run.receipt.dump() + run.err, Not(HasSubstr("s3cr3t")));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site.data())) {
    if (entry.is_regular_file()) {
      EXPECT_THAT(read_text(entry.path()), Not(HasSubstr("s3cr3t"))) << entry.path();
    }
  }
}

TEST(HttpLoad, calls_a_missing_page_a_failed_run) {
  const HttpServer server([](const SeenRequest&, int, const Reply& reply) {
    reply.answer("404 Not Found", {}, "nothing here");
    return true;
  });
  const Site site;
  site.write_loader("Things", loader_of(server.url()));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 1) << run.receipt.dump();
  EXPECT_EQ(run.receipt["error"]["code"], "notFound");
  EXPECT_EQ(server.seen().size(), 1U) << "a 404 is not tried again";
  EXPECT_EQ(run.receipt["requests"], 1);
  EXPECT_EQ(run.receipt["bytes"], std::string("nothing here").size());
}

TEST(HttpLoad, calls_a_closed_port_an_environment_error) {
  std::string url;
  {
    const HttpServer gone([](const SeenRequest&, int, const Reply&) { return false; });
    url = gone.url();
  }
  const Site site;
  site.write_loader("Things", loader_of(url));
  auto run = site.run("Things");
  EXPECT_EQ(run.exit_code, 3) << run.receipt.dump();
  EXPECT_EQ(run.receipt["error"]["code"], "unreachable");
  EXPECT_EQ(run.receipt["error"]["where"], "loader Things: fetch " + url) << "said once, not twice";
  EXPECT_THAT(run.err, Not(HasSubstr("terminate")));
}

}  // namespace
}  // namespace sluice::test
