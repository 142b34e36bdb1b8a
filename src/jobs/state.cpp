#include "jobs/state.h"

namespace sluice::jobs {
namespace {

constexpr std::uint16_t bit(JobState state) {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(state));
}

struct StateRow {
  JobState state;
  std::string_view name;
  bool initial;        // a new job may have it
  bool final;          // ends the job
  std::uint16_t next;  // the states that may follow
};

using enum JobState;

// The one table. docs/job-states.md draws it; tests/jobs/state_test.cpp walks every pair of it.
constexpr std::array<StateRow, kJobStateCount> kTable = {{
    {scheduled, "scheduled", true, false, bit(enqueued) | bit(deleted)},
    {enqueued, "enqueued", true, false, bit(processing) | bit(scheduled) | bit(deleted)},
    {processing, "processing", false, false,
     bit(succeeded) | bit(failed) | bit(held) | bit(deleted) | bit(scheduled) | bit(enqueued)},
    {awaiting, "awaiting", true, false,
     bit(enqueued) | bit(scheduled) | bit(deleted) | bit(succeeded) | bit(failed)},
    {held, "held", false, false, bit(enqueued) | bit(scheduled) | bit(deleted)},
    {succeeded, "succeeded", false, true, 0},
    {failed, "failed", false, true, bit(enqueued) | bit(scheduled) | bit(deleted) | bit(awaiting)},
    {deleted, "deleted", true, true, bit(enqueued) | bit(scheduled) | bit(awaiting)},
    {skipped, "skipped", true, true, 0},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].state) != i || kJobStates[i] != kTable[i].state) return false;
  }
  return true;
}
static_assert(in_order(), "rows stand at the index of their state");

// A number that a damaged store or a newer program has written: nothing may follow it, and it is no new
// job's.
constexpr StateRow kUnknown{succeeded, "unknown", false, true, 0};

constexpr const StateRow& row(JobState state) {
  const auto number = static_cast<std::size_t>(state);
  return number < kTable.size() ? kTable[number] : kUnknown;
}

}  // namespace

std::string_view to_string(JobState state) { return row(state).name; }

std::optional<JobState> parse_job_state(std::string_view name) {
  for (const StateRow& candidate : kTable) {
    if (candidate.name == name) return candidate.state;
  }
  return {};
}

bool transition_allowed(JobState from, JobState to) {
  return static_cast<std::size_t>(to) < kTable.size() && (row(from).next & bit(to)) != 0;
}
bool initial_allowed(JobState state) { return row(state).initial; }
// The states that only a person, the clock or a parent takes on to the queue.
bool requeue_allowed(JobState state) { return state != processing && transition_allowed(state, enqueued); }
bool is_final(JobState state) { return row(state).final; }
bool is_at_rest(JobState state) { return is_final(state) || state == held; }

}  // namespace sluice::jobs
