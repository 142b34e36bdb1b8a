#include "api/query.h"
#include "api/request.h"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

using Segments = std::vector<std::string>;

TEST(Target, splits_before_it_decodes) {
  const auto target = parse_target("/api/v1/loaders/A%2FB%20C?x=1+2&y=%26");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (Segments{"api", "v1", "loaders", "A/B C"}));
  EXPECT_EQ(target->query, (Fields{{"x", "1 2"}, {"y", "&"}}));
}

TEST(Target, ignores_one_trailing_slash_and_the_fragment) {
  EXPECT_EQ(parse_target("/jobs/#top")->segments, Segments{"jobs"});
  EXPECT_EQ(parse_target("/")->segments, Segments{});
  EXPECT_EQ(parse_target("/jobs//")->segments, (Segments{"jobs", ""}));
}

TEST(Target, takes_the_absolute_form) {
  const auto target = parse_target("http://localhost:8080/jobs?state=failed");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->authority, "localhost:8080");
  EXPECT_EQ(target->segments, Segments{"jobs"});
  EXPECT_EQ(parse_target("http://h")->path, "/");
}

TEST(Target, refuses_what_is_not_an_address) {
  for (const char* bad :
       {"", "jobs", "*", "/%", "/%2", "/%zz", "/%00", "/a%0d%0ab", "/..", "/a/../b", "/%2e%2e/x", "/.",
        "/%ff", "/%c0%af", "/%ed%a0%80", "/?x=%00", "http://", "//%2E%2E"}) {
    const auto target = parse_target(bad);
    EXPECT_FALSE(target) << bad;
    if (!target) {
      EXPECT_EQ(target.error().code, ErrorCode::invalid_argument) << bad;
    }
  }
}

TEST(Target, bounds_parts_and_parameters) {
  std::string deep, wide = "/?";
  for (int i = 0; i < 40; ++i) deep += "/a";
  for (int i = 0; i < 70; ++i) wide += "a=1&";
  EXPECT_FALSE(parse_target(deep));
  EXPECT_FALSE(parse_target(wide));
}

TEST(Target, encoding_round_trips) {
  const std::string name = "a b/c?&=%+ü\"<script>";
  const auto target = parse_target("/x/" + percent_encode(name) + "?q=" + percent_encode(name));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments[1], name);
  EXPECT_EQ(*target->parameter("q"), name);
}

TEST(Query, reads_times_with_offsets) {
  using namespace std::chrono;
  const Timestamp base = sys_days{2026y / 1 / 5};
  EXPECT_EQ(*parse_time("2026-01-05"), base);
  EXPECT_EQ(*parse_time("2026-01-05T09:30Z"), base + hours(9) + minutes(30));
  EXPECT_EQ(*parse_time("2026-01-05T09:30:01.25+01:00"),
            base + hours(8) + minutes(30) + seconds(1) + milliseconds(250));
  EXPECT_EQ(*parse_time("2026-01-05T09:30:00 01:00"),
            base + hours(8) + minutes(30));  // a '+' decoded as a space
  for (const char* bad :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-01-05 09:30", "2026-01-05T9:30", "2026-01-05T24:00Z",
        "2026-01-05T09:30:00.Z", "2026-01-05T09:30Zx", "2026-01-05T09:30+1"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Query, next_keeps_the_filters_and_replaces_after) {
  const auto target = parse_target("/api/v1/jobs?state=failed&after=9&loader=A%20%26B");
  EXPECT_EQ(list_document({"[]", "c/1"}, *target),
            R"({"items":[],"next":"/api/v1/jobs?state=failed&loader=A%20%26B&after=c%2F1"})");
  EXPECT_EQ(list_document({"[1]", ""}, *target), R"({"items":[1],"next":null})");
}

}  // namespace
}  // namespace sluice::api
