#include "jobs/who_runs.h"

#include "jobs/engine_fixture.h"

#include <gmock/gmock.h>

namespace sluice::jobs {
namespace {

using testing::HasSubstr;

Job waiting(std::string kind, JobState state = JobState::enqueued) {
  Job job;
  job.kind = std::move(kind);
  job.state = state;
  return job;
}
Node with(std::optional<std::vector<std::string>> kinds) {
  Node node;
  node.id = "n";
  node.kinds = std::move(kinds);
  return node;
}

TEST(NobodyRuns, is_silent_where_somebody_can) {
  const std::vector<Node> nodes = {with({{"load"}}), with({{"mail"}})};
  EXPECT_EQ(nobody_runs(waiting("mail"), nodes), "");
  EXPECT_EQ(nobody_runs(waiting("other", JobState::processing), nodes), "");
  EXPECT_EQ(nobody_runs(waiting("other", JobState::failed), nodes), "");
  Job pinned = waiting("other");
  pinned.pinned_node = "n";
  EXPECT_EQ(nobody_runs(pinned, nodes), "");
}

TEST(NobodyRuns, is_silent_where_a_node_is_too_old_to_tell) {
  EXPECT_EQ(nobody_runs(waiting("mail"), std::vector{with({{"load"}}), with({})}), "");
}

TEST(NobodyRuns, says_what_is_there_instead) {
  EXPECT_EQ(
      nobody_runs(waiting("mail"), std::vector{with({{"load", "plan"}}), with({{"load"}})}),
      "no live node has a handler for jobs of kind \"mail\"; they have load, plan; it waits until one has");
  EXPECT_THAT(nobody_runs(waiting("mail", JobState::scheduled), {}), HasSubstr("no node is up"));
  EXPECT_THAT(nobody_runs(waiting("mail"), std::vector{with(std::vector<std::string>())}),
              HasSubstr("they run no jobs of others"));
  EXPECT_THAT(nobody_runs(waiting("pay@4"), std::vector{with({{"pay", "pay@2"}})}),
              HasSubstr("other versions of it; start the newer program"));
}

class NodeKinds : public EngineTest {};

TEST_F(NodeKinds, an_engine_says_what_it_has_handlers_for) {
  const auto engine = make();
  engine->register_handler("mail", succeeds());
  engine->register_handler("load", succeeds());
  start(*engine);
  EXPECT_EQ(store_->nodes().nodes().value().at(0).kinds, (std::vector<std::string>{"load", "mail"}));
}

TEST_F(NodeKinds, one_that_runs_its_own_only_has_none_for_others) {
  const auto engine = make({.only_pinned = true});
  engine->register_handler("load", succeeds());
  start(*engine);
  EXPECT_EQ(store_->nodes().nodes().value().at(0).kinds, std::vector<std::string>());
}

}  // namespace
}  // namespace sluice::jobs
