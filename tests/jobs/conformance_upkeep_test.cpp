// Conformance: nodes and rescue, what the page asks, definitions, retention.
#include "jobs/store_conformance.h"

#include <algorithm>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

std::vector<std::int64_t> ids(const std::vector<Job>& jobs) {
  std::vector<std::int64_t> result;
  for (const Job& job : jobs) result.push_back(job.id.value());
  return result;
}
using Ids = std::vector<std::int64_t>;

std::int64_t count(Store& store, JobState state) {
  return store.queries().counts().value()[static_cast<std::size_t>(state)];
}

TEST_P(StoreConformance, nodes_say_what_they_have_handlers_for) {
  Node node;
  node.id = "a";
  node.started_at = now_;
  ASSERT_TRUE(store_->nodes().join(node));  // a program too old to tell
  node.id = "b";
  node.kinds = {"load", "mail \"x\""};
  node.started_at = now_ + std::chrono::seconds(1);
  ASSERT_TRUE(store_->nodes().join(node));
  node.id = "c";
  node.kinds = std::vector<std::string>();
  node.started_at = now_ + std::chrono::seconds(2);
  ASSERT_TRUE(store_->nodes().join(node));
  const auto nodes = store_->nodes().nodes().value();
  const auto kinds = [&](const std::string& id) { return std::ranges::find(nodes, id, &Node::id)->kinds; };
  EXPECT_EQ(kinds("a"), std::nullopt);
  EXPECT_EQ(kinds("b"), (std::vector<std::string>{"load", "mail \"x\""}));
  EXPECT_EQ(kinds("c"), std::vector<std::string>());
}

TEST_P(StoreConformance, nodes_join_and_leave) {
  const auto other = setting_->open();
  join(*other, "n2");
  add();
  claim_one();
  auto nodes = store_->nodes().nodes().value();
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].id, "n1");
  EXPECT_EQ(nodes[0].busy, 1);
  EXPECT_EQ(nodes[0].workers, 2);
  EXPECT_EQ(nodes[0].started_at, now_);
  EXPECT_EQ(nodes[1].busy, 0);
  ASSERT_TRUE(other->nodes().leave("n2", now_));
  EXPECT_EQ(store_->nodes().nodes().value().size(), 1u);
}

TEST_P(StoreConformance, a_leaving_node_gives_its_jobs_back_uncounted) {
  const JobId id = add();
  claim_one();
  ASSERT_TRUE(store_->nodes().leave("n1", now_));
  EXPECT_EQ(get(id).state, JobState::enqueued);
  EXPECT_EQ(get(id).attempt, 0);
  EXPECT_EQ(get(id).crashes, 0);
}

TEST_P(StoreConformance, a_live_node_is_not_robbed) {
  const auto other = setting_->open();
  join(*other, "n2");
  const JobId id = add();
  claim_one();
  EXPECT_TRUE(other->nodes().rescue_dead(now_ + 24h).value().empty());
  EXPECT_TRUE(store_->nodes().rescue_dead(now_ + 24h).value().empty());
  EXPECT_EQ(get(id).state, JobState::processing);
}

TEST_P(StoreConformance, a_dead_nodes_jobs_are_taken_back_at_once) {
  auto dying = setting_->open();
  join(*dying, "n2");
  const JobId id = add();
  NewJob pinned = job();
  pinned.pinned_node = "n2";
  const JobId waiting = add(pinned);
  const auto held = dying->jobs().claim({.node = "n2", .limit = 1, .kinds = {"load"}}, now_).value();
  ASSERT_EQ(held.size(), 1u);
  ASSERT_EQ(held[0].job.id, id);
  dying.reset();  // without leaving
  const auto rescued = store_->nodes().rescue_dead(now_).value();
  ASSERT_EQ(rescued.size(), 1u);
  EXPECT_EQ(rescued[0].job, id);
  EXPECT_EQ(rescued[0].subject, "Country");
  EXPECT_EQ(rescued[0].from_node, "n2");
  const Job found = get(id);
  EXPECT_EQ(found.state, JobState::enqueued);
  EXPECT_EQ(found.crashes, 1);
  EXPECT_EQ(found.attempt, 0);
  EXPECT_FALSE(complete({.lease = held[0].lease, .to = JobState::succeeded})) << "the dead may not speak";
  EXPECT_EQ(store_->nodes().nodes().value().size(), 1u);
  EXPECT_TRUE(store_->nodes().rescue_dead(now_).value().empty());
  const auto again = claim();
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].job.id, id);
  EXPECT_EQ(again[1].job.id, waiting) << "free of its pin";
}

TEST_P(StoreConformance, a_job_that_kills_its_process_is_failed_in_the_end) {
  const JobId id = add();
  for (int crash = 1; crash <= kMaxCrashes; ++crash) {
    auto dying = setting_->open();
    const std::string node = "d" + std::to_string(crash);
    join(*dying, node);
    ASSERT_EQ(dying->jobs().claim({.node = node, .limit = 1, .kinds = {"load"}}, now_).value().size(), 1u);
    dying.reset();
    const auto rescued = store_->nodes().rescue_dead(now_).value();
    ASSERT_EQ(rescued.size(), 1u);
    EXPECT_EQ(rescued[0].state, crash < kMaxCrashes ? JobState::enqueued : JobState::failed);
  }
  const Job found = get(id);
  EXPECT_EQ(found.state, JobState::failed);
  EXPECT_EQ(found.error->code, "worker_lost");
  EXPECT_EQ(found.crashes, kMaxCrashes);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, a_cancelled_job_of_a_dead_node_is_deleted) {
  auto dying = setting_->open();
  join(*dying, "n2");
  const JobId id = add();
  ASSERT_EQ(dying->jobs().claim({.node = "n2", .limit = 1, .kinds = {"load"}}, now_).value().size(), 1u);
  EXPECT_EQ(store_->jobs().cancel(id, "enough", now_).value(), Cancelled::requested);
  dying.reset();
  EXPECT_EQ(store_->nodes().rescue_dead(now_).value().at(0).state, JobState::deleted);
  EXPECT_EQ(get(id).reason, "enough");
}

TEST_P(StoreConformance, another_stores_writes_are_noticed) {
  const auto other = setting_->open();
  EXPECT_TRUE(other->nodes().changed_elsewhere());
  EXPECT_TRUE(store_->nodes().changed_elsewhere());
  EXPECT_FALSE(other->nodes().changed_elsewhere().value());
  add();
  EXPECT_TRUE(other->nodes().changed_elsewhere().value());
  EXPECT_FALSE(other->nodes().changed_elsewhere().value());
  EXPECT_FALSE(store_->nodes().changed_elsewhere().value()) << "its own writes are no news";
}

TEST_P(StoreConformance, lists_are_newest_first_filtered_and_paged) {
  for (int i = 0; i < 6; ++i) add(job(i % 2 ? "Country" : "Currency"));
  NewJob other = job("");
  other.kind = "undo";
  other.queue = "slow";
  add(other);
  const Claimed claimed = claim_one();
  EXPECT_EQ(claimed.job.id, JobId(1));
  const auto list = [&](JobFilter filter) { return ids(store_->queries().list(filter).value()); };
  EXPECT_EQ(list({}), (Ids{7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(list({.subject = "Currency"}), (Ids{5, 3, 1}));
  EXPECT_EQ(list({.states = {JobState::enqueued}, .subject = "Currency"}), (Ids{5, 3}));
  EXPECT_EQ(list({.states = {JobState::processing, JobState::enqueued}, .subject = "Currency"}),
            (Ids{5, 3, 1}));
  EXPECT_EQ(list({.states = {JobState::failed}}), Ids{});
  EXPECT_EQ(list({.kind = "undo"}), Ids{7});
  EXPECT_EQ(list({.queue = "slow"}), Ids{7});
  EXPECT_EQ(list({.queue = "default", .limit = 2}), (Ids{6, 5}));
  EXPECT_EQ(list({.kind = "load", .queue = "slow"}), Ids{});
  EXPECT_EQ(list({.subject = "Country", .kind = "load"}), (Ids{6, 4, 2}));
  EXPECT_EQ(list({.recurring_id = "load:Country"}), Ids{});
  EXPECT_EQ(list({.limit = 3}), (Ids{7, 6, 5}));
  EXPECT_EQ(list({.before = JobId(5), .limit = 3}), (Ids{4, 3, 2}));
  EXPECT_EQ(list({.subject = "Currency", .before = JobId(5), .limit = 1}), Ids{3});
}

TEST_P(StoreConformance, counts_follow_every_step) {
  const JobId a = add();
  add();
  EXPECT_EQ(count(*store_, JobState::enqueued), 2);
  const Claimed claimed = claim_one();
  EXPECT_EQ(count(*store_, JobState::enqueued), 1);
  EXPECT_EQ(count(*store_, JobState::processing), 1);
  EXPECT_TRUE(complete({.lease = claimed.lease, .to = JobState::failed, .error = JobError{"io", "x"}}));
  EXPECT_EQ(count(*store_, JobState::failed), 1);
  ASSERT_TRUE(store_->jobs().requeue(a, "again", now_));
  EXPECT_EQ(count(*store_, JobState::failed), 0);
  EXPECT_EQ(count(*store_, JobState::enqueued), 2);
  EXPECT_EQ(count(*store_, JobState::processing), 0);
}

TEST_P(StoreConformance, finished_jobs_are_counted_by_the_minute) {
  for (const JobState end : {JobState::succeeded, JobState::succeeded, JobState::failed}) {
    add();
    const Claimed claimed = claim_one();
    now_ += 2s;
    EXPECT_TRUE(complete({.lease = claimed.lease, .to = end}));
  }
  now_ += 1min;
  const Timestamp later = std::chrono::floor<std::chrono::minutes>(now_);
  store_->jobs().cancel(add(), "x", now_).value();
  const auto minutes = store_->queries().minutes(now_ - 1h).value();
  ASSERT_EQ(minutes.size(), 3u);
  EXPECT_EQ(minutes[0].minute, later - 1min);
  EXPECT_EQ(minutes[0].state, JobState::succeeded);
  EXPECT_EQ(minutes[0].jobs, 2);
  EXPECT_EQ(minutes[0].duration_ms, 4000);
  EXPECT_EQ(minutes[1].state, JobState::failed);
  EXPECT_EQ(minutes[2].minute, later);
  EXPECT_EQ(minutes[2].state, JobState::deleted);
  EXPECT_EQ(store_->queries().minutes(later).value().size(), 1u);
}

TEST_P(StoreConformance, definitions_are_kept_as_last_accepted) {
  std::vector<StoredDefinition> given = {{.kind = "loader",
                                          .name = "Country",
                                          .path = "a.yaml",
                                          .text = "v1",
                                          .hash = "h1",
                                          .accepted_at = now_},
                                         {.kind = "entity",
                                          .name = "Country",
                                          .path = "b.yaml",
                                          .text = "e1",
                                          .hash = "h2",
                                          .accepted_at = now_}};
  ASSERT_TRUE(store_->definitions().save(given));
  ASSERT_TRUE(store_->definitions().set_error("loader", "Country", "a.yaml:3:1: error: no key"));
  auto kept = store_->definitions().load().value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].kind, "entity");
  EXPECT_EQ(kept[1].text, "v1");
  EXPECT_EQ(kept[1].path, "a.yaml");
  EXPECT_EQ(kept[1].hash, "h1");
  EXPECT_EQ(kept[1].accepted_at, now_);
  EXPECT_EQ(kept[1].error, "a.yaml:3:1: error: no key");
  given[0].text = "v2";
  ASSERT_TRUE(store_->definitions().save(std::span(given).first(1)));
  kept = store_->definitions().load().value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].text, "v2");
  EXPECT_EQ(kept[1].error, "");
  ASSERT_TRUE(store_->definitions().remove("entity", "Country"));
  EXPECT_EQ(store_->definitions().load().value().size(), 1u);
}

TEST_P(StoreConformance, retention_forgets_by_state_and_keeps_the_newest_success) {
  const auto finish = [&](JobState end) {
    const JobId id = add();
    EXPECT_TRUE(complete({.lease = claim_one().lease, .to = end}));
    return id;
  };
  const JobId old_success = finish(JobState::succeeded);
  const JobId newest_success = finish(JobState::succeeded);
  const JobId failure = finish(JobState::failed);
  const JobId held = finish(JobState::held);
  const JobId live = add();
  const Retention retention{
      .succeeded = 1h, .skipped = 1h, .deleted = 1h, .failed = 5h, .keep_per_subject = 1, .minutes = 2h};
  EXPECT_EQ(store_->upkeep().trim(retention, 100, now_ + 30min).value(), 0);
  EXPECT_EQ(store_->upkeep().trim(retention, 100, now_ + 2h).value(), 1);
  EXPECT_FALSE(store_->queries().get(old_success).value());
  EXPECT_TRUE(store_->queries().history(old_success).value().empty());
  EXPECT_TRUE(store_->queries().get(newest_success).value());
  EXPECT_EQ(store_->upkeep().trim(retention, 100, now_ + 6h).value(), 1);
  EXPECT_FALSE(store_->queries().get(failure).value());
  EXPECT_TRUE(store_->queries().get(held).value());
  EXPECT_TRUE(store_->queries().get(live).value());
  EXPECT_EQ(count(*store_, JobState::succeeded), 1);
  EXPECT_EQ(count(*store_, JobState::failed), 0);
  EXPECT_TRUE(store_->queries().minutes(Timestamp{}).value().empty());
}

TEST_P(StoreConformance, retention_goes_batch_by_batch) {
  for (int i = 0; i < 5; ++i) store_->jobs().cancel(add(), "x", now_).value();
  const Retention retention{.deleted = 1h};
  EXPECT_EQ(store_->upkeep().trim(retention, 3, now_ + 2h).value(), 3);
  EXPECT_EQ(store_->upkeep().trim(retention, 3, now_ + 2h).value(), 2);
  EXPECT_EQ(store_->upkeep().trim(retention, 3, now_ + 2h).value(), 0);
}

}  // namespace
}  // namespace sluice::jobs
