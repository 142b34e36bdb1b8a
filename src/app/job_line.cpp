#include "app/job_line.h"

#include "api/live_json.h"
#include "app/receipt_table.h"
#include "app/task_report.h"
#include "base/text.h"
#include "model/receipt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace sluice::app {
namespace {

std::string counts_text(const jobs::Job& job) {
  // To be run again: what its last attempt said is history, but for what a retry waits after.
  if (job.state == jobs::JobState::enqueued || job.state == jobs::JobState::processing) return job.reason;
  if (const auto done = task_text(job); !done.empty() && !job.error) return done;
  const auto receipt = receipt_from_json(job.result);
  if (job.result.empty() || !receipt) return job.error ? job.error->message : job.reason;
  if (receipt->error) return receipt->error->message;
  if (receipt->not_modified > 0 && receipt->read == 0) return "not modified";
  return fmt::format("read {} +{} ~{} -{} ={}", group_digits(receipt->read), group_digits(receipt->inserted),
                     group_digits(receipt->updated), group_digits(receipt->deleted),
                     group_digits(receipt->unchanged));
}

}  // namespace

void print_job(const jobs::Job& job, Timestamp now, const GlobalOptions& globals) {
  if (globals.json) {
    out("{}\n", api::dump(api::job_json(job, now)));
    return;
  }
  const auto when = job.started_at ? *job.started_at : job.created_at;
  out("{:>8}  {}  {:<16} {:<10} {:>9}  {}\n", job.id.value(),
      format_utc(std::chrono::floor<std::chrono::seconds>(when)), printable(job.subject),
      jobs::to_string(job.state), job.duration_ms ? duration_text(*job.duration_ms) : "",
      printable(counts_text(job), 500));
}

Result<bool> print_jobs(jobs::Store* store, jobs::JobFilter filter, const GlobalOptions& globals) {
  if (store == nullptr) return false;
  SLUICE_TRY(const auto found, store->queries().list(filter));
  const auto now = SystemClock().now();
  for (const auto& job : found) print_job(job, now, globals);
  if (std::ssize(found) == filter.limit && !globals.quiet) {
    filter.before = found.back().id;
    filter.limit = 1;
    SLUICE_TRY(const auto older, store->queries().list(filter));
    if (!older.empty()) err("… and more: --limit N shows the newest N of them\n");
  }
  return !found.empty();
}

}  // namespace sluice::app
