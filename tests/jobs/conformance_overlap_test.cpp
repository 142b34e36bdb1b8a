// Conformance: what a tick does about earlier runs that are not done, and by how much it is put off.
#include "jobs/store_conformance.h"

#include <set>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

RecurringSpec with(RecurringSpec spec, Overlap overlap) {
  spec.overlap = overlap;
  return spec;
}

TEST_P(StoreConformance, queue_one_lets_one_run_wait_behind_the_one_that_runs) {
  upsert(with(recurring(), Overlap::queue_one));
  now_ += 1h;  // it is due
  const JobId first = fire({{.fire_at = now_}}).at(0).job;
  now_ += 1h;
  const Fired not_begun = fire({{.fire_at = now_}}).at(0);
  EXPECT_EQ(not_begun.state, JobState::skipped) << "the first one has not begun, and will do its work";
  EXPECT_EQ(get(not_begun.job).blocking_job, first);
  const Lease lease = claim_one().lease;
  now_ += 1h;
  const Fired queued = fire({{.fire_at = now_}}).at(0);
  EXPECT_EQ(queued.state, JobState::enqueued);
  EXPECT_TRUE(claim().empty()) << "the first one runs";
  now_ += 1h;
  const Fired third = fire({{.fire_at = now_}}).at(0);
  EXPECT_EQ(third.state, JobState::skipped);
  EXPECT_EQ(get(third.job).blocking_job, queued.job);
  EXPECT_TRUE(complete({.lease = lease, .to = JobState::succeeded}));
  EXPECT_EQ(claim_one().job.id, queued.job);
}

TEST_P(StoreConformance, ticks_of_one_key_that_fire_together_meet_each_other) {
  for (const Overlap overlap : {Overlap::skip, Overlap::queue_one, Overlap::cancel_old, Overlap::allow}) {
    start_anew();
    for (const char* id : {"a", "b", "c"}) upsert(with(recurring(id), overlap));
    now_ += 1h;  // they are due
    const auto fired = fire({{.fire_at = now_}});
    ASSERT_EQ(fired.size(), 3u);
    const JobId first = fired[0].job;
    std::vector<JobState> states;
    for (const Fired& one : fired) states.push_back(get(one.job).state);
    switch (overlap) {
      case Overlap::skip:
      case Overlap::queue_one:
        EXPECT_EQ(states, (std::vector{JobState::enqueued, JobState::skipped, JobState::skipped}));
        EXPECT_EQ(get(fired[1].job).blocking_job, first);
        EXPECT_EQ(get(fired[2].job).blocking_job, first);
        break;
      case Overlap::cancel_old:
        EXPECT_EQ(states, (std::vector{JobState::deleted, JobState::deleted, JobState::enqueued}));
        break;
      case Overlap::allow:
        EXPECT_EQ(states, std::vector(3, JobState::enqueued));
        break;
    }
    EXPECT_EQ(store_->recurring().get("b").value()->last_job,
              states[1] == JobState::skipped ? JobId() : fired[1].job);
  }
}

TEST_P(StoreConformance, allow_lets_runs_overlap) {
  upsert(with(recurring(), Overlap::allow));
  now_ += 1h;  // it is due
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fire({{.fire_at = now_}}).at(0).state, JobState::enqueued);
    now_ += 1h;
  }
  EXPECT_EQ(claim().size(), 3u);
}

TEST_P(StoreConformance, cancel_old_ends_what_has_not_begun_and_stops_what_runs) {
  upsert(with(recurring(), Overlap::cancel_old));
  now_ += 1h;  // it is due
  const JobId first = fire({{.fire_at = now_}}).at(0).job;
  now_ += 1h;
  const JobId second = fire({{.fire_at = now_}}).at(0).job;
  EXPECT_EQ(get(first).state, JobState::deleted);
  EXPECT_FALSE(get(first).reason.empty());
  const Lease lease = claim_one().lease;
  EXPECT_EQ(lease.job, second);
  now_ += 1h;
  const Fired third = fire({{.fire_at = now_}}).at(0);
  EXPECT_EQ(third.state, JobState::enqueued);
  EXPECT_EQ(get(second).state, JobState::processing);
  EXPECT_EQ(store_->nodes().cancel_requests("n1").value().size(), 1u);
  EXPECT_TRUE(claim().empty()) << "the old one has not stopped yet";
  EXPECT_EQ(ending({.lease = lease, .to = JobState::deleted, .reason = "stopped"}), JobState::deleted);
  EXPECT_EQ(claim_one().job.id, third.job);
}

TEST_P(StoreConformance, times_caught_up_meet_nobody) {
  for (const Overlap overlap : {Overlap::queue_one, Overlap::cancel_old}) {
    start_anew();
    upsert(with(recurring(), overlap));
    now_ += 1h;  // it is due
    const auto fired =
        fire({{.fire_at = now_ - 2h, .catch_up_all = true}, {.fire_at = now_ - 1h, .catch_up_all = true}});
    ASSERT_EQ(fired.size(), 2u);
    for (const Fired& one : fired) EXPECT_EQ(get(one.job).state, JobState::enqueued);
  }
}

TEST_P(StoreConformance, jitter_puts_a_run_off_and_leaves_its_nominal_time) {
  RecurringSpec spec = recurring();
  spec.jitter = 10min;
  upsert(spec);
  now_ += 1h;  // it is due
  std::set<Timestamp::duration> delays;
  for (int i = 0; i < 20; ++i) {
    // The second tick finds the first one's run, although that has not begun.
    const auto fired = fire({{.fire_at = now_}, {.fire_at = now_ + 1s}});
    ASSERT_EQ(fired.size(), 2u);
    EXPECT_EQ(fired[1].state, JobState::skipped);
    const Job run = get(fired[0].job);
    EXPECT_EQ(run.state, JobState::scheduled);
    EXPECT_EQ(run.fire_at, now_);
    EXPECT_GE(run.run_at, now_);
    EXPECT_LT(run.run_at, now_ + 10min);
    delays.insert(run.run_at - now_);
    now_ = run.run_at;
    EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
    now_ += 1h;
  }
  EXPECT_GT(delays.size(), 15u) << "they are spread";
}

TEST_P(StoreConformance, jitter_is_the_same_for_whoever_fires) {
  RecurringSpec spec = recurring();
  spec.jitter = 10min;
  std::set<Timestamp> times;
  const Timestamp begin = now_;
  for (int i = 0; i < 3; ++i) {
    start_anew();
    now_ = begin;
    upsert(spec);
    now_ += 1h;  // it is due
    times.insert(get(fire({{.fire_at = now_}}).at(0).job).run_at);
  }
  EXPECT_EQ(times.size(), 1u);
}

TEST_P(StoreConformance, jitter_that_is_over_holds_nobody_up) {
  RecurringSpec spec = recurring();
  spec.jitter = 10min;
  upsert(spec);
  now_ += 1h;  // it is due
  EXPECT_EQ(fire({{.fire_at = now_ - 1h}}).at(0).state, JobState::enqueued);
  EXPECT_EQ(claim().size(), 1u);
}

}  // namespace
}  // namespace sluice::jobs
