// What jobs that depend on others meet on PostgreSQL alone: transactions of others that are open meanwhile.
#include "jobs/postgres/store.h"
#include "jobs/postgres_fixture.h"
#include "sql/transaction.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class PostgresFlow : public testing::Test {
 protected:
  PostgresFlow() {
    const auto joined = store_->nodes().join({.id = "n1", .name = "host", .workers = 2, .started_at = now_});
    EXPECT_TRUE(joined) << joined.error().describe();
  }
  static NewJob job() {
    NewJob job;
    job.kind = "load";
    return job;
  }
  Claimed claim_one() {
    return store_->jobs().claim({.node = "n1", .limit = 1, .kinds = {"load"}}, now_).value().at(0);
  }
  // Until a statement of this schema's waits for a lock of another one.
  void wait_for_a_waiting_one() {
    while (setting_.number("select count(*) from pg_locks where not granted") == 0) std::this_thread::yield();
  }

  PostgresSetting setting_;
  std::unique_ptr<Store> store_ = setting_.open();
  Timestamp now_ = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10);
};

TEST_F(PostgresFlow, completions_do_not_wait_for_a_transaction_that_adds_to_their_batch) {
  const JobId id = store_->flow().create_batch({.name = "b", .jobs = {job()}}, now_).value();
  const Lease lease = claim_one().lease;
  const auto other = setting_.connect();
  ASSERT_TRUE(other->execute("begin"));
  ASSERT_TRUE(other->execute(fmt::format("select 1 from batch where job = {} for share", id.value())));
  auto done = std::async(std::launch::async, [&] {
    const Completion end{.lease = lease, .to = JobState::succeeded};
    return store_->jobs().complete(std::span(&end, 1), now_).has_value();
  });
  EXPECT_EQ(done.wait_for(5s), std::future_status::ready);
  ASSERT_TRUE(other->execute("commit"));
  EXPECT_TRUE(done.get());
  ASSERT_TRUE(store_->flow().settle(10, now_));
  EXPECT_EQ(store_->flow().batch(id).value()->state, JobState::succeeded);
}

TEST_F(PostgresFlow, a_batch_that_is_held_up_holds_up_no_other) {
  const JobId first = store_->flow().create_batch({.name = "a", .jobs = {job()}}, now_).value();
  const JobId second = store_->flow().create_batch({.name = "b", .jobs = {job()}}, now_).value();
  const auto other = setting_.connect();
  ASSERT_TRUE(other->execute("begin"));
  ASSERT_TRUE(other->execute(fmt::format("select 1 from batch where job = {} for share", second.value())));
  for (int i = 0; i < 2; ++i) {
    const Completion end{.lease = claim_one().lease, .to = JobState::succeeded};
    auto done = std::async(std::launch::async,
                           [&] { return store_->jobs().complete(std::span(&end, 1), now_).has_value(); });
    EXPECT_EQ(done.wait_for(5s), std::future_status::ready) << "a completion waits";
    if (done.wait_for(0s) != std::future_status::ready) (void)other->execute("rollback");
    EXPECT_TRUE(done.get());
  }
  EXPECT_EQ(store_->flow().batch(first).value()->state, JobState::succeeded);
  EXPECT_EQ(store_->flow().batch(second).value()->state, JobState::awaiting);
  ASSERT_TRUE(other->execute("rollback"));
  ASSERT_TRUE(store_->flow().settle(10, now_));
  EXPECT_EQ(store_->flow().batch(second).value()->state, JobState::succeeded);
}

TEST_F(PostgresFlow, a_job_that_becomes_ready_this_instant_can_still_be_replaced) {
  NewJob given = job();
  given.unique_key = "k";
  given.run_at = now_ + 1h;
  const JobId id = store_->jobs().enqueue(std::span(&given, 1), now_).value().at(0).id;
  const auto other = setting_.connect();
  ASSERT_TRUE(other->execute("begin"));
  ASSERT_TRUE(other->execute(fmt::format("update job set state = 1 where id = {}", id.value())));
  ASSERT_TRUE(other->execute(fmt::format(
      "insert into ready (job, priority, run_at, kind, token, attempt) select id, priority, run_at, "
      "kind, lease + 1, attempt from job where id = {}",
      id.value())));
  given.args = R"({"n": 2})";
  given.on_collision = Collision::replace;
  auto replaced = std::async(std::launch::async, [&] {
    return store_->jobs().enqueue(std::span(&given, 1), now_).value().at(0).replaced;
  });
  wait_for_a_waiting_one();
  ASSERT_TRUE(other->execute("commit"));
  EXPECT_TRUE(replaced.get());
  EXPECT_EQ(store_->queries().get(id).value()->args, R"({"n": 2})");
}

}  // namespace
}  // namespace sluice::jobs
