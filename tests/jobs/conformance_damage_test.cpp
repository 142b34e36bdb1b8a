// Conformance: what a store makes of rows that are damaged, foreign or very large: it says so, and goes on.
#include "jobs/engine.h"
#include "jobs/store/history.h"
#include "jobs/store_conformance.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <limits>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_P(StoreConformance, a_job_with_a_damaged_retry_policy_keeps_no_other_from_being_claimed) {
  for (const char* damaged : {"", "{", "{\"limit\": \"many\"}", "[]"}) {
    const JobId bad = add(), good = add();
    setting_->execute(fmt::format("update job set retry = '{}' where id = {}", damaged, bad.value()));
    const auto claimed = claim();
    ASSERT_EQ(claimed.size(), 2u) << damaged;
    EXPECT_EQ(claimed[0].job.id, bad);
    ASSERT_TRUE(claimed[0].job.error);
    EXPECT_EQ(claimed[0].job.error->code, "malformed");
    EXPECT_THAT(claimed[0].job.error->message, HasSubstr("not tried again"));
    EXPECT_EQ(claimed[0].job.retry, RetryPolicy::none());
    EXPECT_FALSE(claimed[1].job.error);
    EXPECT_EQ(store_->queries().list({}).value().size(), 2u);
    for (const Claimed& one : claimed) EXPECT_TRUE(complete({.lease = one.lease}));
    EXPECT_EQ(get(good).state, JobState::succeeded);
    start_anew();
  }
}

TEST_P(StoreConformance, a_damaged_retry_policy_does_not_keep_the_clock_from_being_mended) {
  NewJob retried = job();
  retried.retry = {.limit = 3, .delay = 1h};
  const JobId bad = add(retried), good = add(retried);
  for (const Claimed& one : claim()) {
    EXPECT_TRUE(complete({.lease = one.lease,
                          .to = JobState::scheduled,
                          .error = JobError{"io", "broken"},
                          .run_at = now_ + 30 * 24h}));
  }
  setting_->execute(fmt::format("update job set retry = '{{' where id = {}", bad.value()));
  const auto mended = store_->upkeep().clock_set_back([](const Recurring&) { return FirePlan{}; }, now_);
  ASSERT_TRUE(mended) << mended.error().describe();
  EXPECT_THAT(mended->jobs, testing::ElementsAre(good));
}

TEST_P(StoreConformance, a_job_in_a_state_that_nobody_knows_is_shown_as_failed) {
  const JobId bad = add(), good = add();
  setting_->execute(
      fmt::format("delete from ready where job = {0}; update job set state = 77, origin = 9 where "
                  "id = {0}; update job_count set n = n where state = 77",
                  bad.value()));
  const auto listed = store_->queries().list({});
  ASSERT_TRUE(listed) << listed.error().describe();
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(get(bad).state, JobState::failed);
  EXPECT_THAT(get(bad).error.value().message, HasSubstr("origin 9"));
  EXPECT_EQ(claim_one().job.id, good);
}

TEST_P(StoreConformance, a_job_in_a_state_that_nobody_knows_is_left_alone) {
  const JobId bad = add();
  NewJob after = job("after");
  after.parent = bad;
  setting_->execute(fmt::format("delete from ready where job = {0}; update job set state = 77 where id = {0}",
                                bad.value()));
  const auto refused = [&](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::conflict);
    EXPECT_THAT(result.error().message, HasSubstr("state 77"));
  };
  refused(store_->jobs().cancel(bad, "", now_));
  refused(store_->jobs().requeue(bad, "", now_));
  refused(ask(bad, {.to = JobState::scheduled, .run_at = now_ + 1h, .expected = {}, .reason = {}}));
  refused(store_->jobs().enqueue(std::span(&after, 1), now_));
  const auto changed = store_->flow().change_all(
      {}, {.to = JobState::deleted, .run_at = {}, .expected = {}, .reason = {}}, now_);
  ASSERT_TRUE(changed) << changed.error().describe();
  EXPECT_EQ(changed->refused, 1);
}

TEST_P(StoreConformance, a_count_of_a_state_that_nobody_knows_is_passed_over) {
  add();
  setting_->execute(
      "insert into job_count (state, n) values (77, 5); insert into job_minute (minute, state, n, "
      "ms, amount) values (9000000000000000, 77, 1, 1, 1)");
  const auto counts = store_->queries().counts();
  ASSERT_TRUE(counts) << counts.error().describe();
  EXPECT_EQ(counts->at(static_cast<std::size_t>(JobState::enqueued)), 1);
  EXPECT_TRUE(store_->queries().minutes(now_).value().empty());
}

TEST_P(StoreConformance, a_damaged_recurring_job_keeps_no_other_from_firing) {
  RecurringSpec other = recurring("load:B");
  other.subject = "B";
  upsert(recurring("load:A"));
  upsert(other);
  setting_->execute("update recurring set retry = '{', missed = 9, overlap = -1 where id = 'load:A'");
  now_ += 1h;
  EXPECT_EQ(fire({{.fire_at = now_}}).size(), 2u);
  const auto all = store_->recurring().list(true);
  ASSERT_TRUE(all) << all.error().describe();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_FALSE(all->at(0).error.empty());
  upsert(recurring("load:A"));
  EXPECT_TRUE(store_->recurring().get("load:A").value()->error.empty()) << "said anew, it is whole again";
}

TEST_P(StoreConformance, a_damaged_history_shows_what_is_left_of_it) {
  const JobId id = in_state(JobState::succeeded);
  setting_->execute(
      fmt::format("update job set history = 'garbage\n[99, 1, 1, \"n\", \"\"]\n' || history where "
                  "id = {}",
                  id.value()));
  const auto history = store_->queries().history(id);
  ASSERT_TRUE(history) << history.error().describe();
  ASSERT_EQ(history->size(), 3u);
  EXPECT_EQ(history->back().state, JobState::succeeded);
}

TEST_P(StoreConformance, a_history_keeps_its_first_and_its_newest_lines) {
  const JobId id = add();
  const std::string long_reason = std::string(kMostReason - 1, 'x') + "\xc3\xa9" + std::string(5000, 'y');
  int lines = 1;
  for (int i = 0; i < 300; ++i) {
    const Lease lease = claim_one().lease;
    ASSERT_TRUE(complete({.lease = lease,
                          .to = JobState::scheduled,
                          .error = JobError{"io", i == 299 ? long_reason : "broken"},
                          .run_at = now_}));
    lines += 3;  // it runs, it waits, it is enqueued
  }
  claim_one();
  ++lines;
  const auto history = store_->queries().history(id).value();
  EXPECT_LE(history.size(), kFirstLines + kNewestLines + 110);
  EXPECT_GE(history.size(), kFirstLines + kNewestLines);
  EXPECT_EQ(history.front().seq, 1);
  EXPECT_EQ(history[kFirstLines - 1].seq, static_cast<int>(kFirstLines));
  EXPECT_EQ(history.back().seq, lines);
  for (const StateChange& one : history) EXPECT_LE(one.reason.size(), kMostReason);
}

TEST_P(StoreConformance, an_attempt_without_a_result_has_none_of_an_earlier_one) {
  const JobId id = add();
  ASSERT_TRUE(complete({.lease = claim_one().lease,
                        .to = JobState::scheduled,
                        .result = "{\"rows\":1}",
                        .error = JobError{"io", "broken"},
                        .run_at = now_}));
  EXPECT_EQ(get(id).result, "{\"rows\":1}");
  ASSERT_TRUE(complete(
      {.lease = claim_one().lease, .to = JobState::enqueued, .reason = "stopped", .count_attempt = false}));
  EXPECT_EQ(get(id).result, "{\"rows\":1}") << "given back, it has done nothing";
  ASSERT_TRUE(complete({.lease = claim_one().lease}));
  EXPECT_EQ(get(id).state, JobState::succeeded);
  EXPECT_EQ(get(id).result, "");

  const JobId again = add();
  ASSERT_TRUE(complete({.lease = claim_one().lease,
                        .to = JobState::failed,
                        .result = "{\"rows\":2}",
                        .error = JobError{"io", "broken"}}));
  ASSERT_TRUE(store_->jobs().requeue(again, "", now_));
  EXPECT_EQ(get(again).result, "");
}

TEST_P(StoreConformance, a_parent_is_kept_while_its_child_has_not_run) {
  const JobId parent = add();
  NewJob after = job("after");
  after.parent = parent;
  const JobId child = add(after);
  ASSERT_TRUE(complete({.lease = claim_one().lease, .result = "{\"rows\":1}"}));
  settle();
  EXPECT_EQ(get(child).state, JobState::enqueued);
  Retention now_or_never;
  now_or_never.succeeded = 0h;
  now_or_never.keep_per_subject = 0;
  now_ += 24h;
  EXPECT_EQ(store_->upkeep().trim(now_or_never, 100, now_).value(), 0);
  EXPECT_EQ(get(parent).result, "{\"rows\":1}");
  ASSERT_TRUE(complete({.lease = claim_one().lease}));
  now_ += 24h;
  EXPECT_EQ(store_->upkeep().trim(now_or_never, 100, now_).value(), 2);
}

TEST_P(StoreConformance, a_list_leaves_long_texts_to_the_job_itself) {
  NewJob large = job();
  large.args = fmt::format("\"{}\"", std::string(kMostListedText, 'a'));
  const JobId id = add(large), small = add();
  const auto claimed = claim();
  EXPECT_EQ(claimed.at(0).job.args, large.args);
  ASSERT_TRUE(complete({.lease = claimed[0].lease, .result = large.args}));
  ASSERT_TRUE(complete({.lease = claimed[1].lease, .result = "{\"rows\":1}"}));
  const auto listed = store_->queries().list({.states = {JobState::succeeded}}).value();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, small);
  EXPECT_EQ(listed[0].result, "{\"rows\":1}");
  EXPECT_EQ(listed[0].args, "{}");
  EXPECT_EQ(listed[1].args, "");
  EXPECT_EQ(listed[1].result, "");
  EXPECT_EQ(get(id).args, large.args);
  EXPECT_EQ(get(id).result, large.args);
}

TEST(RetryPolicyCheck, refuses_what_could_not_be_read_again) {
  const auto refused = [](auto change) {
    RetryPolicy policy;
    change(policy);
    return !check_retry_policy(policy);
  };
  EXPECT_FALSE(refused([](RetryPolicy&) {}));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.jitter = std::numeric_limits<double>::quiet_NaN(); }));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.jitter = std::numeric_limits<double>::infinity(); }));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.jitter = 1.1; }));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.jitter = -0.1; }));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.delay = -1ms; }));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.max_delay = -1ms; }));
  EXPECT_TRUE(refused([](RetryPolicy& p) { p.double_delay_limit = -1; }));
}

}  // namespace
}  // namespace sluice::jobs
