#include "app/wait_for_run.h"

#include "app/loaders.h"
#include "app/progress_bar.h"
#include "base/text.h"
#include "service/loader_schedule.h"

#include <utility>
#include <variant>

namespace sluice::app {
namespace {

// What is known of a job that ended without a receipt: cancelled before it began, or failed before the load.
Receipt receipt_without_run(const jobs::Job& job) {
  Receipt receipt;
  receipt.loader = job.subject;
  receipt.job = job.id.value();
  receipt.attempt = job.attempt;
  receipt.state = jobs::to_string(job.state);
  receipt.started_at = job.created_at;
  if (job.error) {
    receipt.error =
        Error{.code = ErrorCode::internal, .where = {}, .message = job.error->message, .retry_after = {}};
    for (const auto code : {ErrorCode::unreachable, ErrorCode::not_found, ErrorCode::invalid_definition,
                            ErrorCode::locked, ErrorCode::forbidden, ErrorCode::unsupported}) {
      if (to_string(code) == job.error->code) receipt.error->code = code;
    }
  }
  return receipt;
}

// Two runs of a loader never go on at once; without a word the wait would look like a hang.
void tell_whom_it_waits_for(service::Service& service, JobId id, const std::string& name) {
  jobs::JobFilter filter;
  filter.subject = name;
  if (service.definitions()->catalog->find(name) != nullptr) filter.kind = service::kLoadKind;
  filter.states = {jobs::JobState::processing};
  const auto running = service.store().queries().list(filter);
  if (!running) return;  // the run itself will tell
  for (const auto& other : *running) {
    if (other.id == id) continue;
    err("{}: waits for job {}, which runs it now\n", printable(name), other.id.value());
    return;
  }
}

}  // namespace

Result<std::unique_ptr<service::Service>> start_for_one_command(const GlobalOptions& globals, Clock& clock) {
  auto options = service_options(globals);
  options.workers = 1;
  SLUICE_TRY(auto service, service::Service::open(std::move(options), clock));
  SLUICE_CHECK(service->start());
  return service;
}

Result<jobs::Job> wait_for_job(service::Service& service, JobId job, const std::string& name,
                               const GlobalOptions& globals, std::stop_token stop) {
  if (!globals.quiet) tell_whom_it_waits_for(service, job, name);
  ProgressBar bar(name, !globals.quiet && !globals.json);
  const auto subscription = service.engine().subscribe([&](const jobs::Change& change) {
    const auto* progress = std::get_if<jobs::ProgressChanged>(&change);
    if (progress != nullptr && progress->job == job) bar.show(progress->progress);
  });
  auto waited = service.engine().wait(job, stop);
  if (!waited && stop.stop_requested()) {
    // Ctrl-C: the job is cancelled for good, it must not come back with the next service.
    SLUICE_TRY(const auto cancelled, service.engine().cancel(job, "interrupted"));
    static_cast<void>(cancelled);
    waited = service.engine().wait(job);
  }
  return waited;
}

Result<Receipt> receipt_of(const jobs::Job& job) {
  if (job.result.empty()) return receipt_without_run(job);
  SLUICE_TRY(auto receipt, receipt_from_json(job.result));
  receipt.state = jobs::to_string(job.state);
  return receipt;
}

Result<Receipt> wait_for_run(service::Service& service, JobId job, const std::string& loader,
                             const GlobalOptions& globals, std::stop_token stop) {
  SLUICE_TRY(const auto rested, wait_for_job(service, job, loader, globals, std::move(stop)));
  return receipt_of(rested);
}

}  // namespace sluice::app
