// Where the runs of a job, or of a loader, left their record: the database that the loader writes to.
#pragma once

#include "app/command.h"
#include "base/id.h"
#include "jobs/job.h"
#include "jobs/store.h"
#include "sql/connection.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::app {

struct JobTarget {
  std::unique_ptr<sql::Connection> connection;  // reads only
  JobId run;                                    // under which the target recorded the job
};

// The job store of --data, or of a --database postgres://…; null when nothing was ever run there.
Result<std::unique_ptr<jobs::Store>> open_jobs(const GlobalOptions& globals);
// The job of this number; an error `not_found` that names the store when there is none.
Result<jobs::Job> find_job(jobs::Store* store, JobId id, const GlobalOptions& globals);
// "17" -> 17; none when the word is no number of a job.
std::optional<JobId> job_number(const std::string& word);

// The database of a loader as the definitions say now; --database beats them, and where there are no
// definitions it is the default one.
Result<std::string> database_of(const std::string& loader, const GlobalOptions& globals);
// Nothing when the target is not there yet, or knows nothing of this job.
Result<std::optional<JobTarget>> open_job_target(jobs::Store& store, const jobs::Job& job,
                                                 const GlobalOptions& globals);

}  // namespace sluice::app
