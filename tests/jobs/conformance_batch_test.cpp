// Conformance: batches, counted together, ended once, followed like any job.
#include "jobs/store_conformance.h"

#include <latch>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

NewBatch batch_of(std::vector<NewJob> jobs) {
  return {.name = "nightly", .started_by = "ada", .jobs = std::move(jobs), .batch = {}};
}

TEST_P(StoreConformance, a_batch_counts_its_jobs_and_ends_with_the_last_one) {
  const JobId id = store_->flow().create_batch(batch_of({job("a"), job("b"), job("c")}), now_).value();
  const Batch begun = batch(id);
  EXPECT_EQ(begun.name, "nightly");
  EXPECT_EQ(begun.started_by, "ada");
  EXPECT_EQ(begun.state, JobState::awaiting);
  EXPECT_EQ(begun.created_at, now_);
  EXPECT_EQ(begun.total, 3);
  EXPECT_EQ(begun.pending(), 3);
  NewJob child = job("then");
  child.parent = id;
  const JobId then = add(child);
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 3u) << "the batch itself is nobody's work";
  now_ += 1min;
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    EXPECT_EQ(batch(id).state, JobState::awaiting);
    EXPECT_EQ(get(then).state, JobState::awaiting);
    EXPECT_EQ(claimed[i].job.batch, id);
    EXPECT_TRUE(complete({.lease = claimed[i].lease, .to = JobState::succeeded}));
    EXPECT_EQ(batch(id).succeeded, static_cast<std::int64_t>(i) + 1);
  }
  settle();
  const Batch ended = batch(id);
  EXPECT_EQ(ended.state, JobState::succeeded);
  EXPECT_EQ(ended.finished_at, now_);
  EXPECT_EQ(ended.pending(), 0);
  EXPECT_EQ(get(then).state, JobState::enqueued);
  EXPECT_EQ(store_->queries().history(id).value().size(), 2u);
  EXPECT_EQ(store_->queries().counts().value()[3], 0);
}

TEST_P(StoreConformance, a_batch_with_a_failed_job_goes_on_when_that_is_run_again) {
  const JobId id = store_->flow().create_batch(batch_of({job("a"), job("b")}), now_).value();
  NewJob on_success = job("on success"), on_end = job("on end");
  on_success.parent = on_end.parent = id;
  on_end.follows = Follows::finished;
  const JobId success = add(on_success), end = add(on_end);
  const auto claimed = claim();
  EXPECT_TRUE(complete({.lease = claimed[0].lease, .to = JobState::failed}));
  EXPECT_TRUE(complete({.lease = claimed[1].lease, .to = JobState::succeeded}));
  settle();
  EXPECT_EQ(batch(id).state, JobState::failed);
  EXPECT_EQ(get(success).state, JobState::awaiting);
  EXPECT_EQ(get(end).state, JobState::enqueued);
  ASSERT_TRUE(store_->jobs().requeue(claimed[0].job.id, "again", now_));
  settle();
  EXPECT_EQ(batch(id).state, JobState::awaiting);
  EXPECT_EQ(batch(id).pending(), 1);
  EXPECT_FALSE(batch(id).finished_at);
  for (const Claimed& one : claim()) EXPECT_TRUE(complete({.lease = one.lease, .to = JobState::succeeded}));
  settle();
  EXPECT_EQ(batch(id).state, JobState::succeeded);
  EXPECT_EQ(get(success).state, JobState::enqueued);
}

TEST_P(StoreConformance, a_batch_of_which_some_were_deleted_and_none_failed_is_deleted) {
  const JobId id = store_->flow().create_batch(batch_of({job("a"), job("b")}), now_).value();
  const auto claimed = claim(1);
  EXPECT_TRUE(complete({.lease = claimed[0].lease, .to = JobState::succeeded}));
  JobFilter pending;
  pending.batch = id;
  pending.states = {JobState::enqueued};
  EXPECT_EQ(store_->flow().change_all(pending, {.to = JobState::deleted}, now_).value().changed, 1);
  settle();
  EXPECT_EQ(batch(id).state, JobState::deleted);
  EXPECT_EQ(batch(id).deleted, 1);
}

TEST_P(StoreConformance, a_running_member_adds_to_its_own_batch) {
  const JobId id = store_->flow().create_batch(batch_of({job("a")}), now_).value();
  const Lease lease = claim_one().lease;
  NewJob more = job("more");
  more.batch = id;
  const JobId added = add(more);
  EXPECT_EQ(get(added).batch, id);
  EXPECT_EQ(batch(id).total, 2);
  EXPECT_TRUE(complete({.lease = lease, .to = JobState::succeeded}));
  settle();
  EXPECT_EQ(batch(id).state, JobState::awaiting);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  settle();
  EXPECT_EQ(batch(id).state, JobState::succeeded);
  const auto late = store_->jobs().enqueue(std::span(&more, 1), now_);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::conflict);
  more.batch = JobId(4711);
  EXPECT_EQ(store_->jobs().enqueue(std::span(&more, 1), now_).error().code, ErrorCode::not_found);
}

TEST_P(StoreConformance, a_batch_is_created_as_a_whole_or_not_at_all) {
  NewJob orphan = job("orphan");
  orphan.parent = JobId(4711);
  EXPECT_EQ(store_->flow().create_batch(batch_of({job("a"), orphan}), now_).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(store_->flow().create_batch(batch_of({}), now_).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(store_->queries().list({}).value().empty());
  EXPECT_TRUE(store_->flow().batches({}, 10).value().empty());
}

TEST_P(StoreConformance, a_batch_inside_a_batch_is_a_member_of_it) {
  const JobId outer = store_->flow().create_batch(batch_of({job("a")}), now_).value();
  NewBatch inside = batch_of({job("b"), job("c")});
  inside.batch = outer;
  const JobId inner = store_->flow().create_batch(inside, now_).value();
  EXPECT_EQ(batch(inner).batch, outer);
  EXPECT_EQ(batch(outer).total, 2);
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 3u);
  EXPECT_TRUE(complete({.lease = claimed[0].lease, .to = JobState::succeeded}));
  EXPECT_TRUE(complete({.lease = claimed[1].lease, .to = JobState::succeeded}));
  settle();
  EXPECT_EQ(batch(outer).state, JobState::awaiting);
  EXPECT_TRUE(complete({.lease = claimed[2].lease, .to = JobState::failed}));
  settle();
  EXPECT_EQ(batch(inner).state, JobState::failed);
  EXPECT_EQ(batch(outer).state, JobState::failed);
  const auto listed = store_->flow().batches({}, 10).value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, inner);
  EXPECT_EQ(store_->flow().batches(inner, 10).value().size(), 1u);
}

TEST_P(StoreConformance, nobody_changes_a_batch_but_by_its_jobs) {
  const JobId id = store_->flow().create_batch(batch_of({job("a")}), now_).value();
  for (const JobState to : {JobState::enqueued, JobState::scheduled, JobState::deleted}) {
    const auto changed = ask(id, {.to = to, .run_at = now_ + 1h});
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().code, ErrorCode::conflict);
  }
  EXPECT_FALSE(store_->jobs().cancel(id, "no", now_));
  EXPECT_EQ(batch(id).state, JobState::awaiting);
}

TEST_P(StoreConformance, a_batch_is_forgotten_when_its_time_is_over) {
  const JobId id = store_->flow().create_batch(batch_of({job("a")}), now_).value();
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  settle();
  now_ += std::chrono::hours(24 * 365);
  Retention retention;
  retention.keep_per_subject = 0;
  EXPECT_EQ(store_->upkeep().trim(retention, 100, now_).value(), 2);
  EXPECT_FALSE(store_->flow().batch(id).value());
}

TEST_P(StoreConformance, members_that_end_at_once_on_many_connections_end_their_batch_once) {
  constexpr int kThreads = 4, kEach = 5;
  const JobId id =
      store_->flow()
          .create_batch(batch_of(std::vector<NewJob>(static_cast<std::size_t>(kThreads) * kEach, job())),
                        now_)
          .value();
  NewJob child = job("then");
  child.parent = id;
  const JobId then = add(child);
  const auto claimed = claim(kThreads * kEach);
  ASSERT_EQ(claimed.size(), static_cast<std::size_t>(kThreads) * kEach);
  {
    std::latch together(kThreads);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const auto store = setting_->open();
        together.arrive_and_wait();
        for (std::size_t k = 0; k < kEach; ++k) {
          const Completion end{.lease = claimed[i * kEach + k].lease, .to = JobState::succeeded};
          EXPECT_TRUE(store->jobs().complete(std::span(&end, 1), now_).value().at(0));
        }
      });
    }
  }
  settle();
  EXPECT_EQ(batch(id).state, JobState::succeeded);
  EXPECT_EQ(batch(id).succeeded, kThreads * kEach);
  EXPECT_EQ(store_->queries().history(id).value().size(), 2u);
  EXPECT_EQ(get(then).state, JobState::enqueued);
}

}  // namespace
}  // namespace sluice::jobs
