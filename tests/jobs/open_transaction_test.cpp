// A caller enqueues inside its own transaction, and leaves it open: whatever it holds, nobody else waits for.
#include "jobs/engine.h"
#include "jobs/postgres_fixture.h"
#include "sql/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

class OpenTransaction : public testing::Test {
 protected:
  OpenTransaction() { join("n1"); }
  void join(const std::string& id) {
    ASSERT_TRUE(store_->nodes().join({.id = id, .name = "host", .workers = 2, .started_at = now_}));
  }
  static NewJob job() {
    NewJob job;
    job.kind = "load";
    job.subject = "Country";
    return job;
  }
  JobId add(NewJob job) { return store_->jobs().enqueue(std::span(&job, 1), now_).value().at(0).id; }
  std::vector<Claimed> claim(int limit, const std::string& node = "n1") {
    return store_->jobs().claim({.node = node, .limit = limit, .kinds = {"load"}}, now_).value();
  }
  // Enqueues a job after the parent, in a transaction that stays open.
  void hold(JobId parent) {
    NewJob child = job();
    child.parent = parent;
    const auto made = store_->jobs().enqueue_in(*caller_, std::span(&child, 1), now_);
    ASSERT_TRUE(made) << made.error().describe();
    child_ = made->at(0).id;
  }
  JobState state_of(JobId id) { return store_->queries().get(id).value().value().state; }
  std::vector<std::optional<JobState>> end(const Claimed& one) {
    const Completion completion{.lease = one.lease};
    const auto done = store_->jobs().complete(std::span(&completion, 1), now_);
    return done ? *done : std::vector<std::optional<JobState>>{std::nullopt};
  }

  PostgresSetting setting_;
  std::unique_ptr<Store> store_ = setting_.open();
  std::unique_ptr<sql::PostgresConnection> caller_ = setting_.connect();
  Timestamp now_ = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10);
  JobId child_;
};

TEST_F(OpenTransaction, on_a_parent_is_told_and_keeps_no_other_job_from_ending) {
  add(job());
  add(job());
  const auto claimed = claim(2);
  auto transaction = sql::Transaction::begin(*caller_).value();
  hold(claimed.at(0).job.id);
  const std::vector<Completion> both{{.lease = claimed[0].lease}, {.lease = claimed[1].lease}};
  const auto refused = store_->jobs().complete(both, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::locked);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(store_->jobs().held_elsewhere(both).value(), (std::vector<bool>{true, false}));
  EXPECT_EQ(end(claimed[1]).at(0), JobState::succeeded);
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(store_->jobs().held_elsewhere(both).value(), (std::vector<bool>{false, false}));
  EXPECT_EQ(end(claimed[0]).at(0), JobState::succeeded);
  EXPECT_EQ(state_of(child_), JobState::enqueued);
}

TEST_F(OpenTransaction, an_engine_ends_the_others_meanwhile_and_the_job_itself_afterwards) {
  SystemClock clock;
  Engine engine(*store_, clock, {.workers = 2});
  std::atomic<bool> held = false;
  engine.register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    while (!held) std::this_thread::yield();
    return JobOutcome{};
  });
  ASSERT_TRUE(engine.start());
  const JobId parent = engine.enqueue(job()).value(), other = engine.enqueue(job()).value();
  while (state_of(parent) != JobState::processing || state_of(other) != JobState::processing)
    std::this_thread::yield();
  {
    auto transaction = sql::Transaction::begin(*caller_).value();
    hold(parent);
    held = true;
    while (state_of(other) != JobState::succeeded) std::this_thread::yield();
    // So do those that come later.
    const JobId later = engine.enqueue(job()).value();
    while (state_of(later) != JobState::succeeded) std::this_thread::yield();
    EXPECT_EQ(state_of(parent), JobState::processing);
    ASSERT_TRUE(transaction.commit());
  }
  while (state_of(child_) != JobState::succeeded) std::this_thread::yield();
  EXPECT_EQ(state_of(parent), JobState::succeeded);
  engine.stop(10s);
}

TEST_F(OpenTransaction, on_a_child_does_not_keep_its_parent_from_ending) {
  const JobId parent = add(job());
  NewJob after = job();
  after.parent = parent;
  const JobId child = add(after), sibling = add(after);
  const auto claimed = claim(1);
  auto transaction = sql::Transaction::begin(*caller_).value();
  hold(child);
  EXPECT_EQ(end(claimed.at(0)).at(0), JobState::succeeded);
  EXPECT_EQ(state_of(sibling), JobState::enqueued);
  EXPECT_EQ(state_of(child), JobState::awaiting);
  EXPECT_EQ(store_->flow().settle(kSettleAtOnce, now_).value(), 0) << "nor does anybody wait for it later";
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(store_->flow().settle(kSettleAtOnce, now_).value(), 1);
  EXPECT_EQ(state_of(child), JobState::enqueued);
}

TEST_F(OpenTransaction, on_a_batch_keeps_no_other_batch_from_ending) {
  const JobId first = store_->flow().create_batch({.name = "a", .jobs = {job()}}, now_).value();
  const JobId second = store_->flow().create_batch({.name = "b", .jobs = {job()}}, now_).value();
  const auto claimed = claim(2);
  auto transaction = sql::Transaction::begin(*caller_).value();
  hold(second);
  EXPECT_EQ(end(claimed.at(1)).at(0), JobState::succeeded);
  EXPECT_EQ(end(claimed.at(0)).at(0), JobState::succeeded);
  EXPECT_EQ(state_of(first), JobState::succeeded);
  EXPECT_EQ(state_of(second), JobState::awaiting);
  ASSERT_TRUE(transaction.commit());
  EXPECT_GT(store_->flow().settle(kSettleAtOnce, now_).value(), 0);
  EXPECT_EQ(state_of(second), JobState::succeeded);
  EXPECT_EQ(state_of(child_), JobState::enqueued);
}

TEST_F(OpenTransaction, on_a_key_leaves_that_recurring_job_due_and_fires_the_others) {
  std::vector<RecurringSpec> specs(3);
  for (int i = 0; i < 3; ++i) {
    specs[i].id = fmt::format("r{}", i);
    specs[i].kind = specs[i].subject = "load";
    specs[i].phrase = "every hour";
    specs[i].exclusive_key = fmt::format("k{}", i);
  }
  const auto plan = [&](const Recurring&) {
    return FirePlan{.ticks = {{.fire_at = now_}}, .next_fire_at = now_ + 1h, .error = {}};
  };
  const auto first = [&](const Recurring&) {
    return FirePlan{.ticks = {}, .next_fire_at = now_, .error = {}};
  };
  ASSERT_TRUE(store_->recurring().upsert(specs, first, now_));
  const auto fired = [&](int limit) {
    std::vector<std::string> ids;
    const auto all = store_->recurring().fire_due(plan, limit, now_);
    EXPECT_TRUE(all) << all.error().describe();
    for (const Fired& one : all.value_or(std::vector<Fired>())) ids.push_back(one.recurring_id);
    return ids;
  };
  auto transaction = sql::Transaction::begin(*caller_).value();
  NewJob held = job();
  held.exclusive_key = "k0";
  held.unless_live = true;
  ASSERT_TRUE(store_->jobs().enqueue_in(*caller_, std::span(&held, 1), now_));
  EXPECT_THAT(fired(1), testing::ElementsAre("r1")) << "nor does it take another one's turn";
  EXPECT_THAT(fired(10), testing::ElementsAre("r2"));
  EXPECT_THAT(fired(10), testing::IsEmpty());
  EXPECT_EQ(store_->recurring().get("r0").value()->next_fire_at, now_);
  ASSERT_TRUE(caller_->execute("rollback"));
  EXPECT_THAT(fired(10), testing::ElementsAre("r0"));
}

TEST_F(OpenTransaction, on_a_key_of_another_store_in_the_same_database_is_nobodys_business) {
  PostgresSetting other;
  const auto elsewhere = other.open();
  const auto connection = other.connect();
  auto transaction = sql::Transaction::begin(*connection).value();
  NewJob held = job();
  held.exclusive_key = "r0";
  held.unless_live = true;
  ASSERT_TRUE(elsewhere->jobs().enqueue_in(*connection, std::span(&held, 1), now_));
  RecurringSpec spec;
  spec.id = "r0";
  spec.kind = spec.subject = "load";
  spec.phrase = "every hour";
  spec.exclusive_key = "r0";
  const auto plan = [&](const Recurring&) {
    return FirePlan{.ticks = {{.fire_at = now_}}, .next_fire_at = now_, .error = {}};
  };
  ASSERT_TRUE(store_->recurring().upsert(std::span(&spec, 1), plan, now_));
  EXPECT_EQ(store_->recurring().fire_due(plan, 10, now_).value().size(), 1u);
}

TEST_F(OpenTransaction, on_a_recurring_job_leaves_it_due_and_fires_the_others) {
  std::vector<RecurringSpec> specs(2);
  specs[0].id = "r0";
  specs[1].id = "r1";
  for (RecurringSpec& spec : specs) {
    spec.kind = "load";
    spec.phrase = "every hour";
  }
  const auto plan = [&](const Recurring&) {
    return FirePlan{.ticks = {{.fire_at = now_}}, .next_fire_at = now_ + 1h, .error = {}};
  };
  const auto first = [&](const Recurring&) {
    return FirePlan{.ticks = {}, .next_fire_at = now_, .error = {}};
  };
  ASSERT_TRUE(store_->recurring().upsert(specs, first, now_));
  auto transaction = sql::Transaction::begin(*caller_).value();
  ASSERT_TRUE(caller_->execute("select 1 from recurring where id = 'r0' for share"));
  const auto fired = store_->recurring().fire_due(plan, 10, now_);
  ASSERT_TRUE(fired) << fired.error().describe();
  ASSERT_EQ(fired->size(), 1u);
  EXPECT_EQ(fired->at(0).recurring_id, "r1");
  ASSERT_TRUE(caller_->execute("rollback"));
  EXPECT_EQ(store_->recurring().fire_due(plan, 10, now_).value().size(), 1u);
}

TEST_F(OpenTransaction, on_a_job_that_a_tick_would_cancel_leaves_the_tick_due) {
  RecurringSpec spec;
  spec.id = "r";
  spec.kind = spec.subject = "load";
  spec.phrase = "every hour";
  spec.overlap = Overlap::cancel_old;
  const auto plan = [&](const Recurring&) {
    return FirePlan{.ticks = {{.fire_at = now_}}, .next_fire_at = now_ + 1h, .error = {}};
  };
  const auto first = [&](const Recurring&) {
    return FirePlan{.ticks = {}, .next_fire_at = now_, .error = {}};
  };
  ASSERT_TRUE(store_->recurring().upsert(std::span(&spec, 1), first, now_));
  const auto old = store_->recurring().fire_due(plan, 10, now_).value();
  now_ += 1h;
  auto transaction = sql::Transaction::begin(*caller_).value();
  hold(old.at(0).job);
  const auto fired = store_->recurring().fire_due(plan, 10, now_);
  ASSERT_TRUE(fired) << fired.error().describe();
  EXPECT_TRUE(fired->empty());
  ASSERT_TRUE(caller_->execute("rollback"));
  EXPECT_EQ(store_->recurring().fire_due(plan, 10, now_).value().size(), 1u);
  EXPECT_EQ(state_of(old.at(0).job), JobState::deleted);
}

TEST_F(OpenTransaction, on_a_job_of_a_dead_node_leaves_its_others_to_be_rescued) {
  // Of a node for which nobody's heart beats, as a beat would bring it back.
  setting_.execute(
      "insert into node (id, name, pid, version, workers, started_at, expires_at) select 'n2', name, pid, "
      "version, "
      "workers, started_at, now() + interval '1 hour' from node where id = 'n1'");
  add(job());
  add(job());
  const auto claimed = claim(2, "n2");
  setting_.execute("update node set expires_at = now() - interval '1 second' where id = 'n2'");
  auto transaction = sql::Transaction::begin(*caller_).value();
  hold(claimed.at(0).job.id);
  const auto rescued = store_->nodes().rescue_dead(now_);
  ASSERT_TRUE(rescued) << rescued.error().describe();
  ASSERT_EQ(rescued->size(), 1u);
  EXPECT_EQ(rescued->at(0).job, claimed[1].job.id);
  ASSERT_TRUE(transaction.commit());
  const auto later = store_->nodes().rescue_dead(now_).value();
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].job, claimed[0].job.id);
}

}  // namespace
}  // namespace sluice::jobs
