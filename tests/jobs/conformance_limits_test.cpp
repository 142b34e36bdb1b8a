// Keys that limit how many jobs run at once, and how many start in a stretch of time.
#include "jobs/store_conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

NewJob limited(KeyLimit limit, std::string key = "api") {
  NewJob made;
  made.kind = "load";
  made.limit_key = std::move(key);
  made.limit = limit;
  return made;
}

TEST_P(StoreConformance, several_queues_share_what_a_claim_may_take_of_jobs_with_keys) {
  for (const char* queue : {"one", "two"}) {
    for (int i = 0; i < 2; ++i) {
      NewJob one = job();
      one.queue = queue;
      one.exclusive_key = std::string(queue) + std::to_string(i);
      add(one);
    }
  }
  const ClaimRequest request{.node = "n1",
                             .limit = 4,
                             .kinds = {"load"},
                             .queues = {{.name = "one", .weight = 1}, {.name = "two", .weight = 1}},
                             .most_limited = 1};
  EXPECT_EQ(store_->jobs().claim(request, now_).value().size(), 1u);
}

TEST_P(StoreConformance, a_claim_takes_no_more_jobs_with_keys_than_it_is_told_to) {
  for (int i = 0; i < 3; ++i) {
    NewJob one = job();
    one.exclusive_key = "key " + std::to_string(i);
    add(one);
    one.exclusive_key.clear();
    one.limit_key = "limit";
    one.limit = {.at_once = 3};
    add(one);
    add(job());
  }
  const ClaimRequest request{.node = "n1", .limit = 10, .kinds = {"load"}, .queues = {}, .most_limited = 2};
  const auto some = store_->jobs().claim(request, now_).value();
  EXPECT_EQ(some.size(), 5u);
  EXPECT_EQ(std::ranges::count_if(some,
                                  [](const Claimed& one) {
                                    return !one.job.exclusive_key.empty() || !one.job.limit_key.empty();
                                  }),
            2);
  EXPECT_EQ(claim().size(), 4u);
}

TEST_P(StoreConformance, a_limit_key_lets_so_many_run_at_once) {
  const JobId first = add(limited({.at_once = 2})), second = add(limited({.at_once = 2}));
  const JobId third = add(limited({.at_once = 2}));
  const JobId other = add();
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 3u);
  EXPECT_EQ(get(first).state, JobState::processing);
  EXPECT_EQ(get(second).state, JobState::processing);
  EXPECT_EQ(get(other).state, JobState::processing);
  EXPECT_EQ(get(third).state, JobState::enqueued);
  EXPECT_EQ(get(third).limit_key, "api");
  EXPECT_TRUE(claim().empty());
  for (const Claimed& one : claimed) {
    if (one.job.id == second) complete({.lease = one.lease});
  }
  EXPECT_EQ(claim_one().job.id, third);
}

TEST_P(StoreConformance, a_key_is_free_again_however_its_job_ends) {
  const std::vector<Completion> ends = {
      {.to = JobState::succeeded},
      {.to = JobState::failed, .error = JobError{"io", "no"}},
      {.to = JobState::scheduled, .error = JobError{"io", "no"}, .run_at = now_ + 1h},
      {.to = JobState::held},
      {.to = JobState::deleted, .reason = "cancelled"}};
  for (const bool exclusive : {false, true}) {
    NewJob one = limited({.at_once = 1}, exclusive ? "a" : "b");
    if (exclusive) {
      one = job();
      one.exclusive_key = "only";
    }
    add(one);
    Claimed running = claim_one();
    for (Completion end : ends) {
      const JobId next = add(one);
      EXPECT_TRUE(claim().empty());
      end.lease = running.lease;
      ASSERT_TRUE(complete(end)) << to_string(end.to);
      running = claim_one();
      EXPECT_EQ(running.job.id, next) << to_string(end.to);
    }
    complete({.lease = running.lease});
  }
}

TEST_P(StoreConformance, the_best_of_a_key_is_next) {
  NewJob one = limited({.at_once = 1});
  add(one);
  const Claimed running = claim_one();
  add(one);
  one.priority = 1;
  const JobId urgent = add(one);
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(complete({.lease = running.lease}));
  EXPECT_EQ(claim_one().job.id, urgent);
}

TEST_P(StoreConformance, the_newest_jobs_limit_holds_for_its_key) {
  for (int i = 0; i < 4; ++i) add(limited({.at_once = 1}));
  EXPECT_EQ(claim().size(), 1u);
  add(limited({.at_once = 3}));
  ASSERT_TRUE(store_->jobs().release_waiting(now_));
  EXPECT_EQ(claim().size(), 2u);
}

TEST_P(StoreConformance, a_limit_counts_over_queues_and_a_paused_one_holds_nothing_up) {
  NewJob mail = limited({.at_once = 1});
  mail.queue = "mail";
  for (int i = 0; i < 3; ++i) add(mail);
  const JobId other = add(limited({.at_once = 1}));
  ASSERT_TRUE(store_->queues().pause("mail", "", "", now_));
  ASSERT_TRUE(store_->jobs().release_waiting(now_));
  ASSERT_TRUE(store_->jobs().release_waiting(now_));
  EXPECT_EQ(claim_one().job.id, other);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, a_rate_starts_so_many_in_any_window) {
  const KeyLimit rate{.starts = 3, .window = 10s};
  for (int i = 0; i < 7; ++i) add(limited(rate));
  const JobId other = add();
  auto claimed = claim();
  EXPECT_EQ(claimed.size(), 4u);
  EXPECT_EQ(get(other).state, JobState::processing);
  for (const Claimed& one : claimed) EXPECT_TRUE(complete({.lease = one.lease}));
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store_->jobs().next_due().value(), now_ + 10s);
  now_ += 9s;
  EXPECT_TRUE(claim().empty());
  now_ += 1s;
  EXPECT_EQ(claim().size(), 3u);
  now_ += 10s;
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_FALSE(store_->jobs().next_due().value());
}

TEST_P(StoreConformance, the_window_slides) {
  const KeyLimit rate{.starts = 2, .window = 10s};
  for (int i = 0; i < 4; ++i) add(limited(rate));
  EXPECT_EQ(claim(1).size(), 1u);
  now_ += 6s;
  EXPECT_EQ(claim().size(), 1u);
  now_ += 4s;  // the first start is out of the window, the second is not
  EXPECT_EQ(claim().size(), 1u);
  now_ += 5s;
  EXPECT_TRUE(claim().empty());
  now_ += 1s;
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, jobs_of_a_busy_key_are_passed_over_by_thousands) {
  constexpr int kBlocked = 10'000;
  NewJob one = limited({.at_once = 1});
  add(one);
  const Claimed running = claim_one();
  const std::vector<NewJob> blocked(kBlocked, one);
  ASSERT_TRUE(store_->jobs().enqueue(blocked, now_));
  NewJob keyed = job();
  keyed.exclusive_key = "only";
  const std::vector<NewJob> only(kBlocked, keyed);
  ASSERT_TRUE(store_->jobs().enqueue(only, now_));
  for (int i = 0; i < 10; ++i) add();
  EXPECT_EQ(claim(100).size(), 11u);
  EXPECT_TRUE(claim(100).empty());
  EXPECT_TRUE(complete({.lease = running.lease}));
  EXPECT_EQ(claim(100).size(), 1u);
}

TEST_P(StoreConformance, a_node_that_leaves_gives_its_keys_back) {
  const auto other = setting_->open();
  join(*other, "n2");
  add(limited({.at_once = 1}));
  ASSERT_EQ(other->jobs().claim({.node = "n2", .limit = 1, .kinds = {"load"}}, now_).value().size(), 1u);
  add(limited({.at_once = 1}));
  EXPECT_TRUE(claim().empty());
  ASSERT_TRUE(other->nodes().leave("n2", now_));
  ASSERT_TRUE(store_->jobs().release_waiting(now_));
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, many_nodes_never_exceed_the_limit_of_a_key) {
  constexpr int kJobs = 120, kLimit = 3, kMostRounds = 20'000;
  const std::vector<NewJob> jobs(kJobs, limited({.at_once = kLimit}));
  ASSERT_TRUE(store_->jobs().enqueue(jobs, now_));
  std::atomic<int> most{0}, done{0};
  const auto work = [&](int number) {
    const auto store = setting_->open();
    const std::string node = "w" + std::to_string(number);
    join(*store, node);
    for (int round = 0; done < kJobs && round < kMostRounds; ++round) {
      const auto claimed = store->jobs().claim({.node = node, .limit = 1 + number, .kinds = {"load"}}, now_);
      ASSERT_TRUE(claimed) << claimed.error().describe();
      // What the store says is under way, on all nodes.
      const auto listed = store->queries().list({.states = {JobState::processing}});
      ASSERT_TRUE(listed) << listed.error().describe();
      const auto at_once = static_cast<int>(listed->size());
      for (int seen = most; seen < at_once && !most.compare_exchange_weak(seen, at_once);) {
      }
      for (const Claimed& one : *claimed) {
        const Completion end{.lease = one.lease};
        ASSERT_TRUE(store->jobs().complete(std::span(&end, 1), now_).value().at(0));
        ++done;
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i) workers.emplace_back(work, i);
  }
  EXPECT_EQ(done, kJobs);
  EXPECT_LE(most, kLimit);
}

TEST_P(StoreConformance, many_nodes_never_exceed_the_rate_of_a_key) {
  constexpr int kJobs = 60, kStarts = 7;
  const std::vector<NewJob> jobs(kJobs, limited({.starts = kStarts, .window = 1h}));
  ASSERT_TRUE(store_->jobs().enqueue(jobs, now_));
  std::atomic<int> started{0};
  const auto work = [&](int number) {
    const auto store = setting_->open();
    const std::string node = "w" + std::to_string(number);
    join(*store, node);
    for (int round = 0; round < 20; ++round) {
      const auto claimed = store->jobs().claim({.node = node, .limit = 2, .kinds = {"load"}}, now_);
      ASSERT_TRUE(claimed) << claimed.error().describe();
      started += static_cast<int>(claimed->size());
      for (const Claimed& one : *claimed) {
        const Completion end{.lease = one.lease};
        ASSERT_TRUE(store->jobs().complete(std::span(&end, 1), now_).value().at(0));
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i) workers.emplace_back(work, i);
  }
  EXPECT_EQ(started, kStarts);
}

TEST_P(StoreConformance, a_job_that_waited_too_long_is_deleted_and_never_run) {
  NewJob given = job();
  given.latency_limit = 5s;
  const JobId late = add(given);
  const JobId other = add();
  given.run_at = now_ + 4s;
  const JobId in_time = add(given);
  now_ += 6s;
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].job.id, other);
  EXPECT_EQ(claimed[1].job.id, in_time);
  EXPECT_EQ(claimed[1].job.latency_limit, 5s);
  const Job dropped = get(late);
  EXPECT_EQ(dropped.state, JobState::deleted);
  EXPECT_EQ(dropped.attempt, 0);
  EXPECT_NE(dropped.reason.find("latency limit of 5000 ms"), std::string::npos) << dropped.reason;
  EXPECT_EQ(store_->queries().history(late).value().back().reason, dropped.reason);
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::deleted)], 1);
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::enqueued)], 0);
}

TEST_P(StoreConformance, a_job_that_had_begun_is_not_dropped_for_waiting) {
  NewJob given = job();
  given.latency_limit = 5s;
  const JobId id = add(given);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::enqueued, .count_attempt = false}));
  now_ += 1h;
  const Claimed again = claim_one();
  EXPECT_EQ(again.job.id, id);
  EXPECT_TRUE(complete({.lease = again.lease,
                        .to = JobState::scheduled,
                        .error = JobError{"io", "no"},
                        .run_at = now_ + 1min}));
  now_ += 1h;
  EXPECT_EQ(claim_one().job.id, id);
}

TEST_P(StoreConformance, what_a_job_asks_for_is_kept) {
  NewJob given = job();
  given.timeout = 90s;
  given.latency_limit = 1h;
  given.limit_key = "api";
  given.limit = {.at_once = 1, .starts = 2, .window = 1min};
  const Job found = get(add(given));
  EXPECT_EQ(found.timeout, 90s);
  EXPECT_EQ(found.latency_limit, 1h);
  EXPECT_EQ(found.limit_key, "api");
}

TEST_P(StoreConformance, what_is_given_back_has_not_started) {
  const JobId id = add(limited({.starts = 1, .window = 1h}));
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::enqueued, .count_attempt = false}));
  EXPECT_EQ(claim_one().job.id, id);
  const auto other = setting_->open();
  join(*other, "n2");
  const JobId second = add(limited({.starts = 1, .window = 1h}, "other"));
  ASSERT_EQ(other->jobs().claim({.node = "n2", .limit = 1, .kinds = {"load"}}, now_).value().size(), 1u);
  ASSERT_TRUE(other->nodes().leave("n2", now_));
  EXPECT_EQ(claim_one().job.id, second);
}

TEST_P(StoreConformance, an_offered_job_that_is_cancelled_gives_way) {
  NewJob keyed = job();
  keyed.exclusive_key = "only";
  for (const NewJob& one : {keyed, limited({.at_once = 1})}) {
    const JobId first = add(one), second = add(one);
    ASSERT_EQ(store_->jobs().cancel(first, "no", now_).value(), Cancelled::deleted);
    ASSERT_TRUE(store_->jobs().release_waiting(now_));
    EXPECT_EQ(claim_one().job.id, second);
  }
}

TEST_P(StoreConformance, a_child_keeps_its_queue_and_its_limits) {
  const JobId parent = add();
  NewJob child = limited({.at_once = 1});
  child.queue = "mail";
  child.parent = parent;
  child.latency_limit = 1h;
  const JobId first = add(child), second = add(child);
  ASSERT_TRUE(store_->queues().pause("mail", "", "", now_));
  ASSERT_TRUE(complete({.lease = claim_one().lease}));
  EXPECT_EQ(get(first).state, JobState::enqueued);
  EXPECT_TRUE(claim().empty()) << "its queue is paused";
  ASSERT_TRUE(store_->queues().resume("mail", now_));
  EXPECT_EQ(claim_one().job.id, first);
  EXPECT_TRUE(claim().empty()) << "one at a time";
  now_ += 2h;
  EXPECT_TRUE(claim().empty());
  ASSERT_TRUE(store_->jobs().release_waiting(now_));
  EXPECT_EQ(get(second).state, JobState::enqueued);
}

TEST_P(StoreConformance, rules_of_keys_that_no_job_has_any_more_are_forgotten) {
  NewJob gone = job("gone"), stays = job("stays");
  gone.limit_key = "gone";
  stays.limit_key = "stays";
  gone.limit = stays.limit = {.at_once = 1, .starts = 3, .window = 1h};
  add(gone);
  for (const Claimed& one : claim()) EXPECT_TRUE(complete({.lease = one.lease}));
  now_ += 30 * 24h;
  add(stays);
  const Claimed running = claim_one();
  EXPECT_EQ(running.job.subject, "stays");
  const auto rows = [&](const std::string& table) {
    // Whatever the database is: as many rows go as there are.
    return setting_->number("select count(*) from " + table);
  };
  EXPECT_EQ(rows("limit_rule"), 2);
  EXPECT_EQ(rows("limit_start"), 2);
  Retention none;
  none.keep_per_subject = 0;
  EXPECT_EQ(store_->upkeep().trim(none, 100, now_).value(), 1);
  EXPECT_EQ(store_->upkeep().trim(none, 100, now_).value(), 0);
  EXPECT_EQ(rows("limit_rule"), 1);
  EXPECT_EQ(rows("limit_start"), 1);
  ASSERT_TRUE(complete({.lease = running.lease, .to = JobState::failed, .error = JobError{"io", "broken"}}));
  now_ += 2h;
  EXPECT_EQ(store_->upkeep().trim(none, 100, now_).value(), 0);
  EXPECT_EQ(rows("limit_rule"), 1) << "somebody may run it again";
  EXPECT_EQ(rows("limit_start"), 0);
}

TEST_P(StoreConformance, starts_count_for_their_window_though_the_job_is_forgotten) {
  NewJob monthly = job("monthly");
  monthly.limit_key = "monthly";
  monthly.limit = {.starts = 1, .window = 30 * 24h};
  add(monthly);
  for (const Claimed& one : claim()) EXPECT_TRUE(complete({.lease = one.lease}));
  now_ += 15 * 24h;
  Retention none;
  none.keep_per_subject = 0;
  EXPECT_EQ(store_->upkeep().trim(none, 100, now_).value(), 1);
  EXPECT_EQ(store_->upkeep().trim(none, 100, now_).value(), 0);
  add(monthly);
  EXPECT_TRUE(claim().empty()) << "its key has had its start of these 30 days";
  now_ += 15 * 24h;
  ASSERT_TRUE(store_->jobs().release_waiting(now_));
  EXPECT_EQ(claim().size(), 1u);
}

}  // namespace
}  // namespace sluice::jobs
