// Conformance: jobs that are enqueued and claimed in one transaction.
#include "jobs/store_conformance.h"

#include <map>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

TEST_P(StoreConformance, a_job_started_at_once_is_as_one_that_was_enqueued_and_claimed) {
  NewJob given = job();
  given.exclusive_key.clear();
  given.unless_live = false;
  given.retry = {.limit = 3, .delay = 1s};
  given.args = R"({"loader":"Country"})";
  given.started_by = "ada";
  given.priority = 3;
  const JobId usual = add(given);
  const Claimed claimed = claim_one();
  ASSERT_EQ(claimed.job.id, usual);
  const std::vector<NewJob> two(2, given);
  const auto begun = store_->jobs().start(two, claimed.job.node, now_);
  ASSERT_TRUE(begun) << begun.error().describe();
  ASSERT_EQ(begun->size(), 2u);
  for (const Begun& one : *begun) {
    ASSERT_TRUE(one.claimed);
    EXPECT_EQ(one.claimed->lease.job, one.id);
    EXPECT_EQ(one.claimed->lease.token, claimed.lease.token);
    const Job& job = one.claimed->job;
    EXPECT_EQ(job.id, one.id);
    EXPECT_EQ(job.state, JobState::processing);
    EXPECT_EQ(job.kind, claimed.job.kind);
    EXPECT_EQ(job.subject, claimed.job.subject);
    EXPECT_EQ(job.name, claimed.job.name);
    EXPECT_EQ(job.queue, claimed.job.queue);
    EXPECT_EQ(job.args, claimed.job.args);
    EXPECT_EQ(job.started_by, "ada");
    EXPECT_EQ(job.priority, 3);
    EXPECT_EQ(job.attempt, 1);
    EXPECT_EQ(job.max_attempts, 4);
    EXPECT_EQ(job.retry, claimed.job.retry);
    EXPECT_EQ(job.node, claimed.job.node);
    EXPECT_EQ(job.created_at, now_);
    EXPECT_EQ(job.started_at, now_);
    EXPECT_EQ(get(one.id).state, JobState::processing);
  }
  EXPECT_LT((*begun)[0].id.value(), (*begun)[1].id.value()) << "in the order given";
  EXPECT_TRUE(claim().empty()) << "nobody else gets them";
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::processing)], 3);
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::enqueued)], 0);
  ASSERT_TRUE(complete({.lease = begun->at(0).claimed->lease, .result = R"({"read":1})"}));
  EXPECT_FALSE(complete({.lease = begun->at(0).claimed->lease})) << "once only";
  EXPECT_EQ(get(begun->at(0).id).state, JobState::succeeded);
  const auto history = store_->queries().history(begun->at(0).id).value();
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].state, JobState::enqueued);
  EXPECT_EQ(history[1].state, JobState::processing);
  EXPECT_EQ(history[1].node, claimed.job.node);
  EXPECT_EQ(history[2].state, JobState::succeeded);
}

TEST_P(StoreConformance, a_job_started_at_once_goes_back_when_its_node_leaves) {
  join(*store_, "brief");
  NewJob given = job();
  given.exclusive_key.clear();
  given.unless_live = false;
  const auto begun = store_->jobs().start(std::span(&given, 1), "brief", now_).value();
  ASSERT_TRUE(begun.at(0).claimed);
  ASSERT_TRUE(store_->nodes().leave("brief", now_));
  EXPECT_EQ(get(begun.at(0).id).state, JobState::enqueued);
  EXPECT_EQ(get(begun.at(0).id).attempt, 0);
  EXPECT_FALSE(complete({.lease = begun.at(0).claimed->lease}));
  EXPECT_EQ(claim_one().job.id, begun.at(0).id);
}

TEST_P(StoreConformance, a_node_can_ask_what_it_still_holds) {
  join(*store_, "mine");
  const JobId first = add();
  const JobId second = add(job("Currency"));
  const auto claimed = store_->jobs().claim({.node = "mine", .limit = 2, .kinds = {"load"}}, now_).value();
  ASSERT_EQ(claimed.size(), 2u);
  const auto held = [&] {
    std::map<std::int64_t, std::int64_t> tokens;
    const auto leases = store_->nodes().leases("mine").value();
    for (const Lease& lease : leases) tokens.emplace(lease.job.value(), lease.token);
    return tokens;
  };
  EXPECT_EQ(held(), (std::map<std::int64_t, std::int64_t>{{first.value(), claimed[0].lease.token},
                                                          {second.value(), claimed[1].lease.token}}));
  EXPECT_TRUE(store_->nodes().leases("other").value().empty());
  ASSERT_TRUE(complete({.lease = claimed[0].lease}));
  EXPECT_EQ(held().size(), 1u);
  ASSERT_TRUE(store_->nodes().leave("mine", now_));
  EXPECT_TRUE(held().empty());
}

TEST_P(StoreConformance, only_what_nothing_can_hold_back_may_start_at_once) {
  NewJob plain;
  plain.kind = "load";
  plain.args = R"({"a":1})";
  plain.queue = "mail";
  EXPECT_TRUE(may_start_at_once(plain));
  const auto with = [&](auto&& change) {
    NewJob other = plain;
    change(other);
    return other;
  };
  for (const NewJob& held :
       {with([](NewJob& one) { one.exclusive_key = "k"; }), with([](NewJob& one) { one.pinned_node = "n"; }),
        with([](NewJob& one) { one.recurring_id = "r"; }), with([&](NewJob& one) { one.run_at = now_; })}) {
    EXPECT_FALSE(may_start_at_once(held));
    EXPECT_EQ(store_->jobs().start(std::span(&held, 1), "node", now_).error().code, ErrorCode::internal);
  }
  EXPECT_EQ(store_->queries().list({}).value().size(), 0u);
}

}  // namespace
}  // namespace sluice::jobs
