// Queues: paused, limited, served in proportion to their weights.
#include "jobs/store_conformance.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

NewJob in(std::string queue, int priority = kDefaultPriority) {
  NewJob made;
  made.kind = "load";
  made.queue = std::move(queue);
  made.priority = priority;
  return made;
}

void add_many(Store& store, const NewJob& one, int count, Timestamp now) {
  const std::vector<NewJob> jobs(static_cast<std::size_t>(count), one);
  const auto made = store.jobs().enqueue(jobs, now);
  ASSERT_TRUE(made) << made.error().describe();
}

std::vector<Claimed> claim_from(Store& store, std::vector<QueueShare> queues, int limit, Timestamp now) {
  auto claimed = store.jobs().claim(
      {.node = "n1", .limit = limit, .kinds = {"load"}, .only_pinned = false, .queues = std::move(queues)},
      now);
  EXPECT_TRUE(claimed) << claimed.error().describe();
  return claimed.value_or(std::vector<Claimed>{});
}

std::map<std::string, int> by_queue(const std::vector<Claimed>& claimed) {
  std::map<std::string, int> count;
  for (const Claimed& one : claimed) ++count[one.job.queue];
  return count;
}

QueueInfo queue(Store& store, const std::string& name) {
  const auto all = store.queues().list();
  EXPECT_TRUE(all) << all.error().describe();
  for (const QueueInfo& one : all.value_or(std::vector<QueueInfo>{})) {
    if (one.name == name) return one;
  }
  ADD_FAILURE() << "no queue " << name;
  return {};
}

TEST_P(StoreConformance, a_paused_queue_gives_nothing_and_lets_others_pass) {
  const JobId in_mail = add(in("mail"));
  const JobId other = add();
  ASSERT_TRUE(store_->queues().pause("mail", "ann", "the mail server is down", now_));
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].job.id, other);
  EXPECT_EQ(get(in_mail).state, JobState::enqueued);
  const QueueInfo paused = queue(*store_, "mail");
  EXPECT_EQ(paused.paused_at, now_);
  EXPECT_EQ(paused.paused_by, "ann");
  EXPECT_EQ(paused.pause_reason, "the mail server is down");
  EXPECT_EQ(paused.waiting, 1);
  EXPECT_EQ(queue(*store_, "default").running, 1);

  ASSERT_TRUE(store_->queues().resume("mail", now_));
  EXPECT_FALSE(queue(*store_, "mail").paused_at);
  EXPECT_EQ(claim_one().job.id, in_mail);
}

TEST_P(StoreConformance, a_large_claim_heeds_pauses_and_limits_of_queues_too) {
  for (int i = 0; i < 80; ++i) add(in("mail"));
  ASSERT_TRUE(store_->queues().pause("mail", "ann", "the mail server is down", now_));
  EXPECT_TRUE(claim(64).empty());
  ASSERT_TRUE(store_->queues().resume("mail", now_));
  ASSERT_TRUE(store_->queues().set_max_running("mail", 3, now_));
  EXPECT_EQ(claim(64).size(), 3u);
  ASSERT_TRUE(store_->queues().set_max_running("mail", {}, now_));
  EXPECT_EQ(claim(64).size(), 64u);
}

TEST_P(StoreConformance, what_runs_in_a_queue_goes_on_when_it_is_paused) {
  add(in("mail"));
  const Claimed running = claim_one();
  ASSERT_TRUE(store_->queues().pause("mail", "", "", now_));
  EXPECT_TRUE(complete({.lease = running.lease}));
  // A retry of it waits for the queue.
  const JobId again = add(in("mail"));
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(get(again).state, JobState::enqueued);
}

TEST_P(StoreConformance, the_default_queue_can_be_paused_too) {
  add();
  const JobId other = add(in("mail"));
  ASSERT_TRUE(store_->queues().pause("default", "", "", now_));
  EXPECT_EQ(claim_one().job.id, other);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, a_queue_runs_no_more_jobs_than_its_limit) {
  ASSERT_TRUE(store_->queues().set_max_running("mail", 2, now_));
  for (int i = 0; i < 4; ++i) add(in("mail"));
  const JobId other = add();
  const auto claimed = claim();
  EXPECT_EQ(by_queue(claimed), (std::map<std::string, int>{{"default", 1}, {"mail", 2}}));
  EXPECT_EQ(get(other).state, JobState::processing);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(queue(*store_, "mail").max_running, 2);
  EXPECT_EQ(queue(*store_, "mail").running, 2);
  EXPECT_EQ(queue(*store_, "mail").waiting, 2);

  const auto& ended = claimed[0].job.queue == "mail" ? claimed[0] : claimed[1];
  EXPECT_TRUE(complete({.lease = ended.lease}));
  EXPECT_EQ(claim().size(), 1u);
  ASSERT_TRUE(store_->queues().set_max_running("mail", std::nullopt, now_));
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_FALSE(queue(*store_, "mail").max_running);
}

TEST_P(StoreConformance, jobs_that_ran_before_the_limit_count) {
  for (int i = 0; i < 4; ++i) add(in("mail"));
  const auto before = claim(2);
  ASSERT_TRUE(store_->queues().set_max_running("mail", 1, now_));
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(complete({.lease = before[0].lease}));
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(complete({.lease = before[1].lease}));
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, many_nodes_never_exceed_the_limit_of_a_queue) {
  constexpr int kJobs = 120, kLimit = 3, kMostRounds = 20'000;
  ASSERT_TRUE(store_->queues().set_max_running("mail", kLimit, now_));
  add_many(*store_, in("mail"), kJobs, now_);
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

TEST_P(StoreConformance, a_node_serves_the_queues_it_names_alone) {
  const JobId other = add();
  const JobId mail = add(in("mail"));
  const auto claimed = claim_from(*store_, {{"mail", 1}, {"reports", 1}}, 10, now_);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].job.id, mail);
  EXPECT_EQ(get(other).state, JobState::enqueued);
  EXPECT_EQ(claim_from(*store_, {{"default", 1}}, 10, now_).size(), 1u);
}

TEST_P(StoreConformance, queues_are_served_in_proportion_and_none_starves) {
  add_many(*store_, in("mail", 1), 60, now_);  // its jobs are older and come first
  add_many(*store_, in("reports", 9), 60, now_);
  std::map<std::string, int> count;
  for (int i = 0; i < 40; ++i) {
    for (const Claimed& one : claim_from(*store_, {{"mail", 3}, {"reports", 1}}, 1, now_)) {
      ++count[one.job.queue];
      complete({.lease = one.lease});
    }
  }
  EXPECT_EQ(count, (std::map<std::string, int>{{"mail", 30}, {"reports", 10}}));
  // What an empty queue does not use goes to the others.
  EXPECT_EQ(by_queue(claim_from(*store_, {{"mail", 1}, {"empty", 900}}, 10, now_)),
            (std::map<std::string, int>{{"mail", 10}}));
  EXPECT_EQ(by_queue(claim_from(*store_, {{"mail", 1}, {"reports", 1}}, 100, now_)),
            (std::map<std::string, int>{{"mail", 20}, {"reports", 50}}));
}

TEST_P(StoreConformance, priorities_hold_inside_a_queue) {
  add(in("mail", 7));
  const JobId second = add(in("mail", 5)), first = add(in("mail", 2));
  const auto claimed = claim_from(*store_, {{"mail", 1}}, 2, now_);
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].job.id, first);
  EXPECT_EQ(claimed[1].job.id, second);
}

TEST_P(StoreConformance, names_and_limits_of_queues_are_checked) {
  for (const std::string name : {"", "Mail", "a b", "ä", "a/b"}) {
    EXPECT_EQ(store_->queues().pause(name, "", "", now_).error().code, ErrorCode::invalid_argument) << name;
    EXPECT_FALSE(store_->queues().resume(name, now_)) << name;
  }
  EXPECT_FALSE(store_->queues().pause(std::string(101, 'a'), "", "", now_));
  EXPECT_TRUE(store_->queues().pause(std::string(100, 'a'), "", "", now_));
  EXPECT_FALSE(store_->queues().set_max_running("mail", 0, now_));
  EXPECT_TRUE(store_->queues().resume("never-configured", now_));
}

TEST_P(StoreConformance, a_queue_that_is_held_back_starts_nothing_at_once) {
  const std::vector<NewJob> three = {in("mail"), in("reports"), in("free")};
  ASSERT_TRUE(store_->queues().pause("mail", "", "", now_));
  ASSERT_TRUE(store_->queues().set_max_running("reports", 5, now_));
  const auto begun = store_->jobs().start(three, "n1", now_);
  ASSERT_TRUE(begun) << begun.error().describe();
  EXPECT_FALSE(begun->at(0).claimed);
  EXPECT_FALSE(begun->at(1).claimed);
  EXPECT_TRUE(begun->at(2).claimed);
  EXPECT_EQ(queue(*store_, "mail").waiting, 1);
  EXPECT_EQ(queue(*store_, "free").running, 1);
  EXPECT_EQ(claim_one().job.id, begun->at(1).id);
  ASSERT_TRUE(store_->queues().resume("mail", now_));
  EXPECT_EQ(claim_one().job.id, begun->at(0).id);
}

}  // namespace
}  // namespace sluice::jobs
