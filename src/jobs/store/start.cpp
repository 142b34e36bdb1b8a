// Which jobs may be handed to an idle worker in the moment they are enqueued.
#include "jobs/store.h"

namespace sluice::jobs {

bool may_start_at_once(const NewJob& job) {
  // Named are the fields that only describe a job; with anything else set, whatever it is, the job goes the
  // usual way.
  NewJob plain;
  plain.kind = job.kind;
  plain.subject = job.subject;
  plain.name = job.name;
  plain.args = job.args;
  plain.queue = job.queue;
  plain.priority = job.priority;
  plain.origin = job.origin;
  plain.started_by = job.started_by;
  plain.retry = job.retry;
  return plain == job;
}

}  // namespace sluice::jobs
