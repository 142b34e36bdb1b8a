// sluice history: the runs of a loader, or of all, newest first.
#include "api/live_json.h"
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_target.h"
#include "app/loaders.h"
#include "app/receipt_table.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/receipt.h"
#include "service/job_store.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <vector>

namespace sluice::app {
namespace {

struct HistoryOptions {
  std::string name;
  int limit = 20;
};

std::string counts_text(const jobs::Job& job) {
  const auto receipt = receipt_from_json(job.result);
  if (job.result.empty() || !receipt) return job.error ? job.error->message : job.reason;
  if (receipt->error) return receipt->error->message;
  if (receipt->not_modified > 0 && receipt->read == 0) return "not modified";
  return fmt::format("read {} +{} ~{} -{} ={}", group_digits(receipt->read), group_digits(receipt->inserted),
                     group_digits(receipt->updated), group_digits(receipt->deleted),
                     group_digits(receipt->unchanged));
}

void print_job(const jobs::Job& job, Timestamp now, const GlobalOptions& globals) {
  if (globals.json) {
    out("{}\n", api::dump(api::job_json(job, now)));
    return;
  }
  const auto when = job.started_at ? *job.started_at : job.created_at;
  out("{:>8}  {}  {:<16} {:<10} {:>9}  {}\n", job.id.value(),
      format_utc(std::chrono::floor<std::chrono::seconds>(when)), job.subject, jobs::to_string(job.state),
      job.duration_ms ? duration_text(*job.duration_ms) : "", counts_text(job));
}

// No run is known of this name: a loader that is still to run for the first time, or a slip of the pen.
int no_runs_of(const std::string& name, const GlobalOptions& globals) {
  const auto definitions = read_definitions(globals);
  if (!definitions) return report(definitions.error(), globals);
  const bool valid = (*definitions)->catalog->find(name) != nullptr;
  const auto refusal = valid ? Refusal{} : why_not(**definitions, name);
  // A definition that is there but not valid is for `check` to complain about.
  if (!valid && refusal.problems.empty()) return report(refusal, globals);
  if (!globals.quiet) err("No runs yet of {}\n", name);
  return 0;
}

int run_history(const HistoryOptions& options, const GlobalOptions& globals) {
  std::vector<jobs::Job> found;
  const auto store = open_jobs(globals);
  if (!store) return report(store.error(), globals);
  if (*store) {
    jobs::JobFilter filter;
    filter.kind = service::kLoadKind;
    filter.subject = options.name;
    filter.limit = options.limit;
    auto listed = (*store)->queries().list(filter);
    if (!listed) return report(listed.error(), globals);
    found = std::move(*listed);
  }
  if (found.empty() && !options.name.empty()) return no_runs_of(options.name, globals);
  if (found.empty() && !globals.quiet)
    err("No runs yet in {}\n", service::describe_job_store(globals.database, globals.data));
  const auto now = SystemClock().now();
  for (const auto& job : found) print_job(job, now, globals);
  return 0;
}

}  // namespace

void add_history(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<HistoryOptions>();
  auto* command = app.add_subcommand("history", "Past runs, newest first");
  command->add_option("name", options->name, "Only this loader")->type_name("");
  command->add_option("--limit", options->limit, "Most runs to print, at most 1000")
      ->type_name("N")
      ->capture_default_str()
      ->check(whole_number(1, 1000));
  command->footer("Example:\n  sluice history Country --limit 5");
  command->callback([options, &globals, &action] {
    action = [options, &globals] { return run_history(*options, globals); };
  });
}

}  // namespace sluice::app
