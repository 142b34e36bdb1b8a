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

}  // namespace
}  // namespace sluice::jobs
