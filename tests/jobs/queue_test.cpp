#include "jobs/queue.h"

#include "jobs/job.h"
#include "jobs/store/queue_turns.h"

#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

std::string order_of(QueueTurns& turns, const std::vector<QueueShare>& waiting, int rounds) {
  std::string order;
  for (int i = 0; i < rounds; ++i) order += turns.next(waiting, 1).at(0).queue;
  return order;
}

TEST(QueueTurns, spread_the_turns_of_a_heavy_queue) {
  QueueTurns turns;
  EXPECT_EQ(order_of(turns, {{"a", 5}, {"b", 1}, {"c", 1}}, 14), "aabacaaaabacaa");
}

TEST(QueueTurns, many_slots_are_shared_as_one_by_one) {
  QueueTurns turns;
  const auto shared = turns.next(std::vector<QueueShare>{{"a", 3}, {"b", 1}}, 8);
  ASSERT_EQ(shared.size(), 2u);
  EXPECT_EQ(shared[0].queue, "a");
  EXPECT_EQ(shared[0].jobs, 6);
  EXPECT_EQ(shared[1].jobs, 2);
}

TEST(QueueTurns, a_queue_that_was_empty_has_saved_nothing) {
  QueueTurns turns;
  EXPECT_EQ(order_of(turns, {{"a", 1}}, 100), std::string(100, 'a'));
  EXPECT_EQ(order_of(turns, {{"a", 1}, {"b", 1}}, 4), "abab");
  EXPECT_TRUE(turns.next({}, 3).empty());
}

TEST(QueueNames, weights_and_limits_are_checked) {
  EXPECT_TRUE(check_queue_share({"mail-1_x", 1000}));
  EXPECT_FALSE(check_queue_share({"mail", 0}));
  EXPECT_FALSE(check_queue_share({"mail", 1001}));
  EXPECT_TRUE(check_limit("", {}));
  EXPECT_TRUE(check_limit("api", {.at_once = 1}));
  EXPECT_TRUE(check_limit("api", {.starts = 10, .window = 1min}));
  EXPECT_FALSE(check_limit("api", {}));
  EXPECT_FALSE(check_limit("", {.at_once = 1}));
  EXPECT_FALSE(check_limit("api", {.starts = 10}));
  EXPECT_FALSE(check_limit("api", {.at_once = -1}));
  EXPECT_FALSE(check_limit("api", {.starts = 10'001, .window = 1min}));
}

}  // namespace
}  // namespace sluice::jobs
