// Filters: code around every job, or every job of a kind. What several handlers would each do for themselves
// (who is signed in, how long it took, which errors wait for an hour) is written once.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/context.h"
#include "jobs/job.h"
#include "jobs/state.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace sluice::jobs {

// How an attempt is about to end, open to change. What the store decides is not: a lost lease, a request to
// cancel, a retired recurring job.
struct Election {
  JobState to = JobState::succeeded;  // succeeded, failed, scheduled, held or deleted
  std::optional<Timestamp> run_at;    // scheduled: not before; none = now
  std::string reason;                 // for the history; kept with held and deleted
  std::optional<JobError> error;      // kept with failed and scheduled
  std::string result;                 // JSON; empty keeps what is there
};

// Every member does nothing unless overridden. Members are called on the thread that enqueues or runs the
// job, several at once; applied() on the engine's thread that writes ends, which all jobs of the node wait
// for: it must be quick. What they throw is an error of theirs (internal) and goes no further.
//
// In which order: filters of all kinds before those of one kind, each group as added. perform() nests so that
// the first one added is the outermost.
class Filter {
 public:
  virtual ~Filter() = default;

  // Before a job is written: it may be changed. An error refuses it, and all that is enqueued in one call
  // with it. Ticks of recurring jobs are made inside the store and do not pass here.
  virtual Result<void> enqueuing(NewJob& job);
  // After the commit.
  virtual void enqueued(const NewJob& job, const Enqueued& made);

  // Around the handler: calls next() once, or not at all and ends the attempt by itself. A handler that
  // throws has given an error here (internal).
  using Next = std::function<Result<JobOutcome>()>;
  virtual Result<JobOutcome> perform(JobContext& context, std::stop_token stop, const Next& next);

  // When the attempt is over and its end not yet written. Not for one that shut-down stopped: its job goes
  // back as if it had not been claimed. A choice the state machine has no arrow for is dropped, with a line
  // in the job's log.
  virtual void elect(const Job& job, Election& election);
  // After the commit of that end, with the state the job has now.
  virtual void applied(const Job& job, JobState state);
};

}  // namespace sluice::jobs
