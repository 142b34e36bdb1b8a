// Waiting for a job that this command has started on its own process.
#pragma once

#include "app/command.h"
#include "base/clock.h"
#include "base/id.h"
#include "model/receipt.h"
#include "service/service.h"

#include <memory>
#include <stop_token>
#include <string>

namespace sluice::app {

// A service that runs the jobs of this command, one after the other, and nobody else's. `clock` outlives it.
Result<std::unique_ptr<service::Service>> start_for_one_command(const GlobalOptions& globals, Clock& clock);

// The receipt of the job, which is a run of the loader or the undo of one; shows its progress meanwhile. When
// stop is asked for, the job is cancelled for good.
Result<Receipt> wait_for_run(service::Service& service, JobId job, const std::string& loader,
                             const GlobalOptions& globals, std::stop_token stop);

// The same for a job of any kind: as it came to rest.
Result<jobs::Job> wait_for_job(service::Service& service, JobId job, const std::string& name,
                               const GlobalOptions& globals, std::stop_token stop);
Result<Receipt> receipt_of(const jobs::Job& job);

}  // namespace sluice::app
