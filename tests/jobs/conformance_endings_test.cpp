// Conformance: how an attempt's end meets what others decided meanwhile: a cancel, a definition that went, a
// schedule that fires before the source wants to be asked again.
#include "jobs/store_conformance.h"

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

Completion retry(const Lease& lease, Timestamp run_at) {
  return {
      .lease = lease, .to = JobState::scheduled, .error = JobError{"timeout", "too slow"}, .run_at = run_at};
}

TEST_P(StoreConformance, a_cancel_before_the_end_is_written_wins_over_a_retry) {
  const JobId id = add();
  const Claimed claimed = claim_one();
  EXPECT_EQ(store_->jobs().cancel(id, "wrong file", now_).value(), Cancelled::requested);
  EXPECT_EQ(ending(retry(claimed.lease, now_ + 1min)), JobState::deleted);
  const Job found = get(id);
  EXPECT_EQ(found.state, JobState::deleted);
  EXPECT_EQ(found.reason, "wrong file");
  EXPECT_EQ(found.finished_at, now_);
  ASSERT_TRUE(found.error) << "what the attempt ended with is still told";
  EXPECT_EQ(found.error->message, "too slow");
  const auto history = store_->queries().history(id).value();
  EXPECT_EQ(history.back().state, JobState::deleted);
  EXPECT_NE(history.back().reason.find("wrong file"), std::string::npos);
  EXPECT_NE(history.back().reason.find("too slow"), std::string::npos);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, a_cancel_wins_over_shut_down_and_over_a_guard) {
  for (const JobState to : {JobState::enqueued, JobState::held}) {
    const JobId id = add();
    const Claimed claimed = claim_one();
    store_->jobs().cancel(id, "enough", now_).value();
    EXPECT_EQ(ending({.lease = claimed.lease, .to = to, .reason = "it stopped"}), JobState::deleted);
    EXPECT_EQ(get(id).reason, "enough") << to_string(to);
  }
}

TEST_P(StoreConformance, a_cancel_too_late_changes_no_outcome) {
  for (const JobState to : {JobState::succeeded, JobState::failed}) {
    const JobId id = add();
    const Claimed claimed = claim_one();
    EXPECT_EQ(store_->jobs().cancel(id, "enough", now_).value(), Cancelled::requested);
    EXPECT_EQ(ending({.lease = claimed.lease, .to = to}), to);
    EXPECT_EQ(get(id).state, to);
    EXPECT_FALSE(get(id).cancel_requested_at);
    EXPECT_EQ(store_->jobs().cancel(id, "again", now_).value(), Cancelled::too_late);
  }
}

TEST_P(StoreConformance, retiring_takes_every_run_of_it_whoever_asked) {
  upsert(recurring());
  std::vector<JobId> waiting;
  for (const Origin origin : {Origin::manual, Origin::api, Origin::startup}) {
    NewJob by_hand = job();
    by_hand.recurring_id = "load:Country";
    by_hand.origin = origin;
    by_hand.run_at = origin == Origin::startup ? std::optional(now_ + 1h) : std::nullopt;
    waiting.push_back(add(by_hand));
  }
  const JobId other = add(job("Currency"));
  EXPECT_EQ(store_->recurring().retire("load:Country", "its file is gone", now_).value().size(), 3u);
  for (const JobId id : waiting) EXPECT_EQ(get(id).state, JobState::deleted);
  EXPECT_EQ(get(other).state, JobState::enqueued);
}

TEST_P(StoreConformance, a_run_of_a_retired_one_is_not_tried_again) {
  upsert(recurring());
  NewJob given = job();
  given.recurring_id = "load:Country";
  const JobId retried = add(given);
  const Lease first = claim_one().lease;
  const JobId given_back = add(given);
  const Lease second = claim_one().lease;
  store_->recurring().retire("load:Country", "its file is gone", now_).value();
  EXPECT_EQ(get(retried).state, JobState::processing) << "what runs may end";
  EXPECT_EQ(ending(retry(first, now_ + 1min)), JobState::deleted);
  EXPECT_EQ(ending({.lease = second, .to = JobState::enqueued, .count_attempt = false}), JobState::deleted);
  for (const JobId id : {retried, given_back}) EXPECT_EQ(get(id).reason, "its file is gone");

  const auto again = store_->jobs().requeue(retried, "by hand", now_);
  ASSERT_FALSE(again) << "nothing could run it";
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_NE(again.error().message.find("its file is gone"), std::string::npos);
  upsert(recurring());
  EXPECT_TRUE(store_->jobs().requeue(retried, "by hand", now_)) << "its file is back";
  EXPECT_EQ(claim_one().job.id, retried);
}

TEST_P(StoreConformance, a_run_of_a_retired_one_is_not_rescued) {
  upsert(recurring());
  const auto dying = setting_->open();
  join(*dying, "n2");
  NewJob given = job();
  given.recurring_id = "load:Country";
  const JobId id = add(given);
  ASSERT_EQ(dying->jobs()
                .claim({.node = "n2", .limit = 1, .kinds = {"load"}, .only_pinned = false}, now_)
                .value()
                .size(),
            1u);
  store_->recurring().retire("load:Country", "its file is gone", now_).value();
  EXPECT_TRUE(dying->nodes().leave("n2", now_));
  EXPECT_EQ(get(id).state, JobState::deleted);
  EXPECT_EQ(get(id).reason, "its file is gone");
}

TEST_P(StoreConformance, a_retry_waits_as_the_source_wishes_but_not_past_the_next_tick) {
  upsert(recurring());  // ticks in an hour
  NewJob given = job();
  given.exclusive_key = "Country";
  given.retry.limit = 9;
  const JobId id = add(given);
  Completion wishing = retry(claim_one().lease, now_ + 1min);
  wishing.wish = Wish{.asked = now_ + 20min, .granted = now_ + 20min};
  complete(wishing);
  EXPECT_EQ(get(id).run_at, now_ + 20min);

  now_ += 20min;
  wishing = retry(claim_one().lease, now_ + 1min);
  wishing.wish = Wish{.asked = now_ + 24h, .granted = now_ + 2h};
  complete(wishing);
  EXPECT_EQ(get(id).run_at, now_ + 40min) << "when its schedule ticks";
  std::string why = store_->queries().history(id).value().back().reason;
  EXPECT_NE(why.find("too slow"), std::string::npos);
  EXPECT_NE(why.find("2026-03-11T00:20:00Z"), std::string::npos) << why << "\nwhat was asked for";
  EXPECT_NE(why.find("2026-03-10T01:00:00Z"), std::string::npos) << why << "\nwhat it gets";
  EXPECT_NE(why.find("schedule"), std::string::npos) << why;

  now_ += 40min;
  const auto fired = fire({{now_}});
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].state, JobState::skipped);
  EXPECT_NE(get(fired[0].job).reason.find("tried again"), std::string::npos) << get(fired[0].job).reason;
  const Claimed again = claim_one();
  EXPECT_EQ(again.job.id, id) << "the tick's run";

  wishing = retry(again.lease, now_ + 1min);
  wishing.wish = Wish{.asked = now_ + 24h, .granted = now_ + 15min};
  complete(wishing);
  EXPECT_EQ(get(id).run_at, now_ + 15min);
  why = store_->queries().history(id).value().back().reason;
  EXPECT_NE(why.find("maxDelay"), std::string::npos) << why;
}

TEST_P(StoreConformance, the_policys_own_pause_is_kept_whatever_ticks) {
  upsert(recurring());
  NewJob given = job();
  given.exclusive_key = "Country";
  const JobId id = add(given);
  Completion wishing = retry(claim_one().lease, now_ + 2h);
  wishing.wish = Wish{.asked = now_ + 3h, .granted = now_ + 3h};
  complete(wishing);
  EXPECT_EQ(get(id).run_at, now_ + 2h);
}

}  // namespace
}  // namespace sluice::jobs
