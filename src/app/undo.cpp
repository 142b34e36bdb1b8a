// sluice undo: takes one run back, and stops the loader's schedule so that the next tick does not load the
// same again.
#include "app/command.h"
#include "app/job_target.h"
#include "app/loaders.h"
#include "app/receipt_table.h"
#include "app/stop_signals.h"
#include "app/wait_for_run.h"
#include "base/clock.h"
#include "base/text.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>

#include <memory>

namespace sluice::app {
namespace {

struct UndoOptions {
  std::string job;
  bool keep_running = false;
};

Result<Receipt> undo(service::Service& service, const UndoOptions& options, const GlobalOptions& globals,
                     std::stop_token stop) {
  const auto of = job_number(options.job);
  if (!of) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("\"{}\" is not a job's number; sluice history lists the runs",
                            printable(options.job, 60)));
  }
  SLUICE_TRY(const auto job, find_job(&service.store(), *of, globals));
  SLUICE_TRY(const auto id, service.undo_job(*of, options.keep_running, jobs::Origin::cli, "command line"));
  return wait_for_run(service, id, job.subject, globals, std::move(stop));
}

int run_undo(const UndoOptions& options, const GlobalOptions& globals) {
  const StopSignals signals;
  SystemClock clock;
  const auto service = start_for_one_command(globals, clock);
  if (!service) return report(service.error(), globals);
  const auto receipt = undo(**service, options, globals, signals.token());
  if (!receipt) return report(receipt.error(), globals);
  const int code = exit_code_for_run(*receipt);
  if (globals.json) {
    out("{}\n", to_json(*receipt));
  } else if (!globals.quiet || code != 0) {
    write_out(receipt_table({&*receipt, 1}));
  }
  const auto schedule = (*service)->store().recurring().get(service::recurring_id(receipt->loader));
  const bool paused = schedule && *schedule && (*schedule)->paused_at;
  if (code == 0 && paused && !options.keep_running && !globals.quiet) {
    err("{0} is paused, or the next tick would load the same again: look at its source, then\n"
        "sluice jobs resume {0}\n",
        printable(receipt->loader));
  }
  return signals.token().stop_requested() ? 130 : code;
}

}  // namespace

void add_undo(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<UndoOptions>();
  auto* command =
      app.add_subcommand("undo", "Take a run back: write what its change log says was there before");
  command->add_option("job", options->job, "The number of the run's job, as history tells it")
      ->type_name("")
      ->required();
  command->add_flag("--keep-running", options->keep_running, "Do not pause the loader's schedule");
  command->footer(
      "Refused, with the rows named, where later runs or somebody's hand have changed the same rows; for\n"
      "replacements; and where the change log was off. An undo is a job like a run, and can be undone.\n\n"
      "Examples:\n  sluice changes 17\n  sluice undo 17\n  sluice undo 17 --keep-running --json");
  command->callback(
      [options, &globals, &action] { action = [options, &globals] { return run_undo(*options, globals); }; });
}

}  // namespace sluice::app
