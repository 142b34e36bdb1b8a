// Conformance: what somebody may ask to become of a job, one by one and many at once.
#include "jobs/store_conformance.h"

#include <array>
#include <set>
#include <string>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

NewJob later_than(Timestamp now) {
  NewJob job;
  job.kind = "load";
  job.run_at = now + 1h;
  return job;
}

struct Asked {
  JobState to;
  std::set<JobState> from;
};
// Written out by hand, apart from the code's own rules.
const std::array kAsked = {
    Asked{JobState::enqueued,
          {JobState::scheduled, JobState::awaiting, JobState::held, JobState::failed, JobState::deleted}},
    Asked{JobState::scheduled,
          {JobState::scheduled, JobState::enqueued, JobState::awaiting, JobState::held, JobState::failed,
           JobState::deleted}},
    Asked{JobState::deleted,
          {JobState::scheduled, JobState::enqueued, JobState::processing, JobState::awaiting, JobState::held,
           JobState::failed}},
};

TEST_P(StoreConformance, every_pair_of_found_and_wanted_is_as_written) {
  for (const Asked& asked : kAsked) {
    for (const JobState from : kJobStates) {
      start_anew();
      const JobId id = in_state(from);
      ASSERT_EQ(get(id).state, from);
      const std::size_t lines = store_->queries().history(id).value().size();
      StateRequest request{.to = asked.to, .run_at = {}, .expected = {}, .reason = "by hand"};
      if (asked.to == JobState::scheduled) request.run_at = now_ + 2h;
      const auto changed = ask(id, request);
      const std::string what = std::string(to_string(from)) + " to " + std::string(to_string(asked.to));
      EXPECT_EQ(changed.has_value(), asked.from.contains(from)) << what;
      if (!changed) {
        EXPECT_EQ(changed.error().code, ErrorCode::conflict) << what;
        EXPECT_NE(changed.error().message.find("is " + std::string(to_string(from))), std::string::npos);
        EXPECT_EQ(get(id).state, from);
        EXPECT_EQ(store_->queries().history(id).value().size(), lines);
        continue;
      }
      const bool stops = from == JobState::processing;
      EXPECT_EQ(*changed, stops ? JobState::processing : asked.to) << what;
      const Job found = get(id);
      EXPECT_EQ(found.state, *changed) << what;
      EXPECT_EQ(found.cancel_requested_at.has_value(), stops) << what;
      if (asked.to == JobState::scheduled) {
        EXPECT_EQ(found.run_at, now_ + 2h) << what;
      }
      EXPECT_EQ(found.finished_at.has_value(), found.state == JobState::deleted) << what;
      if (!stops) {
        EXPECT_EQ(store_->queries().history(id).value().back().reason, "by hand") << what;
      }
      const auto counts = store_->queries().counts().value();
      const auto all = store_->queries().list({.limit = 100}).value();
      for (const JobState state : kJobStates) {
        std::int64_t there = 0;
        for (const Job& one : all) there += one.state == state;
        EXPECT_EQ(counts[static_cast<std::size_t>(state)], there) << what << ": " << to_string(state);
      }
    }
  }
}

TEST_P(StoreConformance, what_is_not_as_expected_is_left_alone) {
  for (const JobState from : kJobStates) {
    start_anew();
    const JobId id = in_state(from);
    for (const JobState expected : kJobStates) {
      if (expected == from) continue;
      for (const JobState to : {JobState::enqueued, JobState::scheduled, JobState::deleted}) {
        const auto changed = ask(id, {.to = to, .run_at = now_ + 1h, .expected = expected, .reason = {}});
        ASSERT_FALSE(changed) << to_string(from);
        EXPECT_EQ(changed.error().code, ErrorCode::conflict);
        EXPECT_NE(changed.error().message.find(std::string("is ") + std::string(to_string(from))),
                  std::string::npos);
      }
    }
    EXPECT_EQ(get(id).state, from);
  }
  const JobId id = in_state(JobState::failed);
  EXPECT_EQ(ask(id, {.to = JobState::enqueued, .expected = JobState::failed}), JobState::enqueued);
}

TEST_P(StoreConformance, a_job_that_is_run_again_counts_its_attempts_anew) {
  const JobId failed = in_state(JobState::failed);
  EXPECT_EQ(get(failed).attempt, 1);
  ASSERT_TRUE(ask(failed, {.to = JobState::scheduled, .run_at = now_ + 1h}));
  EXPECT_EQ(get(failed).attempt, 0);
  EXPECT_FALSE(get(failed).error);
  const JobId retried = in_state(JobState::scheduled);
  ASSERT_TRUE(ask(retried, {.to = JobState::scheduled, .run_at = now_ + 3h}));
  EXPECT_EQ(get(retried).attempt, 1) << "it only waits longer";
  EXPECT_TRUE(get(retried).error);
}

TEST_P(StoreConformance, a_time_that_has_come_means_now) {
  const JobId waiting = in_state(JobState::enqueued);
  EXPECT_EQ(ask(waiting, {.to = JobState::scheduled, .run_at = now_}), JobState::enqueued);
  EXPECT_EQ(claim_one().job.id, waiting);
  const JobId put_off = in_state(JobState::enqueued);
  EXPECT_EQ(ask(put_off, {.to = JobState::scheduled, .run_at = now_ + 1h}), JobState::scheduled);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store_->jobs().next_due().value(), now_ + 1h);
  now_ += 1h;
  EXPECT_EQ(claim_one().job.id, put_off);
}

TEST_P(StoreConformance, nobody_can_ask_for_other_states) {
  const JobId id = in_state(JobState::failed);
  for (const JobState to : {JobState::succeeded, JobState::processing, JobState::held, JobState::skipped})
    EXPECT_EQ(ask(id, {.to = to}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(ask(JobId(4711), {.to = JobState::deleted}).error().code, ErrorCode::not_found);
}

TEST_P(StoreConformance, dismissing_a_failed_job_ends_what_waited_for_its_success) {
  NewJob child = job("child");
  child.parent = add();
  const JobId id = add(child);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::failed}));
  EXPECT_EQ(get(id).state, JobState::awaiting);
  ASSERT_TRUE(ask(child.parent, {.to = JobState::deleted, .reason = "not worth it"}));
  EXPECT_EQ(get(id).state, JobState::deleted);
}

TEST_P(StoreConformance, all_failed_jobs_of_a_kind_run_again_in_bounded_steps) {
  std::vector<JobId> failed;
  for (int i = 0; i < 25; ++i) failed.push_back(in_state(JobState::failed));
  const JobId other = in_state(JobState::held);
  JobFilter filter{.states = {JobState::failed}, .kind = "load", .limit = 10};
  std::vector<int> steps;
  for (;;) {
    // Each step as if by a process of its own.
    const auto store = setting_->open();
    const auto done =
        store->flow().change_all(filter, {.to = JobState::enqueued, .reason = "replayed"}, now_).value();
    steps.push_back(done.changed);
    EXPECT_EQ(done.refused, 0);
    if (!done.next) break;
    filter.before = done.next;
  }
  EXPECT_EQ(steps, (std::vector{10, 10, 5}));
  for (const JobId id : failed) EXPECT_EQ(get(id).state, JobState::enqueued);
  EXPECT_EQ(get(other).state, JobState::held);
  EXPECT_EQ(claim(100).size(), 25u);
}

TEST_P(StoreConformance, a_bulk_change_of_more_than_a_list_holds_says_where_to_go_on) {
  std::vector<NewJob> jobs(1001, later_than(now_));
  ASSERT_TRUE(store_->jobs().enqueue(jobs, now_));
  JobFilter filter{.states = {JobState::scheduled}, .limit = 5000};
  const auto first = store_->flow().change_all(filter, {.to = JobState::deleted}, now_).value();
  EXPECT_EQ(first.changed, 1000);
  ASSERT_TRUE(first.next);
  filter.before = first.next;
  EXPECT_EQ(store_->flow().change_all(filter, {.to = JobState::deleted}, now_).value().changed, 1);
}

TEST_P(StoreConformance, a_bulk_change_passes_over_what_refuses) {
  upsert(recurring());
  NewJob run = job();
  run.recurring_id = "load:Country";
  add(run);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::failed}));
  const JobId free = in_state(JobState::failed);
  ASSERT_TRUE(store_->recurring().retire("load:Country", "its file is gone", now_));
  const auto done =
      store_->flow().change_all({.states = {JobState::failed}}, {.to = JobState::enqueued}, now_).value();
  EXPECT_EQ(done.changed, 1);
  EXPECT_EQ(done.refused, 1);
  EXPECT_FALSE(done.next);
  EXPECT_EQ(get(free).state, JobState::enqueued);
}

}  // namespace
}  // namespace sluice::jobs
