// sluice history: the runs of a loader or a job, or of all, newest first.
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_line.h"
#include "app/job_target.h"
#include "app/loaders.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/task.h"
#include "service/job_store.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

namespace sluice::app {
namespace {

struct HistoryOptions {
  std::string name;
  int limit = 20;
};

// No run is known of this name: a loader that is still to run for the first time, or a slip of the pen.
int no_runs_of(const std::string& name, const GlobalOptions& globals) {
  const auto definitions = read_definitions(globals);
  if (!definitions) return report(definitions.error(), globals);
  const bool valid = static_cast<bool>((*definitions)->catalog->find_runnable(name));
  const auto refusal = valid ? Refusal{} : why_not(**definitions, name);
  // A definition that is there but not valid is for `check` to complain about.
  if (!valid && refusal.problems.empty()) return report(refusal, globals);
  if (!globals.quiet) err("No runs yet of {}\n", printable(name));
  return 0;
}

// Of loaders and jobs; plans and the like are no runs. Whether there was any.
Result<bool> print_runs(jobs::Store* store, const HistoryOptions& options, const GlobalOptions& globals) {
  if (store == nullptr) return false;
  std::vector<jobs::Job> found;
  std::vector<std::string_view> kinds = {service::kLoadKind};
  kinds.insert(kinds.end(), std::begin(kTaskKinds), std::end(kTaskKinds));
  for (const auto kind : kinds) {
    jobs::JobFilter filter;
    filter.kind = kind;
    filter.subject = options.name;
    filter.limit = std::min(options.limit + 1, 1000);
    SLUICE_TRY(auto listed, store->queries().list(filter));
    found.insert(found.end(), std::make_move_iterator(listed.begin()), std::make_move_iterator(listed.end()));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return b.id < a.id; });
  const bool more = found.size() > static_cast<std::size_t>(options.limit);
  if (more) found.erase(found.begin() + options.limit, found.end());
  const auto now = SystemClock().now();
  for (const auto& job : found) print_job(job, now, globals);
  if (more && !globals.quiet) err("… and more: --limit N shows the newest N of them\n");
  return !found.empty();
}

int run_history(const HistoryOptions& options, const GlobalOptions& globals) {
  const auto store = open_jobs(globals);
  if (!store) return report(store.error(), globals);
  const auto any = print_runs(store->get(), options, globals);
  if (!any) return report(any.error(), globals);
  if (!*any && !options.name.empty()) return no_runs_of(options.name, globals);
  if (!*any && !globals.quiet)
    err("No runs yet in {}\n", service::describe_job_store(globals.database, globals.data));
  return 0;
}

}  // namespace

void add_history(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<HistoryOptions>();
  auto* command = app.add_subcommand("history", "Past runs, newest first");
  command->add_option("name", options->name, "Only this loader or job")->type_name("")->check(not_empty());
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
