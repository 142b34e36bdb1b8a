#include "jobs/state.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sluice::jobs {
namespace {

using enum JobState;

// Written out by hand, apart from the code's own table: docs/job-states.md draws the same arrows.
const std::map<JobState, std::set<JobState>> kArrows = {
    {scheduled, {enqueued, deleted}},
    {enqueued, {processing, scheduled, deleted}},
    {processing, {succeeded, failed, held, deleted, scheduled, enqueued}},
    {awaiting, {enqueued, scheduled, deleted, succeeded, failed}},
    {held, {enqueued, scheduled, deleted}},
    {succeeded, {}},
    {failed, {enqueued, scheduled, deleted, awaiting}},
    {deleted, {enqueued, scheduled, awaiting}},
    {skipped, {}},
};

TEST(JobStates, every_pair_of_states_is_as_drawn) {
  int allowed = 0;
  for (const JobState from : kJobStates) {
    for (const JobState to : kJobStates) {
      EXPECT_EQ(transition_allowed(from, to), kArrows.at(from).contains(to))
          << to_string(from) << " -> " << to_string(to);
      allowed += transition_allowed(from, to);
    }
  }
  EXPECT_EQ(allowed, 26);
}

TEST(JobStates, numbers_and_names_are_fixed) {
  const std::vector<std::string> names = {"scheduled", "enqueued", "processing", "awaiting", "held",
                                          "succeeded", "failed",   "deleted",    "skipped"};
  for (std::size_t i = 0; i < kJobStateCount; ++i) {
    EXPECT_EQ(to_string(static_cast<JobState>(i)), names[i]);
    EXPECT_EQ(parse_job_state(names[i]), static_cast<JobState>(i));
  }
  EXPECT_FALSE(parse_job_state("Succeeded"));
  EXPECT_FALSE(parse_job_state(""));
}

TEST(JobStates, final_and_initial_states_are_as_drawn) {
  const std::set<JobState> finals = {succeeded, failed, deleted, skipped};
  const std::set<JobState> by_hand = {scheduled, awaiting, held, failed, deleted};
  const std::set<JobState> initials = {scheduled, enqueued, awaiting, deleted, skipped};
  for (const JobState state : kJobStates) {
    EXPECT_EQ(is_final(state), finals.contains(state)) << to_string(state);
    EXPECT_EQ(initial_allowed(state), initials.contains(state)) << to_string(state);
    EXPECT_EQ(requeue_allowed(state), by_hand.contains(state)) << to_string(state);
    EXPECT_EQ(is_at_rest(state), finals.contains(state) || state == held) << to_string(state);
  }
}

}  // namespace
}  // namespace sluice::jobs
