#include "jobs/store/following.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {

Consequence consequence_of(JobState parent, Follows follows) {
  if (!is_final(parent)) return Consequence::waits;
  switch (follows) {
    case Follows::finished:
      return Consequence::runs;
    case Follows::succeeded:
      if (parent == JobState::succeeded) return Consequence::runs;
      return parent == JobState::failed ? Consequence::waits : Consequence::ends;
    case Follows::not_succeeded:
      return parent == JobState::succeeded ? Consequence::ends : Consequence::runs;
  }
  return Consequence::waits;
}

InsertedJob born(const NewJob& job, Timestamp now) {
  InsertedJob more;
  const Timestamp from = std::max(job.run_at.value_or(now), now + delay_of(job));
  more.run_at = std::max(from, now);
  more.state = *more.run_at > now ? JobState::scheduled : JobState::enqueued;
  return more;
}

Result<InsertedJob> born_after(const NewJob& job, const std::optional<ParentSeen>& parent, Timestamp now) {
  if (!parent) {
    return fail(ErrorCode::not_found,
                fmt::format("job {} cannot be followed: there is no such job (or it was forgotten); enqueue "
                            "without a parent, or name one that is there",
                            job.parent.value()),
                fmt::format("job {} {}", job.kind, job.subject));
  }
  InsertedJob more;
  more.run_at = std::max(job.run_at.value_or(now), now);
  switch (consequence_of(parent->state, job.follows)) {
    case Consequence::waits:
      more.state = JobState::awaiting;
      return more;
    case Consequence::ends:
      more.state = JobState::deleted;
      break;
    case Consequence::runs:
      more.run_at = std::max(*more.run_at, parent->finished_at.value_or(now) + delay_of(job));
      more.state = *more.run_at > now ? JobState::scheduled : JobState::enqueued;
      break;
  }
  more.reason = ended_text(job.parent, parent->state);
  return more;
}

std::string ended_text(JobId parent, JobState state) {
  return fmt::format("job {}, its parent, has ended: {}", parent.value(), to_string(state));
}

}  // namespace sluice::jobs
