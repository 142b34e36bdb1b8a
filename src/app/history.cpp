// sluice history: the runs of a loader, or of all, newest first.
#include "api/live_json.h"
#include "app/command.h"
#include "app/receipt_table.h"
#include "base/clock.h"
#include "base/text.h"
#include "jobs/sqlite_store.h"
#include "model/receipt.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

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

int run_history(const HistoryOptions& options, const GlobalOptions& globals) {
  std::error_code ignored;
  if (!std::filesystem::exists(globals.data / "jobs.db", ignored)) {
    if (!globals.json) fmt::print("No runs yet in {}\n", globals.data.string());
    return 0;
  }
  const auto store = jobs::open_sqlite_store(globals.data);
  if (!store) return report(store.error(), globals);
  jobs::JobFilter filter;
  filter.kind = service::kLoadKind;
  filter.subject = options.name;
  filter.limit = options.limit;
  const auto found = (*store)->queries().list(filter);
  if (!found) return report(found.error(), globals);
  const auto now = SystemClock().now();
  for (const auto& job : *found) {
    if (globals.json) {
      fmt::print("{}\n", api::dump(api::job_json(job, now)));
      continue;
    }
    const auto when = job.started_at ? *job.started_at : job.created_at;
    fmt::print("{:>8}  {}  {:<16} {:<10} {:>9}  {}\n", job.id.value(),
               format_utc(std::chrono::floor<std::chrono::seconds>(when)), job.subject,
               jobs::to_string(job.state), job.duration_ms ? duration_text(*job.duration_ms) : "",
               counts_text(job));
  }
  if (found->empty() && !globals.json)
    fmt::print("No runs yet{}\n", options.name.empty() ? "" : " of " + options.name);
  return 0;
}

}  // namespace

void add_history(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<HistoryOptions>();
  auto* command = app.add_subcommand("history", "Past runs, newest first");
  command->add_option("name", options->name, "Only this loader");
  command->add_option("--limit", options->limit, "Most runs to print")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->footer("Example:\n  sluice history Country --limit 5");
  command->callback([options, &globals, &action] {
    action = [options, &globals] { return run_history(*options, globals); };
  });
}

}  // namespace sluice::app
