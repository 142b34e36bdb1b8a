// Conformance: recurring jobs, fired once per nominal time.
#include "jobs/store_conformance.h"

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

Recurring only(Store& store) {
  const auto all = store.recurring().list(true).value();
  EXPECT_EQ(all.size(), 1u);
  return all.empty() ? Recurring{} : all.front();
}

TEST_P(StoreConformance, a_recurring_job_comes_back_as_it_was_given) {
  RecurringSpec spec = recurring();
  spec.name = "Countries";
  spec.args = R"({"loader":"Country"})";
  spec.queue = "slow";
  spec.zone = "Europe/Zurich";
  spec.anchor = std::chrono::sys_days(std::chrono::year(2026) / 1 / 5);
  spec.missed = Missed::all;
  spec.catch_up_window = 90min;
  spec.retry = {.limit = 2, .delay = 5s};
  spec.exclusive_key = "tables";
  upsert(spec);
  const Recurring found = only(*store_);
  EXPECT_EQ(found.spec.id, spec.id);
  EXPECT_EQ(found.spec.name, spec.name);
  EXPECT_EQ(found.spec.args, spec.args);
  EXPECT_EQ(found.spec.queue, spec.queue);
  EXPECT_EQ(found.spec.phrase, spec.phrase);
  EXPECT_EQ(found.spec.zone, spec.zone);
  EXPECT_EQ(found.spec.anchor, spec.anchor);
  EXPECT_EQ(found.spec.missed, spec.missed);
  EXPECT_EQ(found.spec.catch_up_window, spec.catch_up_window);
  EXPECT_EQ(found.spec.retry, spec.retry);
  EXPECT_EQ(found.spec.exclusive_key, "tables");
  EXPECT_EQ(found.next_fire_at, now_ + 1h);
  EXPECT_FALSE(found.last_fire_at || found.paused_at || found.retired_at);
  EXPECT_EQ(store_->recurring().next_fire().value(), now_ + 1h);
}

TEST_P(StoreConformance, an_unchanged_schedule_keeps_its_next_time_and_an_edited_one_counts_from_now) {
  upsert(recurring());
  const Timestamp first = now_ + 1h;
  now_ += 10min;
  upsert(recurring());
  EXPECT_EQ(only(*store_).next_fire_at, first);
  RecurringSpec spec = recurring();
  spec.retry = {.limit = 9};
  upsert(spec);
  EXPECT_EQ(only(*store_).next_fire_at, first);
  EXPECT_EQ(only(*store_).spec.retry.limit, 9);
  spec.phrase = "every 2 hours";
  upsert(spec);
  EXPECT_EQ(only(*store_).next_fire_at, now_ + 1h);
}

TEST_P(StoreConformance, upsert_says_what_changed) {
  const auto plan = [&](const Recurring&) { return FirePlan{.ticks = {}, .next_fire_at = now_ + 1h}; };
  std::vector<RecurringSpec> specs = {recurring("a"), recurring("b")};
  EXPECT_EQ(store_->recurring().upsert(specs, plan, now_).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(store_->recurring().upsert(specs, plan, now_).value().empty());
  specs[1].missed = Missed::skip;
  EXPECT_EQ(store_->recurring().upsert(specs, plan, now_).value(), (std::vector<std::string>{"b"}));
}

TEST_P(StoreConformance, a_due_recurring_job_fires_a_job_with_its_nominal_time) {
  RecurringSpec spec = recurring();
  spec.args = R"({"loader":"Country"})";
  spec.retry = {.limit = 2};
  upsert(spec);
  EXPECT_TRUE(fire({{now_}}).empty()) << "not due yet";
  const Timestamp nominal = now_ + 1h;
  now_ = nominal + 20ms;
  const auto fired = fire({{nominal}});
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].recurring_id, "load:Country");
  EXPECT_EQ(fired[0].state, JobState::enqueued);
  const Job job = get(fired[0].job);
  EXPECT_EQ(job.fire_at, nominal);
  EXPECT_EQ(job.created_at, now_);
  EXPECT_EQ(job.origin, Origin::schedule);
  EXPECT_EQ(job.recurring_id, "load:Country");
  EXPECT_EQ(job.subject, "Country");
  EXPECT_EQ(job.name, "Country");
  EXPECT_EQ(job.args, R"({"loader":"Country"})");
  EXPECT_EQ(job.max_attempts, 3);
  EXPECT_EQ(job.exclusive_key, "Country");
  const Recurring found = only(*store_);
  EXPECT_EQ(found.last_fire_at, nominal);
  EXPECT_EQ(found.last_job, fired[0].job);
  EXPECT_EQ(found.next_fire_at, now_ + 1h);
}

TEST_P(StoreConformance, a_nominal_time_fires_once) {
  upsert(recurring());
  now_ += 1h;
  const Timestamp nominal = now_;
  EXPECT_EQ(fire({{nominal}}).size(), 1u);
  now_ += 1h;
  EXPECT_TRUE(fire({{nominal}}).empty()) << "even when a planner names it again";
}

TEST_P(StoreConformance, two_stores_fire_each_time_once) {
  const auto other = setting_->open();
  upsert(recurring());
  int jobs = 0;
  for (int i = 0; i < 20; ++i) {
    now_ += 1h;
    const auto plan = [&](const Recurring&) {
      return FirePlan{.ticks = {{now_, true}}, .next_fire_at = now_ + 1h};
    };
    jobs += static_cast<int>(store_->recurring().fire_due(plan, 10, now_).value().size());
    jobs += static_cast<int>(other->recurring().fire_due(plan, 10, now_).value().size());
  }
  EXPECT_EQ(jobs, 20);
}

TEST_P(StoreConformance, a_tick_while_its_job_is_live_is_skipped_and_names_it) {
  upsert(recurring());
  now_ += 1h;
  const JobId first = fire({{now_}}).at(0).job;
  for (int round = 0; round < 3; ++round) {  // enqueued, processing, waiting for a retry
    now_ += 1h;
    const auto fired = fire({{now_}});
    ASSERT_EQ(fired.size(), 1u);
    EXPECT_EQ(fired[0].state, JobState::skipped);
    const Job skipped = get(fired[0].job);
    EXPECT_EQ(skipped.state, JobState::skipped);
    EXPECT_EQ(skipped.blocking_job, first);
    EXPECT_EQ(skipped.finished_at, now_);
    EXPECT_NE(skipped.reason.find(std::to_string(first.value())), std::string::npos) << skipped.reason;
    if (round == 0) {
      EXPECT_EQ(claim_one().job.id, first);
    }
    if (round == 1) {
      const Job running = get(first);
      ASSERT_EQ(running.attempt, 1);
      EXPECT_TRUE(complete({.lease = {first, 1},
                            .to = JobState::scheduled,
                            .error = JobError{"io", "x"},
                            .run_at = now_ + 24h}));
    }
  }
  EXPECT_EQ(store_->jobs().cancel(first, "enough", now_).value(), Cancelled::deleted);
  now_ += 1h;
  EXPECT_EQ(fire({{now_}}).at(0).state, JobState::enqueued);
}

TEST_P(StoreConformance, times_caught_up_queue_behind_each_other) {
  upsert(recurring());
  now_ += 5h;
  const auto fired = fire({{now_ - 2h, true}, {now_ - 1h, true}, {now_, true}});
  ASSERT_EQ(fired.size(), 3u);
  for (const Fired& one : fired) EXPECT_EQ(one.state, JobState::enqueued);
  const Claimed first = claim_one();
  EXPECT_EQ(first.job.fire_at, now_ - 2h);
  EXPECT_TRUE(claim().empty()) << "one at a time";
}

TEST_P(StoreConformance, a_paused_one_fires_nothing_and_resumes_from_now) {
  upsert(recurring());
  ASSERT_TRUE(store_->recurring().pause("load:Country", "ada", "source is down", now_));
  EXPECT_EQ(store_->recurring().next_fire().value(), std::nullopt);
  Recurring found = only(*store_);
  EXPECT_EQ(found.paused_at, now_);
  EXPECT_EQ(found.paused_by, "ada");
  EXPECT_EQ(found.pause_reason, "source is down");
  now_ += 10h;
  EXPECT_TRUE(fire({{now_}}).empty());
  RecurringSpec edited = recurring();
  edited.phrase = "every 2 hours";
  upsert(edited);
  EXPECT_EQ(only(*store_).next_fire_at, std::nullopt) << "an edit does not end a pause";
  const auto first = [&](const Recurring&) { return FirePlan{.ticks = {}, .next_fire_at = now_ + 2h}; };
  ASSERT_TRUE(store_->recurring().resume("load:Country", first, now_));
  found = only(*store_);
  EXPECT_EQ(found.next_fire_at, now_ + 2h);
  EXPECT_FALSE(found.paused_at);
  EXPECT_EQ(found.pause_reason, "");
  EXPECT_EQ(store_->recurring().pause("nobody", "", "", now_).error().code, ErrorCode::not_found);
  EXPECT_EQ(store_->recurring().resume("nobody", first, now_).error().code, ErrorCode::not_found);
}

TEST_P(StoreConformance, a_disabled_one_has_no_next_time) {
  RecurringSpec spec = recurring();
  spec.enabled = false;
  upsert(spec);
  EXPECT_EQ(only(*store_).next_fire_at, std::nullopt);
  spec.enabled = true;
  upsert(spec);
  EXPECT_EQ(only(*store_).next_fire_at, now_ + 1h);
}

TEST_P(StoreConformance, retiring_deletes_what_has_not_begun_and_can_be_undone) {
  upsert(recurring());
  now_ += 1h;
  const JobId running = fire({{now_}}).at(0).job;
  claim_one();
  now_ += 1h;
  const JobId queued = fire({{now_, true}}).at(0).job;
  const auto deleted = store_->recurring().retire("load:Country", "its file is gone", now_);
  ASSERT_TRUE(deleted);
  EXPECT_EQ(*deleted, std::vector{queued});
  EXPECT_EQ(get(queued).state, JobState::deleted);
  EXPECT_EQ(get(queued).reason, "its file is gone");
  EXPECT_EQ(get(running).state, JobState::processing);
  EXPECT_TRUE(store_->recurring().list(false).value().empty());
  EXPECT_EQ(only(*store_).retired_reason, "its file is gone");
  EXPECT_EQ(store_->recurring().next_fire().value(), std::nullopt);
  EXPECT_TRUE(store_->recurring().retire("load:Country", "again", now_).value().empty());
  EXPECT_EQ(store_->recurring().retire("nobody", "x", now_).error().code, ErrorCode::not_found);
  now_ += 5h;
  upsert(recurring());
  EXPECT_FALSE(only(*store_).retired_at);
  EXPECT_EQ(only(*store_).next_fire_at, now_ + 1h) << "counted from now";
}

TEST_P(StoreConformance, a_phrase_no_longer_understood_stops_with_its_error) {
  upsert(recurring());
  now_ += 2h;
  const auto fired = store_->recurring().fire_due(
      [](const Recurring&) { return FirePlan{.error = "unknown word"}; }, 10, now_);
  ASSERT_TRUE(fired);
  EXPECT_TRUE(fired->empty());
  EXPECT_EQ(only(*store_).error, "unknown word");
  EXPECT_EQ(only(*store_).next_fire_at, std::nullopt);
  upsert(recurring());
  EXPECT_EQ(only(*store_).error, "");
  EXPECT_EQ(only(*store_).next_fire_at, now_ + 1h);
}

TEST_P(StoreConformance, fire_due_keeps_to_its_limit) {
  for (int i = 0; i < 5; ++i) {
    RecurringSpec spec = recurring("r" + std::to_string(i));
    spec.subject = spec.id;
    upsert(spec);
  }
  now_ += 1h;
  const auto plan = [&](const Recurring&) { return FirePlan{.ticks = {{now_}}, .next_fire_at = now_ + 1h}; };
  EXPECT_EQ(store_->recurring().fire_due(plan, 3, now_).value().size(), 3u);
  EXPECT_EQ(store_->recurring().fire_due(plan, 3, now_).value().size(), 2u);
  EXPECT_EQ(store_->recurring().fire_due(plan, 3, now_).value().size(), 0u);
}

TEST_P(StoreConformance, failures_in_a_row_pause_a_recurring_job) {
  RecurringSpec spec = recurring();
  spec.pause_after_failures = 2;
  spec.timeout = 90s;
  upsert(spec);
  EXPECT_EQ(store_->recurring().get(spec.id).value()->spec.pause_after_failures, 2);
  const auto run = [&](JobState to) {
    const auto due = store_->recurring().get(spec.id).value()->next_fire_at;
    if (!due) return JobId();
    now_ = *due;
    fire({Tick{.fire_at = *due}});
    const Claimed claimed = claim_one();
    EXPECT_EQ(claimed.job.timeout, 90s);
    Completion end{.lease = claimed.lease, .to = to};
    if (to == JobState::failed) end.error = JobError{"io", "no"};
    complete(end);
    return claimed.job.id;
  };
  const auto failures = [&] { return store_->recurring().get(spec.id).value()->failures; };
  run(JobState::failed);
  EXPECT_EQ(failures(), 1);
  run(JobState::succeeded);
  EXPECT_EQ(failures(), 0);
  run(JobState::failed);
  const JobId last = run(JobState::failed);
  const Recurring paused = store_->recurring().get(spec.id).value().value();
  EXPECT_EQ(paused.failures, 2);
  EXPECT_EQ(paused.paused_at, now_);
  EXPECT_FALSE(paused.next_fire_at);
  EXPECT_EQ(paused.paused_by, "sluice");
  EXPECT_EQ(paused.pause_reason,
            "2 failed runs in a row, the newest is job " + std::to_string(last.value()) + " (io)");
  ASSERT_TRUE(store_->recurring().resume(
      spec.id,
      [&](const Recurring&) { return FirePlan{.ticks = {}, .next_fire_at = now_ + 1h, .error = {}}; }, now_));
  EXPECT_EQ(failures(), 0);
}

TEST_P(StoreConformance, one_that_is_paused_fires_nothing_whatever_its_next_time_says) {
  upsert(recurring());
  ASSERT_TRUE(store_->recurring().pause("load:Country", "ann", "", now_));
  // As a node might leave it that was in the middle of firing.
  setting_->execute("update recurring set next_fire_at = 1");
  now_ += 1h;
  EXPECT_TRUE(fire({{.fire_at = now_}}).empty());
}

}  // namespace
}  // namespace sluice::jobs
