// Conformance: jobs that follow others. A child settles with its parent's end, whatever brought that about.
#include "jobs/store_conformance.h"

#include <array>
#include <latch>
#include <map>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::array kAllFollows{Follows::succeeded, Follows::finished, Follows::not_succeeded};

NewJob child_of(JobId parent, Follows follows = Follows::succeeded) {
  NewJob job;
  job.kind = "load";
  job.subject = "child";
  job.parent = parent;
  job.follows = follows;
  return job;
}

JobState wanted(JobState parent, Follows follows) {
  switch (consequence_of(parent, follows)) {
    case Consequence::runs:
      return JobState::enqueued;
    case Consequence::ends:
      return JobState::deleted;
    case Consequence::waits:
      return JobState::awaiting;
  }
  return JobState::awaiting;
}

// Written out by hand, apart from the code's own table.
TEST(Following, the_table_is_as_drawn) {
  using enum JobState;
  using enum Consequence;
  const std::map<JobState, std::array<Consequence, 3>> drawn = {
      {scheduled, {waits, waits, waits}},  {enqueued, {waits, waits, waits}},
      {processing, {waits, waits, waits}}, {awaiting, {waits, waits, waits}},
      {held, {waits, waits, waits}},       {succeeded, {runs, runs, ends}},
      {failed, {waits, runs, runs}},       {deleted, {ends, runs, runs}},
      {skipped, {ends, runs, runs}},
  };
  for (const JobState state : kJobStates) {
    for (std::size_t i = 0; i < kAllFollows.size(); ++i) {
      EXPECT_EQ(consequence_of(state, kAllFollows[i]), drawn.at(state)[i])
          << to_string(state) << " " << to_string(kAllFollows[i]);
    }
  }
}

TEST_P(StoreConformance, children_settle_with_the_end_of_their_parent) {
  for (const JobState end : {JobState::succeeded, JobState::failed, JobState::deleted, JobState::held}) {
    const JobId parent = add();
    std::vector<JobId> children;
    for (const Follows follows : kAllFollows) children.push_back(add(child_of(parent, follows)));
    for (const JobId child : children) EXPECT_EQ(get(child).state, JobState::awaiting);
    const Lease lease = claim_one().lease;
    EXPECT_EQ(lease.job, parent);
    EXPECT_TRUE(claim().empty()) << "the children wait";
    EXPECT_EQ(ending({.lease = lease, .to = end, .reason = "so"}), end);
    const auto counts = store_->queries().counts().value();
    for (std::size_t i = 0; i < children.size(); ++i) {
      const Job child = get(children[i]);
      EXPECT_EQ(child.state, wanted(end, kAllFollows[i])) << to_string(end) << " " << i;
      EXPECT_EQ(child.parent, parent);
      EXPECT_EQ(child.follows, kAllFollows[i]);
      if (child.state == JobState::awaiting) continue;
      EXPECT_NE(
          store_->queries().history(child.id).value().back().reason.find(std::to_string(parent.value())),
          std::string::npos);
    }
    std::size_t runs = 0;
    for (const Claimed& one : claim()) {
      ++runs;
      EXPECT_TRUE(complete({.lease = one.lease, .to = JobState::succeeded}));
    }
    EXPECT_EQ(counts[1], runs) << to_string(end);
    for (const JobId child : children) store_->jobs().cancel(child, "clean up", now_).value();
    store_->jobs().cancel(parent, "clean up", now_).value();
  }
}

TEST_P(StoreConformance, a_parent_that_has_ended_is_judged_at_once) {
  for (const JobState end : {JobState::succeeded, JobState::failed, JobState::deleted}) {
    const JobId parent = add();
    EXPECT_EQ(ending({.lease = claim_one().lease, .to = end, .reason = "so"}), end);
    for (const Follows follows : kAllFollows) {
      const NewJob given = child_of(parent, follows);
      const Enqueued made = store_->jobs().enqueue(std::span(&given, 1), now_).value().at(0);
      EXPECT_EQ(made.state, wanted(end, follows));
      EXPECT_EQ(get(made.id).state, made.state) << to_string(end) << " " << to_string(follows);
      if (made.state == JobState::deleted) {
        EXPECT_EQ(get(made.id).finished_at, now_);
        EXPECT_FALSE(get(made.id).reason.empty());
      }
      store_->jobs().cancel(made.id, "clean up", now_).value();
    }
  }
}

TEST_P(StoreConformance, a_parent_that_is_not_there_is_refused_and_nothing_written) {
  const std::vector<NewJob> jobs = {job(), child_of(JobId(4711))};
  const auto made = store_->jobs().enqueue(jobs, now_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::not_found);
  EXPECT_NE(made.error().message.find("4711"), std::string::npos);
  EXPECT_TRUE(store_->queries().list({}).value().empty());
}

TEST_P(StoreConformance, a_failed_parent_that_succeeds_when_run_again_lets_its_child_run) {
  const JobId parent = add();
  const JobId child = add(child_of(parent));
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::failed}));
  EXPECT_EQ(get(child).state, JobState::awaiting);
  ASSERT_TRUE(store_->jobs().requeue(parent, "again", now_));
  EXPECT_EQ(get(child).state, JobState::awaiting);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  EXPECT_EQ(get(child).state, JobState::enqueued);
}

TEST_P(StoreConformance, a_retry_and_a_shut_down_are_no_end) {
  const JobId parent = add();
  const JobId child = add(child_of(parent, Follows::finished));
  EXPECT_EQ(ending({.lease = claim_one().lease, .to = JobState::enqueued, .count_attempt = false}),
            JobState::enqueued);
  EXPECT_EQ(ending({.lease = claim_one().lease,
                    .to = JobState::scheduled,
                    .error = JobError{"timeout", "slow"},
                    .run_at = now_ + 1min}),
            JobState::scheduled);
  EXPECT_EQ(get(child).state, JobState::awaiting);
}

TEST_P(StoreConformance, a_child_waits_for_its_own_delay_from_the_parents_end) {
  const JobId parent = add();
  NewJob given = child_of(parent);
  given.delay = 10min;
  const JobId child = add(given);
  now_ += 1h;
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  EXPECT_EQ(get(child).state, JobState::scheduled);
  EXPECT_EQ(get(child).run_at, now_ + 10min);
  EXPECT_EQ(get(child).delay, 10min);
  EXPECT_TRUE(claim().empty());
  now_ += 10min;
  EXPECT_EQ(claim_one().job.id, child);
  // The parent ended ten minutes ago: its delay is over already.
  EXPECT_EQ(get(add(given)).state, JobState::enqueued);
}

TEST_P(StoreConformance, a_delay_without_a_parent_counts_from_now) {
  NewJob given = job();
  given.delay = 5min;
  EXPECT_EQ(get(add(given)).state, JobState::scheduled);
  now_ += 5min;
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, a_deleted_job_takes_a_long_chain_along) {
  const JobId first = add();
  JobId last = first;
  std::vector<JobId> chain;
  for (int i = 0; i < 300; ++i) {
    last = add(child_of(last));
    chain.push_back(last);
  }
  const JobId rescuer = add(child_of(last, Follows::not_succeeded));
  EXPECT_EQ(store_->jobs().cancel(first, "no more", now_).value(), Cancelled::deleted);
  for (const JobId id : chain) {
    EXPECT_EQ(get(id).state, JobState::deleted);
    EXPECT_EQ(get(id).finished_at, now_);
  }
  EXPECT_EQ(get(rescuer).state, JobState::enqueued);
  EXPECT_EQ(store_->queries().counts().value()[3], 0);
}

TEST_P(StoreConformance, very_many_children_settle_in_bounded_steps_and_none_is_lost) {
  const JobId parent = add();
  constexpr int kChildren = kSettleAtOnce + 500;
  const std::vector<NewJob> children(kChildren, child_of(parent));
  ASSERT_TRUE(store_->jobs().enqueue(children, now_));
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  EXPECT_EQ(store_->queries().counts().value()[1], kSettleAtOnce);
  // Another process goes on with it.
  const auto other = setting_->open();
  EXPECT_EQ(other->flow().settle(kSettleAtOnce, now_).value(), 500);
  EXPECT_EQ(other->flow().settle(kSettleAtOnce, now_).value(), 0);
  EXPECT_EQ(store_->queries().counts().value()[1], kChildren);
  EXPECT_EQ(store_->queries().counts().value()[3], 0);
}

TEST_P(StoreConformance, a_batch_of_ends_settles_every_child_once) {
  std::vector<JobId> children;
  for (int i = 0; i < 20; ++i) children.push_back(add(child_of(add())));
  std::vector<Completion> ends;
  for (const Claimed& one : claim(50)) ends.push_back({.lease = one.lease, .to = JobState::succeeded});
  ASSERT_EQ(ends.size(), 20u);
  ASSERT_TRUE(store_->jobs().complete(ends, now_));
  for (const JobId child : children) {
    EXPECT_EQ(get(child).state, JobState::enqueued);
    EXPECT_EQ(store_->queries().history(child).value().size(), 2u);
  }
  EXPECT_EQ(claim(50).size(), 20u);
}

TEST_P(StoreConformance, a_waiting_child_can_be_cancelled_or_run_without_its_parent) {
  const JobId parent = add();
  const JobId cancelled = add(child_of(parent)), forced = add(child_of(parent));
  EXPECT_EQ(store_->jobs().cancel(cancelled, "not wanted", now_).value(), Cancelled::deleted);
  ASSERT_TRUE(store_->jobs().requeue(forced, "do not wait", now_));
  EXPECT_EQ(get(forced).state, JobState::enqueued);
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2u);
  for (const Claimed& one : claimed) {
    EXPECT_TRUE(complete({.lease = one.lease, .to = JobState::succeeded}));
  }
  EXPECT_EQ(get(cancelled).state, JobState::deleted);
  EXPECT_EQ(get(forced).state, JobState::succeeded);
  EXPECT_TRUE(claim().empty()) << "it ran once";
}

TEST_P(StoreConformance, retiring_a_recurring_job_takes_what_follows_its_waiting_runs) {
  upsert(recurring());
  NewJob run = job();
  run.recurring_id = "load:Country";
  const JobId parent = add(run);
  const JobId child = add(child_of(parent)), either_way = add(child_of(parent, Follows::finished));
  ASSERT_TRUE(store_->recurring().retire("load:Country", "its file is gone", now_));
  EXPECT_EQ(get(child).state, JobState::deleted);
  EXPECT_EQ(get(either_way).state, JobState::enqueued);
}

TEST_P(StoreConformance, a_parent_whose_process_died_too_often_has_ended) {
  const JobId parent = add();
  const JobId child = add(child_of(parent, Follows::not_succeeded));
  for (int i = 0; i < kMaxCrashes; ++i) {
    const std::string node = "dead" + std::to_string(i);
    auto dying = setting_->open();
    join(*dying, node);
    ASSERT_EQ(dying->jobs().claim({.node = node, .limit = 1, .kinds = {"load"}}, now_).value().size(), 1u);
    dying.reset();  // without leaving
    ASSERT_EQ(store_->nodes().rescue_dead(now_).value().size(), 1u);
  }
  EXPECT_EQ(get(parent).state, JobState::failed);
  EXPECT_EQ(get(child).state, JobState::enqueued);
}

TEST_P(StoreConformance, what_others_wait_for_is_not_forgotten) {
  const JobId parent = add();
  const JobId child = add(child_of(parent));
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::failed}));
  now_ += std::chrono::hours(24 * 365);
  EXPECT_EQ(store_->upkeep().trim({}, 100, now_).value(), 0);
  store_->jobs().cancel(child, "never mind", now_).value();
  EXPECT_EQ(store_->upkeep().trim({}, 100, now_).value(), 1);
  EXPECT_FALSE(store_->queries().get(parent).value());
}

TEST_P(StoreConformance, the_children_of_a_job_are_listed) {
  const JobId parent = add();
  const JobId first = add(child_of(parent)), second = add(child_of(parent, Follows::finished));
  add(child_of(first));
  const auto ids = [&](JobId after, int limit) {
    std::vector<JobId> found;
    const auto children = store_->flow().children(parent, after, limit).value();
    for (const Job& one : children) found.push_back(one.id);
    return found;
  };
  EXPECT_EQ(ids({}, 10), (std::vector{first, second}));
  EXPECT_EQ(ids({}, 1), (std::vector{first}));
  EXPECT_EQ(ids(first, 10), (std::vector{second}));
}

TEST_P(StoreConformance, a_child_given_while_its_parent_ends_is_never_left_behind) {
  for (int round = 0; round < 20; ++round) {
    const JobId parent = add();
    const Lease lease = claim_one().lease;
    std::latch both(2);
    JobId child;
    std::jthread other([&] {
      const auto store = setting_->open();
      const NewJob given = child_of(parent);
      both.arrive_and_wait();
      child = store->jobs().enqueue(std::span(&given, 1), now_).value().at(0).id;
    });
    both.arrive_and_wait();
    EXPECT_TRUE(complete({.lease = lease, .to = JobState::succeeded}));
    other.join();
    EXPECT_EQ(get(child).state, JobState::enqueued);
    EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  }
}

TEST_P(StoreConformance, a_second_end_of_a_job_is_refused) {
  const JobId id = add();
  const JobId child = add(child_of(id));
  const Lease lease = claim_one().lease;
  EXPECT_TRUE(complete({.lease = lease, .to = JobState::succeeded, .result = R"({"n": 1})"}));
  EXPECT_FALSE(ending({.lease = lease, .to = JobState::failed, .result = R"({"n": 2})"}));
  EXPECT_EQ(get(id).state, JobState::succeeded);
  EXPECT_EQ(get(id).result, R"({"n": 1})");
  EXPECT_EQ(store_->queries().history(id).value().size(), 3u);
  EXPECT_EQ(get(child).state, JobState::enqueued);
}

}  // namespace
}  // namespace sluice::jobs
