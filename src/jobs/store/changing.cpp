#include "jobs/store/changing.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

std::unexpected<Error> refuse(JobId id, JobState found, std::string_view why) {
  return fail(ErrorCode::conflict, fmt::format("job {} is {}; {}", id.value(), to_string(found), why));
}

}  // namespace

std::unexpected<Error> no_such_job(JobId id) {
  return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
}

StateRequest settled(StateRequest request, Timestamp now) {
  if (request.to == JobState::scheduled && (!request.run_at || *request.run_at <= now))
    request.to = JobState::enqueued;
  return request;
}

Result<void> may_change(JobId id, JobState found, std::string_view kind, const StateRequest& request) {
  if (request.expected && *request.expected != found) {
    return refuse(id, found,
                  fmt::format("nothing was changed, since it was to be {}", to_string(*request.expected)));
  }
  if (kind == kBatchKind)
    return refuse(id, found, "it stands for a batch, which goes as its jobs go: cancel the batch, or them");
  switch (request.to) {
    case JobState::enqueued:
      // With a time that has come, one that is queued may stay so.
      if (requeue_allowed(found) || (found == JobState::enqueued && request.run_at)) return {};
      return refuse(id, found, "only a scheduled, awaiting, held, failed or deleted job can be run now");
    case JobState::scheduled:
      if (found == JobState::scheduled || found == JobState::enqueued || requeue_allowed(found)) return {};
      return refuse(id, found,
                    "only a scheduled, enqueued, awaiting, held, failed or deleted job can be put off");
    case JobState::deleted:
      if (found == JobState::processing || transition_allowed(found, JobState::deleted)) return {};
      return refuse(id, found, "it has ended already");
    default:
      return fail(ErrorCode::invalid_argument,
                  fmt::format("nobody can ask for a job to be {}; enqueued, scheduled or deleted it can be",
                              to_string(request.to)));
  }
}

bool counts_anew(JobState found) { return is_at_rest(found) || found == JobState::awaiting; }

bool is_refusal(const Error& error) { return error.code == ErrorCode::conflict; }

}  // namespace sluice::jobs
