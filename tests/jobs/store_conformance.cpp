#include "jobs/store_conformance.h"

namespace sluice::jobs {

using namespace std::chrono_literals;

void StoreConformance::SetUp() {
  setting_ = GetParam().make();
  store_ = setting_->open();
  join(*store_, "n1");
}

void StoreConformance::start_anew() {
  store_.reset();
  SetUp();
}

JobId StoreConformance::in_state(JobState state) {
  const auto ended = [&](Completion completion) {
    const JobId id = add();
    completion.lease = claim_one().lease;
    EXPECT_EQ(completion.lease.job, id);
    EXPECT_TRUE(complete(std::move(completion)));
    return id;
  };
  NewJob given = job();
  switch (state) {
    case JobState::enqueued:
      return add();
    case JobState::processing:
      add();
      return claim_one().job.id;
    case JobState::scheduled:
      return ended({.to = JobState::scheduled, .error = JobError{"timeout", "slow"}, .run_at = now_ + 1h});
    case JobState::awaiting:
      given.run_at = now_ + 24h;
      given.parent = add(given);
      return add(given);
    case JobState::held:
      return ended({.to = JobState::held, .reason = "too few"});
    case JobState::succeeded:
      return ended({.to = JobState::succeeded});
    case JobState::failed:
      return ended({.to = JobState::failed, .error = JobError{"io", "broken"}});
    case JobState::deleted: {
      const JobId id = add();
      store_->jobs().cancel(id, "not wanted", now_).value();
      return id;
    }
    case JobState::skipped: {
      upsert(recurring());
      now_ += 1h;
      given.exclusive_key = "Country";
      const JobId blocking = add(given);
      const auto fired = fire({{.fire_at = now_}});
      store_->jobs().cancel(blocking, "out of the way", now_).value();
      return fired.at(0).job;
    }
  }
  return {};
}

NewJob StoreConformance::job(std::string subject) const {
  NewJob job;
  job.kind = "load";
  job.subject = std::move(subject);
  return job;
}

JobId StoreConformance::add(NewJob job) {
  const auto made = store_->jobs().enqueue(std::span(&job, 1), now_);
  EXPECT_TRUE(made) << made.error().describe();
  return made->front().id;
}

std::vector<Claimed> StoreConformance::claim(int limit) {
  auto claimed =
      store_->jobs().claim({.node = "n1", .limit = limit, .kinds = {"load"}, .only_pinned = false}, now_);
  EXPECT_TRUE(claimed) << claimed.error().describe();
  return *std::move(claimed);
}

Claimed StoreConformance::claim_one() {
  auto claimed = claim(1);
  EXPECT_EQ(claimed.size(), 1u);
  return claimed.empty() ? Claimed{} : claimed.front();
}

std::optional<JobState> StoreConformance::ending(Completion completion) {
  const auto done = store_->jobs().complete(std::span(&completion, 1), now_);
  EXPECT_TRUE(done) << done.error().describe();
  return done->front();
}

Job StoreConformance::get(JobId id) {
  const auto found = store_->queries().get(id);
  EXPECT_TRUE(found) << found.error().describe();
  EXPECT_TRUE(found->has_value());
  return found->value_or(Job{});
}

RecurringSpec StoreConformance::recurring(std::string id) const {
  RecurringSpec spec;
  spec.id = std::move(id);
  spec.kind = "load";
  spec.subject = "Country";
  spec.phrase = "every hour";
  return spec;
}

std::vector<Fired> StoreConformance::fire(std::vector<Tick> ticks) {
  const auto fired = store_->recurring().fire_due(
      [&](const Recurring&) { return FirePlan{.ticks = ticks, .next_fire_at = now_ + 1h, .error = {}}; }, 100,
      now_);
  EXPECT_TRUE(fired) << fired.error().describe();
  return fired.value_or(std::vector<Fired>{});
}

void StoreConformance::upsert(RecurringSpec spec) {
  const auto done = store_->recurring().upsert(
      std::span(&spec, 1),
      [&](const Recurring&) { return FirePlan{.ticks = {}, .next_fire_at = now_ + 1h, .error = {}}; }, now_);
  ASSERT_TRUE(done) << done.error().describe();
}

void StoreConformance::join(Store& store, std::string id) {
  Node node;
  node.id = std::move(id);
  node.name = "host";
  node.workers = 2;
  node.started_at = now_;
  const auto joined = store.nodes().join(node);
  ASSERT_TRUE(joined) << joined.error().describe();
}

}  // namespace sluice::jobs
