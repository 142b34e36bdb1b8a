// Host names: resolvers that hang, answers that point inside, names that mean nothing.
#include "fetch/fixture.h"
#include "fetch/name_service.h"

#include <latch>

namespace sluice::fetch::test {
namespace {

using testing::HasSubstr;

using Names = FetchTest;

constexpr std::string_view kBody = "[1]";

HttpServer::Script always(std::string_view body) {
  return [body](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, body);
    return true;
  };
}

TEST_F(Names, a_stop_does_not_wait_for_a_resolver_that_hangs) {
  std::stop_source stop;
  std::latch answer_may_come(1);
  const NameAnswer hangs("hangs.example", [&] {
    stop.request_stop();
    answer_may_come.wait();  // only after the fetch has ended
    return std::vector<std::string>{"127.0.0.1"};
  });
  const auto error = error_of(get(http("http://hangs.example/"), {}, stop.get_token()));
  answer_may_come.count_down();
  EXPECT_EQ(error.code, ErrorCode::cancelled);
}

TEST_F(Names, the_connect_time_out_holds_for_the_resolver_too) {
  std::latch answer_may_come(1);
  const NameAnswer hangs("hangs.example", [&] {
    answer_may_come.wait();
    return std::vector<std::string>{"127.0.0.1"};
  });
  auto source = http("http://hangs.example/");
  source.timeouts.connect = milliseconds(60);
  source.retry.limit = 0;
  const auto error = error_of(get(source));
  answer_may_come.count_down();
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("hangs.example"));
}

TEST_F(Names, an_unknown_one_is_unreachable_and_tried_again) {
  int asked = 0;
  HttpServer server(always(kBody));
  const NameAnswer later("later.example", [&] {
    return ++asked < 3 ? std::vector<std::string>{} : std::vector<std::string>{"127.0.0.1"};
  });
  auto source = http(server.url("/x", "later.example"));
  source.retry.limit = 1;
  const auto error = error_of(get(source));
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_THAT(error.message, HasSubstr("no address is known for later.example"));
  EXPECT_TRUE(get(source));
}

TEST_F(Names, that_point_inside_are_refused_whatever_they_said_before) {
  HttpServer server([](const SeenRequest&, int, const HttpServer::Reply& reply) {
    reply.answer("200 OK", {}, kBody);
    return false;  // the connection is closed, so that the name is asked for again
  });
  std::vector<std::string> addresses = {"127.0.0.1"};
  const NameAnswer rebinds("rebinds.example", [&] { return addresses; });
  auto source = http(server.url("/x", "rebinds.example"));
  ASSERT_TRUE(get(source));
  for (const std::string_view inside :
       {"169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254"}) {
    addresses = {std::string(inside)};
    const auto error = error_of(get(source));
    EXPECT_EQ(error.code, ErrorCode::forbidden) << inside;
    EXPECT_FALSE(error.retryable) << inside;
    EXPECT_THAT(error.message, HasSubstr("rebinds.example"));
  }
  addresses = {"169.254.169.254", "127.0.0.1"};
  EXPECT_TRUE(get(source)) << "the address that may be reached is taken";
}

TEST_F(Names, in_other_scripts_are_asked_for_as_dns_knows_them) {
  HttpServer server(always(kBody));
  const NameAnswer idn("xn--mnchen-3ya.example", [] { return std::vector<std::string>{"127.0.0.1"}; });
  const auto fetched = get(http(server.url("/größe und so.json?q=ä b", "münchen.example")));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(server.seen()[0].line, "GET /gr%c3%b6%c3%9fe%20und%20so.json?q=%c3%a4+b HTTP/1.1");
  EXPECT_THAT(server.seen()[0].header("Host"), HasSubstr("xn--mnchen-3ya.example"));
  // Digits of other scripts are digits to DNS, and so to the address policy.
  EXPECT_EQ(error_of(get(http("http://１６９.254.169.254/"))).code, ErrorCode::forbidden);
}

}  // namespace
}  // namespace sluice::fetch::test
