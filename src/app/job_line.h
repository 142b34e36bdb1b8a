// A job in one line, for lists: number, time, loader, state, duration, and what came of it.
#pragma once

#include "app/command.h"
#include "base/clock.h"
#include "jobs/job.h"
#include "jobs/store.h"

namespace sluice::app {

// On standard output; with --json the object that the API gives (DESIGN, section 3).
void print_job(const jobs::Job& job, Timestamp now, const GlobalOptions& globals);

// All that pass the filter, up to its limit, and whether there was any; that there are more is said on the
// error stream. No store is one without jobs.
Result<bool> print_jobs(jobs::Store* store, jobs::JobFilter filter, const GlobalOptions& globals);

}  // namespace sluice::app
