// Conformance: enqueue, claim, complete, cancel, requeue.
#include "jobs/store_conformance.h"

#include <algorithm>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

std::vector<JobState> states(const std::vector<StateChange>& history) {
  std::vector<JobState> result;
  for (const StateChange& change : history) result.push_back(change.state);
  return result;
}
using States = std::vector<JobState>;

TEST_P(StoreConformance, a_job_comes_back_as_it_was_enqueued) {
  NewJob given = job();
  given.name = "Country now";
  given.args = R"({"loader":"Country"})";
  given.queue = "slow";
  given.priority = 2;
  given.origin = Origin::manual;
  given.started_by = "ada";
  given.exclusive_key = "Country";
  given.recurring_id = "load:Country";
  given.retry = {.limit = 4, .delay = 7s, .backoff = Backoff::fixed};
  const Job found = get(add(given));
  EXPECT_EQ(found.kind, "load");
  EXPECT_EQ(found.subject, "Country");
  EXPECT_EQ(found.name, "Country now");
  EXPECT_EQ(found.args, R"({"loader":"Country"})");
  EXPECT_EQ(found.queue, "slow");
  EXPECT_EQ(found.priority, 2);
  EXPECT_EQ(found.origin, Origin::manual);
  EXPECT_EQ(found.started_by, "ada");
  EXPECT_EQ(found.exclusive_key, "Country");
  EXPECT_EQ(found.recurring_id, "load:Country");
  EXPECT_EQ(found.retry, given.retry);
  EXPECT_EQ(found.max_attempts, 5);
  EXPECT_EQ(found.state, JobState::enqueued);
  EXPECT_EQ(found.created_at, now_);
  EXPECT_EQ(found.run_at, now_);
  EXPECT_EQ(found.attempt, 0);
  EXPECT_FALSE(found.started_at || found.finished_at || found.fire_at || found.error || found.progress);
}

TEST_P(StoreConformance, a_nameless_job_is_called_by_its_subject_or_kind) {
  EXPECT_EQ(get(add(job())).name, "Country");
  EXPECT_EQ(get(add(job(""))).name, "load");
}

TEST_P(StoreConformance, claims_in_the_order_of_priority_then_time) {
  const JobId first = add();
  const JobId second = add();
  NewJob urgent = job();
  urgent.priority = 1;
  const JobId third = add(urgent);
  std::vector<JobId> order;
  for (int i = 0; i < 3; ++i) order.push_back(claim_one().job.id);
  EXPECT_EQ(order, (std::vector{third, first, second}));
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, jobs_with_and_without_keys_are_claimed_in_one_order) {
  std::vector<JobId> wanted;
  for (int i = 0; i < 6; ++i) {
    NewJob one = job();
    one.priority = 6 - i;
    if (i % 3 == 0) one.exclusive_key = "key " + std::to_string(i);
    if (i % 3 == 1) one.limit_key = "limit", one.limit = {.at_once = 5};
    wanted.insert(wanted.begin(), add(one));
  }
  std::vector<JobId> order;
  for (const Claimed& one : claim(4)) order.push_back(one.job.id);
  for (const Claimed& one : claim(4)) order.push_back(one.job.id);
  EXPECT_EQ(order, wanted);
}

TEST_P(StoreConformance, what_is_claimed_is_what_the_store_tells_of_it) {
  NewJob given = job();
  given.args = R"({"loader":"Country"})";
  given.started_by = "ada";
  given.priority = 2;
  given.recurring_id = "load:Country";
  given.unique_key = "only one";
  given.timeout = 7s;
  given.latency_limit = 1h;
  given.retry = {.limit = 4, .delay = 0ms, .backoff = Backoff::fixed};
  add(given);
  add(job("Plain"));
  for (int round = 0; round < 2; ++round) {
    for (const Claimed& one : claim()) {
      const Job told = get(one.job.id);
      EXPECT_EQ(one.job.kind, told.kind);
      EXPECT_EQ(one.job.subject, told.subject);
      EXPECT_EQ(one.job.name, told.name);
      EXPECT_EQ(one.job.queue, told.queue);
      EXPECT_EQ(one.job.state, told.state);
      EXPECT_EQ(one.job.origin, told.origin);
      EXPECT_EQ(one.job.started_by, told.started_by);
      EXPECT_EQ(one.job.recurring_id, told.recurring_id);
      EXPECT_EQ(one.job.created_at, told.created_at);
      EXPECT_EQ(one.job.run_at, told.run_at);
      EXPECT_EQ(one.job.started_at, told.started_at);
      EXPECT_EQ(one.job.attempt, told.attempt);
      EXPECT_EQ(one.job.max_attempts, told.max_attempts);
      EXPECT_EQ(one.job.node, told.node);
      EXPECT_EQ(one.job.args, told.args);
      EXPECT_EQ(one.job.result, told.result);
      EXPECT_EQ(one.job.error.has_value(), told.error.has_value());
      EXPECT_EQ(one.job.retry, told.retry);
      EXPECT_EQ(one.job.parent, told.parent);
      EXPECT_EQ(one.job.unique_key, told.unique_key);
      EXPECT_EQ(one.job.timeout, told.timeout);
      EXPECT_EQ(one.job.latency_limit, told.latency_limit);
      EXPECT_FALSE(one.job.finished_at || one.job.duration_ms || one.job.progress);
      Completion again;  // with what the first attempt left behind
      again.lease = one.lease;
      again.to = JobState::scheduled;
      again.result = R"({"half":1})";
      again.error = JobError{"io", "broke"};
      again.run_at = now_;
      EXPECT_TRUE(ending(again));
    }
    now_ += 1s;
  }
}

TEST_P(StoreConformance, a_claimed_job_is_processing_by_its_node) {
  add();
  now_ += 5s;
  const Claimed claimed = claim_one();
  EXPECT_EQ(claimed.job.attempt, 1);
  EXPECT_EQ(claimed.job.state, JobState::processing);
  const Job found = get(claimed.job.id);
  EXPECT_EQ(found.state, JobState::processing);
  EXPECT_EQ(found.node, "n1");
  EXPECT_EQ(found.attempt, 1);
  EXPECT_EQ(found.started_at, now_);
}

TEST_P(StoreConformance, a_kind_without_handler_is_left_alone) {
  NewJob other = job();
  other.kind = "mail";
  add(other);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, a_scheduled_job_waits_for_its_time) {
  NewJob later = job();
  later.run_at = now_ + 10s;
  const JobId id = add(later);
  EXPECT_EQ(get(id).state, JobState::scheduled);
  EXPECT_EQ(store_->jobs().next_due().value(), now_ + 10s);
  now_ += 9s;
  EXPECT_TRUE(claim().empty());
  now_ += 1s;
  EXPECT_EQ(claim_one().job.id, id);
  EXPECT_EQ(store_->jobs().next_due().value(), std::nullopt);
  EXPECT_EQ(states(store_->queries().history(id).value()),
            (States{JobState::scheduled, JobState::enqueued, JobState::processing}));
}

TEST_P(StoreConformance, success_keeps_result_and_duration) {
  const JobId id = add();
  const Claimed claimed = claim_one();
  now_ += 1500ms;
  EXPECT_TRUE(complete({.lease = claimed.lease, .to = JobState::succeeded, .result = R"({"read":3})"}));
  const Job found = get(id);
  EXPECT_EQ(found.state, JobState::succeeded);
  EXPECT_EQ(found.result, R"({"read":3})");
  EXPECT_EQ(found.duration_ms, 1500);
  EXPECT_EQ(found.finished_at, now_);
  EXPECT_EQ(states(store_->queries().history(id).value()),
            (States{JobState::enqueued, JobState::processing, JobState::succeeded}));
}

TEST_P(StoreConformance, failure_keeps_the_error_and_success_after_a_retry_clears_it) {
  const JobId id = add();
  Completion retry{.lease = claim_one().lease,
                   .to = JobState::scheduled,
                   .error = JobError{"timeout", "too slow"},
                   .run_at = now_ + 1min};
  EXPECT_TRUE(complete(retry));
  Job found = get(id);
  EXPECT_EQ(found.state, JobState::scheduled);
  EXPECT_EQ(found.attempt, 1);
  EXPECT_EQ(found.run_at, now_ + 1min);
  EXPECT_EQ(found.error->code, "timeout");
  EXPECT_EQ(found.error->message, "too slow");
  EXPECT_FALSE(found.finished_at);
  now_ += 1min;
  const Claimed again = claim_one();
  EXPECT_EQ(again.job.attempt, 2);
  EXPECT_TRUE(complete({.lease = again.lease, .to = JobState::succeeded}));
  EXPECT_FALSE(get(id).error);
  const auto history = store_->queries().history(id).value();
  EXPECT_EQ(states(history), (States{JobState::enqueued, JobState::processing, JobState::scheduled,
                                     JobState::enqueued, JobState::processing, JobState::succeeded}));
  EXPECT_NE(history[2].reason.find("too slow"), std::string::npos);
  EXPECT_EQ(history[4].attempt, 2);
}

TEST_P(StoreConformance, a_lost_lease_writes_nothing) {
  const JobId id = add();
  const Claimed mine = claim_one();
  EXPECT_TRUE(complete({.lease = mine.lease, .to = JobState::enqueued, .count_attempt = false}));
  const Claimed theirs = claim_one();
  EXPECT_NE(mine.lease.token, theirs.lease.token);
  EXPECT_FALSE(complete(
      {.lease = mine.lease, .to = JobState::failed, .result = "{}", .error = JobError{"io", "late"}}));
  LogLine line{.job = id, .seq = 0, .at = now_, .attempt = 1, .level = LogLevel::info, .text = "late"};
  EXPECT_TRUE(store_->jobs().append_log(mine.lease, std::span(&line, 1)));
  EXPECT_TRUE(store_->jobs().save_progress(mine.lease, {.phase = "read", .rows = 9, .bytes = 9}));
  const Job found = get(id);
  EXPECT_EQ(found.state, JobState::processing);
  EXPECT_FALSE(found.progress || found.error);
  EXPECT_TRUE(store_->queries().log(id, 0, 10).value().empty());
  EXPECT_TRUE(complete({.lease = theirs.lease, .to = JobState::succeeded}));
  EXPECT_FALSE(complete({.lease = theirs.lease, .to = JobState::succeeded}));
}

TEST_P(StoreConformance, a_batch_of_completions_says_which_were_written) {
  add();
  add();
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2u);
  std::vector<Completion> batch(2);
  batch[0].lease = claimed[0].lease;
  batch[1].lease = {claimed[1].lease.job, claimed[1].lease.token + 7};
  EXPECT_EQ(store_->jobs().complete(batch, now_).value(),
            (std::vector<std::optional<JobState>>{JobState::succeeded, std::nullopt}));
}

TEST_P(StoreConformance, what_shut_down_stopped_goes_to_the_head_uncounted) {
  const JobId first = add();
  const Claimed claimed = claim_one();
  now_ += 1s;
  add();
  EXPECT_TRUE(complete(
      {.lease = claimed.lease, .to = JobState::enqueued, .reason = "shut-down", .count_attempt = false}));
  EXPECT_EQ(get(first).attempt, 0);
  const Claimed again = claim_one();
  EXPECT_EQ(again.job.id, first);
  EXPECT_EQ(again.job.attempt, 1);
}

TEST_P(StoreConformance, an_illegal_step_is_refused_and_nothing_is_written) {
  const JobId id = add();
  const Completion wrong{.lease = claim_one().lease, .to = JobState::skipped};
  const auto done = store_->jobs().complete(std::span(&wrong, 1), now_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::internal);
  EXPECT_EQ(get(id).state, JobState::processing);
}

TEST_P(StoreConformance, jobs_of_one_key_never_run_at_once) {
  NewJob exclusive = job();
  exclusive.exclusive_key = "Country";
  const JobId first = add(exclusive);
  const JobId second = add(exclusive);
  const JobId other = add();
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].job.id, first);
  EXPECT_EQ(claimed[1].job.id, other);
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(complete({.lease = claimed[0].lease, .to = JobState::succeeded}));
  EXPECT_EQ(claim_one().job.id, second);
}

TEST_P(StoreConformance, unless_live_hands_back_the_live_job) {
  NewJob exclusive = job();
  exclusive.exclusive_key = "Country";
  exclusive.unless_live = true;
  const JobId first = add(exclusive);
  for (int round = 0; round < 2; ++round) {  // enqueued, then processing
    const auto made = store_->jobs().enqueue(std::span(&exclusive, 1), now_).value();
    EXPECT_EQ(made.front().id, first);
    EXPECT_FALSE(made.front().created);
    if (round == 0) claim_one();
  }
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::processing)], 1);
}

TEST_P(StoreConformance, a_pinned_job_is_its_nodes_alone) {
  const auto other = setting_->open();
  join(*other, "n2");
  NewJob pinned = job();
  pinned.pinned_node = "n2";
  const JobId id = add(pinned);
  const JobId open = add();
  ASSERT_EQ(claim_one().job.id, open);
  EXPECT_TRUE(claim().empty());
  add();
  const auto claimed =
      other->jobs().claim({.node = "n2", .limit = 5, .kinds = {"load"}, .only_pinned = true}, now_).value();
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed.front().job.id, id);
}

TEST_P(StoreConformance, cancel_deletes_what_has_not_begun) {
  NewJob later = job();
  later.run_at = now_ + 1h;
  for (const JobId id : {add(), add(later)}) {
    EXPECT_EQ(store_->jobs().cancel(id, "not needed", now_).value(), Cancelled::deleted);
    EXPECT_EQ(get(id).state, JobState::deleted);
    EXPECT_EQ(get(id).reason, "not needed");
    EXPECT_EQ(get(id).finished_at, now_);
    EXPECT_EQ(store_->jobs().cancel(id, "again", now_).value(), Cancelled::too_late);
    EXPECT_EQ(get(id).reason, "not needed");
  }
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, cancel_asks_the_node_of_a_running_job) {
  const JobId id = add();
  const Claimed claimed = claim_one();
  EXPECT_TRUE(store_->nodes().cancel_requests("n1").value().empty());
  EXPECT_EQ(store_->jobs().cancel(id, "wrong file", now_).value(), Cancelled::requested);
  const auto requests = store_->nodes().cancel_requests("n1").value();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].first, id);
  EXPECT_EQ(requests[0].second, "wrong file");
  EXPECT_TRUE(store_->nodes().cancel_requests("n2").value().empty());
  EXPECT_EQ(get(id).state, JobState::processing);
  EXPECT_TRUE(complete({.lease = claimed.lease, .to = JobState::deleted, .reason = "wrong file"}));
  EXPECT_EQ(get(id).reason, "wrong file");
}

TEST_P(StoreConformance, cancelling_a_job_that_is_not_there_is_an_error) {
  EXPECT_EQ(store_->jobs().cancel(JobId(99), "x", now_).error().code, ErrorCode::not_found);
  EXPECT_EQ(store_->jobs().requeue(JobId(99), "x", now_).error().code, ErrorCode::not_found);
}

TEST_P(StoreConformance, requeue_starts_a_failed_or_held_job_anew) {
  for (const JobState rest : {JobState::failed, JobState::held}) {
    const JobId id = add();
    EXPECT_TRUE(complete({.lease = claim_one().lease,
                          .to = rest,
                          .result = R"({"read":1})",
                          .error = JobError{"io", "x"},
                          .reason = "why"}));
    EXPECT_EQ(get(id).state, rest);
    now_ += 1s;
    ASSERT_TRUE(store_->jobs().requeue(id, "try again", now_));
    const Job found = get(id);
    EXPECT_EQ(found.state, JobState::enqueued);
    EXPECT_EQ(found.attempt, 0);
    EXPECT_FALSE(found.error || found.finished_at);
    EXPECT_EQ(found.reason, "");
    EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
    EXPECT_EQ(store_->jobs().requeue(id, "again", now_).error().code, ErrorCode::conflict);
  }
}

TEST_P(StoreConformance, requeue_does_not_wait_for_the_time_of_a_scheduled_job) {
  const JobId retried = add();
  EXPECT_TRUE(complete({.lease = claim_one().lease,
                        .to = JobState::scheduled,
                        .error = JobError{"io", "x"},
                        .run_at = now_ + 1h}));
  ASSERT_EQ(get(retried).state, JobState::scheduled);
  now_ += 1s;
  ASSERT_TRUE(store_->jobs().requeue(retried, "now", now_));
  EXPECT_EQ(get(retried).state, JobState::enqueued);
  EXPECT_EQ(get(retried).attempt, 1) << "what was tried stays counted: its time came early, no more";
  EXPECT_EQ(claim_one().job.id, retried);
}

TEST_P(StoreConformance, log_and_progress_are_kept) {
  const JobId id = add();
  const Claimed claimed = claim_one();
  std::vector<LogLine> lines;
  for (const char* text : {"one", "two", "three"}) {
    lines.push_back(
        {.job = id, .seq = 0, .at = now_, .attempt = 1, .level = LogLevel::warning, .text = text});
  }
  ASSERT_TRUE(store_->jobs().append_log(claimed.lease, std::span(lines).first(1)));
  ASSERT_TRUE(store_->jobs().append_log(claimed.lease, std::span(lines).subspan(1)));
  const Progress reported{.phase = "read", .rows = 10, .total_rows = 20, .bytes = 200, .total_bytes = 400};
  ASSERT_TRUE(store_->jobs().save_progress(claimed.lease, reported));
  const auto kept = store_->queries().log(id, 0, 2).value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].text, "two");
  EXPECT_EQ(kept[1].level, LogLevel::warning);
  EXPECT_EQ(kept[1].at, now_);
  const auto rest = store_->queries().log(id, kept[1].seq, 10).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].text, "three");
  EXPECT_EQ(get(id).progress, reported);
}

TEST_P(StoreConformance, a_log_is_bounded) {
  const JobId id = add();
  const Claimed claimed = claim_one();
  std::vector<LogLine> lines(
      6'000, {.job = id, .seq = 0, .at = now_, .attempt = 1, .level = LogLevel::info, .text = "x"});
  ASSERT_TRUE(store_->jobs().append_log(claimed.lease, lines));
  ASSERT_TRUE(store_->jobs().append_log(claimed.lease, lines));
  ASSERT_TRUE(store_->jobs().append_log(claimed.lease, lines));
  const auto tail = store_->queries().log(id, 9'998, 10'000).value();
  ASSERT_EQ(tail.size(), 2u);
  EXPECT_NE(tail.back().text.find("not kept"), std::string::npos);
}

}  // namespace
}  // namespace sluice::jobs
