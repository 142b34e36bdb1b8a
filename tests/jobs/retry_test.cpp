#include "jobs/retry.h"

#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr double kAlmostOne = 1.0 - 1e-12;

TEST(RetryDelay, doubles_up_to_the_longest_delay) {
  const RetryPolicy policy{.limit = 9, .delay = 1s, .max_delay = 10s, .jitter = 0};
  EXPECT_EQ(retry_delay(policy, 1, 0), 1s);
  EXPECT_EQ(retry_delay(policy, 2, 0), 2s);
  EXPECT_EQ(retry_delay(policy, 4, 0), 8s);
  EXPECT_EQ(retry_delay(policy, 5, 0), 10s);
  EXPECT_EQ(retry_delay(policy, 1'000'000, 0), 10s);
}

TEST(RetryDelay, fixed_stays_the_same) {
  const RetryPolicy policy{.limit = 9, .delay = 3s, .backoff = Backoff::fixed, .jitter = 0};
  EXPECT_EQ(retry_delay(policy, 1, 0), 3s);
  EXPECT_EQ(retry_delay(policy, 7, 0), 3s);
}

TEST(RetryDelay, doubles_no_more_often_than_its_limit) {
  const RetryPolicy policy{.limit = 9, .delay = 1s, .double_delay_limit = 2, .max_delay = 1h, .jitter = 0};
  EXPECT_EQ(retry_delay(policy, 3, 0), 4s);
  EXPECT_EQ(retry_delay(policy, 4, 0), 4s);
  EXPECT_EQ(retry_delay({.delay = 1s, .double_delay_limit = 0, .jitter = 0}, 5, 0), 1s);
}

TEST(RetryDelay, full_jitter_spreads_over_the_whole_delay) {
  const RetryPolicy policy{.limit = 9, .delay = 8s};
  EXPECT_EQ(retry_delay(policy, 1, 0), 0ms);
  EXPECT_EQ(retry_delay(policy, 1, 0.5), 4s);
  EXPECT_GE(retry_delay(policy, 1, kAlmostOne), 7999ms);
}

TEST(RetryDelay, part_jitter_keeps_the_rest_fixed) {
  const RetryPolicy policy{.delay = 10s, .jitter = 0.2};
  EXPECT_EQ(retry_delay(policy, 1, 0), 8s);
}

TEST(RetryDelay, the_other_sides_wish_is_granted_up_to_the_longest_delay) {
  const RetryPolicy policy{.delay = 1s, .max_delay = 5min, .jitter = 0};
  EXPECT_EQ(granted_delay(policy, 30s), 30s);
  EXPECT_EQ(granted_delay(policy, 5min), 5min);
  EXPECT_EQ(granted_delay(policy, 24h), 5min);
  EXPECT_EQ(granted_delay(policy, milliseconds::max()), 5min);
  EXPECT_EQ(granted_delay(policy, -3s), 0s);
  EXPECT_EQ(granted_delay({.max_delay = -1s}, 3s), 0s);
}

TEST(RetryPolicyJson, comes_back_as_it_went) {
  const RetryPolicy policy{.limit = 7,
                           .delay = 5ms,
                           .backoff = Backoff::fixed,
                           .double_delay_limit = 3,
                           .max_delay = 9ms,
                           .jitter = 0.5};
  EXPECT_EQ(retry_policy_from_json(to_json(policy)).value(), policy);
  EXPECT_EQ(retry_policy_from_json(to_json(RetryPolicy::none())).value(), RetryPolicy::none());
  EXPECT_FALSE(retry_policy_from_json("{}"));
  EXPECT_FALSE(retry_policy_from_json("not json"));
}

TEST(RetryDelay, listed_delays_are_kept_to_the_letter) {
  const RetryPolicy policy{.limit = 5, .max_delay = 1s, .delays = {1s, 5s, 1h}};
  EXPECT_EQ(retry_delay(policy, 1, 0.3), 1s);
  EXPECT_EQ(retry_delay(policy, 2, 0.3), 5s);
  EXPECT_EQ(retry_delay(policy, 3, 0.3), 1h);
  EXPECT_EQ(retry_delay(policy, 9, 0.3), 1h);
}

RetryDecision after(const RetryPolicy& policy, ErrorCode code, bool retryable = true, int attempt = 1,
                    milliseconds age = 0ms) {
  return decide_retry(policy,
                      {.code = code,
                       .retryable = retryable,
                       .attempt = attempt,
                       .max_attempts = policy.limit + 1,
                       .created_at = Timestamp{},
                       .now = Timestamp{} + age},
                      0);
}

TEST(RetryDecision, an_error_that_will_not_pass_is_not_tried_again) {
  const RetryPolicy policy{.limit = 3, .delay = 1s, .jitter = 0};
  EXPECT_EQ(after(policy, ErrorCode::io).at, Timestamp{} + 1s);
  EXPECT_FALSE(after(policy, ErrorCode::io, false).at);
  EXPECT_TRUE(after(policy, ErrorCode::io, true, 3).at);
  EXPECT_FALSE(after(policy, ErrorCode::io, true, 4).at);
  EXPECT_EQ(after(policy, ErrorCode::io, true, 4).why_not, "");
}

TEST(RetryDecision, codes_choose) {
  const RetryPolicy only{.only = {"timeout", "io"}};
  EXPECT_TRUE(after(only, ErrorCode::timeout).at);
  EXPECT_FALSE(after(only, ErrorCode::unreachable).at);
  EXPECT_NE(after(only, ErrorCode::unreachable).why_not, "");
  EXPECT_FALSE(after(only, ErrorCode::timeout, false).at);
  const RetryPolicy except{.except = {"timeout"}};
  EXPECT_FALSE(after(except, ErrorCode::timeout).at);
  EXPECT_TRUE(after(except, ErrorCode::io).at);
}

TEST(RetryDecision, gives_up_at_the_deadline_and_says_so) {
  const RetryPolicy policy{.limit = RetryPolicy::kNoLimit, .delay = 10s, .jitter = 0, .until = 1h};
  EXPECT_TRUE(after(policy, ErrorCode::io, true, 1, 59min).at);
  const RetryDecision over = after(policy, ErrorCode::io, true, 1, 1h - 9s);
  EXPECT_FALSE(over.at);
  EXPECT_EQ(over.why_not,
            "given up: it was to be tried again until " + format_utc(Timestamp{} + 1h) + " at most");
}

TEST(RetryPolicyCheck, refuses_what_makes_no_sense) {
  EXPECT_TRUE(check_retry_policy({}));
  EXPECT_TRUE(check_retry_policy({.limit = RetryPolicy::kNoLimit, .only = {"io"}, .until = 48h}));
  EXPECT_FALSE(check_retry_policy({.limit = -1}));
  EXPECT_FALSE(check_retry_policy({.delays = {-1s}}));
  EXPECT_FALSE(check_retry_policy({.until = 0s}));
  EXPECT_FALSE(check_retry_policy({.except = {"io", "io"}}));
  const auto refused = check_retry_policy({.only = {"IOException"}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("IOException"), std::string::npos);
}

TEST(RetryPolicyJson, keeps_the_newer_parts_and_reads_old_ones) {
  const RetryPolicy policy{
      .limit = 2, .delays = {1s, 90s}, .only = {"io"}, .except = {"timeout"}, .until = 48h};
  EXPECT_EQ(retry_policy_from_json(to_json(policy)).value(), policy);
  const auto old = retry_policy_from_json(
      R"({"limit":4,"delayMs":1000,"backoff":"fixed","maxDelayMs":2000,"jitter":0.5})");
  ASSERT_TRUE(old) << old.error().describe();
  EXPECT_EQ(*old, (RetryPolicy{
                      .limit = 4, .delay = 1s, .backoff = Backoff::fixed, .max_delay = 2s, .jitter = 0.5}));
  EXPECT_EQ(to_json(*old), R"({"backoff":"fixed","delayMs":1000,"jitter":0.5,"limit":4,"maxDelayMs":2000})");
}

}  // namespace
}  // namespace sluice::jobs
