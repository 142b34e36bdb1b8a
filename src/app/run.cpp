// sluice run: loads or does a job once, now; the receipt as a table or as JSON.
#include "app/command.h"
#include "app/loaders.h"
#include "app/receipt_table.h"
#include "app/stop_signals.h"
#include "app/task_report.h"
#include "app/wait_for_run.h"
#include "base/clock.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace sluice::app {
namespace {

struct RunOptions {
  std::vector<std::string> names;
  bool all = false;
};

// The job as it came to rest.
Result<jobs::Job> run_one(service::Service& service, const std::string& name, const GlobalOptions& globals,
                          std::stop_token stop) {
  SLUICE_TRY(const auto id, service.run(name, jobs::Origin::cli, "command line"));
  return wait_for_job(service, id, name, globals, std::move(stop));
}

// A job says what it did in a line of its own.
int report_task(service::Service& service, const jobs::Job& job, const GlobalOptions& globals) {
  const int code = exit_code_for_task(job);
  if (globals.json) {
    out("{}\n", task_json(job));
    std::fflush(stdout);
    return code;
  }
  if (globals.quiet && code == 0) return code;
  constexpr int kMostLines = 2000;
  if (const auto log = service.store().queries().log(job.id, 0, kMostLines); log) {
    for (const auto& line : *log) out("  {}\n", printable(line.text, line.text.size() + 1));
  }
  const auto done = task_text(job);
  out("{}: {}{}{} (job {})\n", printable(job.subject), jobs::to_string(job.state), done.empty() ? "" : ", ",
      done, job.id.value());
  if (job.error) {
    err("sluice: error: {}: {}\n", printable(job.subject), job.error->message);
  } else if (code != 0 && !job.reason.empty()) {
    err("sluice: error: {}: {}\n", printable(job.subject), printable(job.reason, 500));
  }
  return code;
}

// What cannot run is said before anything does; true when there was none of it.
bool say_refusals(const std::vector<Refusal>& refusals, const GlobalOptions& globals) {
  for (const auto& refusal : refusals) {
    if (globals.json) out("{}\n", refused_json(refusal));
    explain(refusal, globals);
  }
  return refusals.empty();
}

// Every loader that is valid and enabled.
std::vector<std::string> all_names(const service::Definitions& definitions) {
  std::vector<std::string> names;
  for (const auto& loader : definitions.catalog->loaders) {
    if (loader.spec.enabled) names.push_back(loader.spec.name);
  }
  return names;
}

// The service file first: without it nobody knows the database and the defaults.
std::vector<Refusal> refusals_of(const service::Definitions& definitions,
                                 const std::vector<std::string>& names) {
  const bool service_broken = !service_problems(definitions).empty();
  std::vector<Refusal> refusals;
  for (const auto& name : names) {
    if (service_broken || !definitions.catalog->find_runnable(name))
      refusals.push_back(why_not(definitions, name));
  }
  return refusals;
}

int run_loads(const RunOptions& options, const GlobalOptions& globals) {
  const StopSignals signals;
  SystemClock clock;
  const auto service = start_for_one_command(globals, clock);
  if (!service) return report(service.error(), globals);
  const auto definitions = (*service)->definitions();

  int exit_code = 0;
  auto names = options.names;
  if (options.all) {
    if (auto problems = service_problems(*definitions); !problems.empty())
      return report(why_not(*definitions, "--all"), globals);
    // What is valid runs, whatever else lies in the folder.
    if (!say_refusals(broken_loaders(*definitions), globals)) exit_code = 2;
    names = all_names(*definitions);
    if (names.empty() && !globals.quiet)
      err("There is no loader to run in {}\n", globals.definitions.string());
  } else if (!say_refusals(refusals_of(*definitions, names), globals)) {
    return 2;
  }
  std::vector<Receipt> receipts;
  for (const auto& name : names) {
    if (signals.token().stop_requested()) break;
    const auto job = run_one(**service, name, globals, signals.token());
    if (job && is_task_kind(job->kind)) {
      exit_code = std::max(exit_code, report_task(**service, *job, globals));
      continue;
    }
    auto receipt = job ? receipt_of(*job) : std::unexpected(job.error());
    if (!receipt) {
      exit_code = std::max(exit_code, report(receipt.error(), globals));
      continue;
    }
    exit_code = std::max(exit_code, exit_code_for_run(*receipt));
    if (globals.json) {
      out("{}\n", to_json(*receipt));
      std::fflush(stdout);
    }
    receipts.push_back(std::move(*receipt));
  }
  if (!globals.json && (!globals.quiet || exit_code != 0) && !receipts.empty())
    write_out(receipt_table(receipts));
  return signals.token().stop_requested() ? 130 : exit_code;
}

}  // namespace

void add_run(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<RunOptions>();
  auto* command =
      app.add_subcommand("run", "Run once, now; exit 1 when a run failed, 4 when a guard was breached");
  command->add_option("names", options->names, "Loaders and jobs to run, one after the other")
      ->type_name("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--all", options->all, "Every enabled loader (no jobs)");
  command->footer(
      "Examples:\n  sluice run Country\n  sluice run PurgeSessions\n  sluice run --all --json --database "
      "sqlite:test.db");
  command->callback([options, &globals, &action] {
    action = [options, &globals] {
      if (options->names.empty() == !options->all)
        return report(ErrorCode::invalid_argument, "name the loaders or jobs to run, or give --all", globals);
      return run_loads(*options, globals);
    };
  });
}

}  // namespace sluice::app
