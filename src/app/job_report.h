// What a job left behind besides its receipt, for `sluice show`: its log and the first of its rejects.
#pragma once

#include "api/live_json.h"
#include "app/command.h"
#include "history/query.h"
#include "jobs/store.h"

#include <string>
#include <vector>

namespace sluice::app {

struct JobRecords {
  std::vector<jobs::LogLine> log;
  std::vector<history::KeptReject> rejects;
  bool more_rejects = false;
};

// The log from the job store, the rejects from the database that the job's loader writes to (as the
// definitions say now; --database beats them). A target that is not there yet has none.
Result<JobRecords> job_records(jobs::Store& store, const jobs::Job& job, int most_rejects,
                               const GlobalOptions& globals);

// Several lines for a terminal: nothing that a source sent can command it.
std::string records_text(const JobRecords& records, const jobs::Job& job);
// Its place and reason, and below it the beginning of the record.
std::string reject_text(const history::KeptReject& reject);
// Adds "log" and "rejects", in the shapes of GET jobs/{id}/log and …/rejects.
void add_records(api::Json& json, const JobRecords& records);

}  // namespace sluice::app
