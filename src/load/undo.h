// Taking one run back: what its change log says was written is written back, under a job of its own with its
// own receipt and change log, so that an undo can be taken back as well. Safe to repeat, like a run.
//
// Refused (error conflict, nothing written): a row that a later run, or a hand, has changed since; a run
// whose changes are not all in the log; replacements, and what was added without a key, of which no log could
// tell rows. What the run did to the table's columns stays.
#pragma once

#include "load/run.h"

#include <stop_token>

namespace sluice::load {

// `of`: the job of the run, of the same job store as the request's own job. Afterwards the sources count as
// not seen: the next run of the loader compares everything, and would load again what was taken back.
Receipt undo(const Request& request, JobId of, Environment& environment, Observer& observer,
             std::stop_token stop);

}  // namespace sluice::load
