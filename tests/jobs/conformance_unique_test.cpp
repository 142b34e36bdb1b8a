// Conformance: keys that only one job holds.
#include "jobs/store_conformance.h"

#include <algorithm>
#include <array>
#include <latch>
#include <set>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

NewJob keyed(std::string args = "{}") {
  NewJob job;
  job.kind = "load";
  job.subject = "Country";
  job.unique_key = "k";
  job.args = std::move(args);
  return job;
}
NewJob replacing(std::string args) {
  NewJob job = keyed(std::move(args));
  job.on_collision = Collision::replace;
  return job;
}

TEST_P(StoreConformance, a_unique_key_is_held_while_its_job_lives) {
  const auto enqueue = [&](const NewJob& job) {
    return store_->jobs().enqueue(std::span(&job, 1), now_).value().at(0);
  };
  const JobId first = enqueue(keyed()).id;
  const auto refused = [&](std::string_view when) {
    const Enqueued again = enqueue(keyed(R"({"n":2})"));
    EXPECT_FALSE(again.created) << when;
    EXPECT_EQ(again.id, first) << when;
    EXPECT_FALSE(again.replaced) << when;
  };
  refused("enqueued");
  const Lease lease = claim_one().lease;
  refused("processing");
  EXPECT_EQ(ending({.lease = lease,
                    .to = JobState::scheduled,
                    .error = JobError{"timeout", "slow"},
                    .run_at = now_ + 1min}),
            JobState::scheduled);
  refused("waiting for its retry");
  EXPECT_EQ(get(first).args, "{}");
  EXPECT_EQ(get(first).unique_key, "k");
  now_ += 1min;
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  const Enqueued next = enqueue(keyed());
  EXPECT_TRUE(next.created);
  EXPECT_NE(next.id, first);
}

TEST_P(StoreConformance, an_awaiting_job_holds_its_key) {
  NewJob child = keyed();
  child.parent = add();
  const JobId id = add(child);
  EXPECT_EQ(add(keyed()), id);
  store_->jobs().cancel(id, "no", now_).value();
  EXPECT_NE(add(keyed()), id);
}

TEST_P(StoreConformance, a_unique_key_may_outlive_its_job_for_a_period) {
  NewJob given = keyed();
  given.unique_for = 1h;
  const JobId first = add(given);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  now_ += 59min;
  EXPECT_EQ(add(keyed()), first);
  EXPECT_EQ(add(replacing(R"({"n":2})")), first);
  EXPECT_EQ(get(first).state, JobState::succeeded) << "what has ended is not touched";
  now_ += 1min;
  EXPECT_NE(add(keyed()), first);
}

TEST_P(StoreConformance, a_job_that_has_not_begun_can_be_replaced) {
  const JobId first = add(keyed());
  const auto replace = [&](NewJob job) {
    return store_->jobs().enqueue(std::span(&job, 1), now_).value().at(0);
  };
  NewJob later = replacing(R"({"n":2})");
  later.run_at = now_ + 1h;
  later.priority = 3;
  later.name = "newer";
  const Enqueued put_off = replace(later);
  EXPECT_EQ(put_off.id, first);
  EXPECT_FALSE(put_off.created);
  EXPECT_TRUE(put_off.replaced);
  EXPECT_EQ(get(first).state, JobState::scheduled);
  EXPECT_EQ(get(first).args, R"({"n":2})");
  EXPECT_EQ(get(first).run_at, now_ + 1h);
  EXPECT_EQ(get(first).priority, 3);
  EXPECT_EQ(get(first).name, "newer");
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(replace(replacing(R"({"n":3})")).replaced);
  EXPECT_EQ(get(first).state, JobState::enqueued);
  const auto counts = store_->queries().counts().value();
  EXPECT_EQ(counts[0], 0);
  EXPECT_EQ(counts[1], 1);
  const Claimed claimed = claim_one();
  EXPECT_EQ(claimed.job.args, R"({"n":3})");
  EXPECT_FALSE(replace(replacing(R"({"n":4})")).replaced) << "it runs";
  EXPECT_EQ(get(first).args, R"({"n":3})");
  // One that waits for its retry has begun too, even when its pause is over.
  EXPECT_EQ(ending({.lease = claimed.lease,
                    .to = JobState::scheduled,
                    .error = JobError{"timeout", "slow"},
                    .run_at = now_ + 1min}),
            JobState::scheduled);
  EXPECT_FALSE(replace(replacing(R"({"n":4})")).replaced);
  now_ += 1min;
  EXPECT_EQ(claim_one().job.args, R"({"n":3})");
}

TEST_P(StoreConformance, jobs_of_one_call_collide_with_each_other) {
  const std::vector<NewJob> jobs = {keyed(), job(), replacing(R"({"n":2})"), keyed(R"({"n":3})")};
  const auto made = store_->jobs().enqueue(jobs, now_).value();
  ASSERT_EQ(made.size(), 4u);
  EXPECT_TRUE(made[0].created && made[1].created);
  EXPECT_EQ(made[2].id, made[0].id);
  EXPECT_TRUE(made[2].replaced);
  EXPECT_EQ(made[3].id, made[0].id);
  EXPECT_EQ(get(made[0].id).args, R"({"n":2})");
}

TEST_P(StoreConformance, a_job_at_rest_is_not_run_again_beside_the_holder_of_its_key) {
  const JobId first = add(keyed());
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::failed}));
  const JobId second = add(keyed());
  const auto refused = store_->jobs().requeue(first, "again", now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_NE(refused.error().message.find(std::to_string(second.value())), std::string::npos);
  EXPECT_EQ(get(first).state, JobState::failed);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  ASSERT_TRUE(store_->jobs().requeue(first, "again", now_));
  EXPECT_EQ(add(keyed()), first) << "it holds its key again";
}

TEST_P(StoreConformance, keys_nobody_holds_are_forgotten_and_others_kept) {
  const JobId first = add(keyed());
  now_ += 1h;
  ASSERT_TRUE(store_->upkeep().trim({}, 100, now_));
  EXPECT_EQ(add(keyed()), first);
  EXPECT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded}));
  ASSERT_TRUE(store_->upkeep().trim({}, 100, now_));
  EXPECT_NE(add(keyed()), first);
}

TEST_P(StoreConformance, of_many_who_enqueue_a_key_at_once_one_creates_the_job) {
  constexpr int kThreads = 4, kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    std::latch together(kThreads);
    std::array<Enqueued, kThreads> made;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
          const auto store = setting_->open();
          NewJob given = i % 2 == 0 ? keyed() : replacing(R"({"n":2})");
          given.unique_key = "round" + std::to_string(round);
          together.arrive_and_wait();
          made[i] = store->jobs().enqueue(std::span(&given, 1), now_).value().at(0);
        });
      }
    }
    std::set<JobId> ids;
    for (const Enqueued& one : made) ids.insert(one.id);
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_EQ(std::ranges::count_if(made, [](const Enqueued& one) { return one.created; }), 1);
  }
  EXPECT_EQ(claim(100).size(), static_cast<std::size_t>(kRounds));
}

}  // namespace
}  // namespace sluice::jobs
