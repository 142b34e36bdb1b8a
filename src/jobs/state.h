// The states of a job. Numbers and names are fixed: the store, the API and the page hold them. The one
// table of legal changes is in state.cpp and drawn in docs/job-states.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::jobs {

enum class JobState : std::uint8_t {
  scheduled = 0,   // runs later; waiting for a retry = scheduled with attempt > 0 and an error
  enqueued = 1,    // runs as soon as a worker is free
  processing = 2,  // a worker of a live node holds it
  awaiting = 3,    // waits for its parent to come to its end
  held = 4,        // a guard stopped it; rests until approved or deleted
  succeeded = 5,
  failed = 6,
  deleted = 7,  // cancelled or removed; the reason says why
  skipped = 8,  // its tick came while an earlier job of the same key was not done; names that job
};

inline constexpr std::size_t kJobStateCount = 9;
inline constexpr std::array<JobState, kJobStateCount> kJobStates = {
    JobState::scheduled, JobState::enqueued, JobState::processing, JobState::awaiting, JobState::held,
    JobState::succeeded, JobState::failed,   JobState::deleted,    JobState::skipped};

std::string_view to_string(JobState state);
std::optional<JobState> parse_job_state(std::string_view name);

// Whether a job may go from one state to the other. A state never follows itself.
bool transition_allowed(JobState from, JobState to);
// The states a new job may have.
bool initial_allowed(JobState state);
// scheduled, awaiting, held, failed, deleted: what somebody may ask to run now.
bool requeue_allowed(JobState state);
// succeeded, failed, deleted, skipped: nothing happens any more unless somebody asks for it.
bool is_final(JobState state);
// Final or held: what Engine::wait waits for.
bool is_at_rest(JobState state);

}  // namespace sluice::jobs
