// What the page asks of many jobs at once.
#include "jobs/store_conformance.h"

#include <gmock/gmock.h>

#include <array>

namespace sluice::jobs {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> ids_of(const std::vector<RecentJob>& jobs) {
  std::vector<std::int64_t> ids;
  for (const auto& job : jobs) ids.push_back(job.id.value());
  return ids;
}

TEST_P(StoreConformance, recent_gives_the_newest_of_each_subject) {
  const auto ended = [&](const std::string& subject, JobState state, const std::string& result = "{}") {
    const JobId id = add(job(subject));
    Completion completion{.lease = claim_one().lease, .to = state, .result = result};
    if (state == JobState::failed) completion.error = JobError{"io", "no"};
    EXPECT_TRUE(complete(std::move(completion)));
    return id;
  };
  const auto filter = [&](std::vector<std::string> subjects, int per_subject) {
    return RecentFilter{.kind = job().kind,
                        .subjects = std::move(subjects),
                        .states = {JobState::succeeded, JobState::failed, JobState::held},
                        .per_subject = per_subject};
  };
  const auto recent = [&](const RecentFilter& wanted) {
    std::vector<RecentJob> found;
    EXPECT_TRUE(store_->queries().recent(wanted, [&](const RecentJob& job) { found.push_back(job); }));
    return found;
  };
  const JobId a1 = ended("A", JobState::succeeded, R"({"n":1})");
  const JobId b1 = ended("B", JobState::failed);
  const JobId a2 = ended("A", JobState::failed, R"({"n":2})");
  const JobId a3 = ended("A", JobState::succeeded, R"({"n":3})");
  ended("C", JobState::succeeded);
  add(job("A"));  // has not ended
  const auto found = recent(filter({"B", "Nobody", "A", "it's \"odd\""}, 2));
  EXPECT_THAT(ids_of(found), ElementsAre(b1.value(), a3.value(), a2.value()));
  EXPECT_EQ(found[0].subject, "B");
  EXPECT_EQ(found[0].state, JobState::failed);
  EXPECT_EQ(found[1].result, R"({"n":3})");
  EXPECT_EQ(found[1].finished_at, now_);
  EXPECT_EQ(found[1].duration_ms, 0);
  auto lean = filter({"A"}, 100);
  lean.with_result = false;
  const auto all = recent(lean);
  EXPECT_THAT(ids_of(all), ElementsAre(a3.value(), a2.value(), a1.value()));
  EXPECT_EQ(all[0].result, "");
  EXPECT_TRUE(recent(filter({}, 2)).empty());
  auto other_kind = filter({"A"}, 2);
  other_kind.kind = "plan";
  EXPECT_TRUE(recent(other_kind).empty());
}

TEST_P(StoreConformance, recent_tells_what_runs_from_what_waits) {
  const JobId runs = add(job("A"));
  claim_one();
  const JobId waits = add(job("A"));
  const auto recent = [&](std::vector<JobState> states) {
    std::vector<std::pair<std::int64_t, JobState>> found;
    EXPECT_TRUE(store_->queries().recent(
        {.kind = job().kind, .subjects = {"A"}, .states = std::move(states), .per_subject = 5},
        [&](const RecentJob& one) { found.emplace_back(one.id.value(), one.state); }));
    return found;
  };
  const std::pair running(runs.value(), JobState::processing), waiting(waits.value(), JobState::enqueued);
  EXPECT_THAT(recent({JobState::processing}), ElementsAre(running));
  EXPECT_THAT(recent({JobState::enqueued}), ElementsAre(waiting));
  EXPECT_THAT(recent({JobState::enqueued, JobState::processing}), ElementsAre(waiting, running));
}

TEST_P(StoreConformance, the_amounts_of_a_minute_add_up) {
  for (const std::int64_t amount : {5, 7}) {
    add();
    ASSERT_TRUE(complete({.lease = claim_one().lease, .to = JobState::succeeded, .amount = amount}));
  }
  const auto minutes = store_->queries().minutes(now_ - std::chrono::hours(1)).value();
  ASSERT_EQ(minutes.size(), 1u);
  EXPECT_EQ(minutes[0].jobs, 2);
  EXPECT_EQ(minutes[0].amount, 12);
}

TEST_P(StoreConformance, the_oldest_can_come_first) {
  const JobId first = add(job("A"));
  const JobId second = add(job("B"));
  add(job("C"));
  JobFilter filter{.states = {JobState::enqueued}, .oldest_first = true, .limit = 2};
  const auto found = store_->queries().list(filter).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, first);
  EXPECT_EQ(found[1].id, second);
}

TEST_P(StoreConformance, get_all_gives_those_that_are_there) {
  const JobId first = add(job("A"));
  const JobId second = add(job("B"));
  const std::array ids = {second, JobId(999), first};
  const auto found = store_->queries().get_all(ids).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, first);
  EXPECT_EQ(found[1].subject, "B");
  EXPECT_TRUE(store_->queries().get_all({}).value().empty());
}

}  // namespace
}  // namespace sluice::jobs
