// Why a job waits although workers are free: nobody who is alive knows its kind.
#pragma once

#include "jobs/job.h"
#include "jobs/store.h"

#include <span>
#include <string>

namespace sluice::jobs {

// A sentence for people about a job that waits for a worker, a time or a retry, and that none of the live
// nodes has a handler for; it says what they have instead. Empty where there is nothing to say: another
// state, a node that can run it, or one whose program is too old to tell.
std::string nobody_runs(const Job& job, std::span<const Node> nodes);

}  // namespace sluice::jobs
