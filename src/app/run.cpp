// sluice run: load once, now; the receipt as a table or as JSON.
#include "app/command.h"
#include "app/progress_bar.h"
#include "app/receipt_table.h"
#include "app/stop_signals.h"
#include "base/clock.h"
#include "service/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace sluice::app {
namespace {

struct RunOptions {
  std::vector<std::string> names;
  bool all = false;
};

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

Result<Receipt> load_one(service::Service& service, const std::string& name, const GlobalOptions& globals,
                         std::stop_token stop) {
  SLUICE_TRY(const auto id, service.run_loader(name, jobs::Origin::cli, "command line"));
  ProgressBar bar(name, !globals.quiet && !globals.json);
  const auto subscription = service.engine().subscribe([&](const jobs::Change& change) {
    const auto* progress = std::get_if<jobs::ProgressChanged>(&change);
    if (progress != nullptr && progress->job == id) bar.show(progress->progress);
  });
  auto waited = service.engine().wait(id, stop);
  if (!waited && stop.stop_requested()) {
    // Ctrl-C: the job is cancelled for good, it must not come back with the next service.
    SLUICE_TRY(const auto cancelled, service.engine().cancel(id, "interrupted"));
    static_cast<void>(cancelled);
    waited = service.engine().wait(id);
  }
  if (!waited) return std::unexpected(std::move(waited).error());
  if (waited->result.empty()) return receipt_without_run(*waited);
  SLUICE_TRY(auto receipt, receipt_from_json(waited->result));
  receipt.state = jobs::to_string(waited->state);
  return receipt;
}

// Names to load; --all takes every valid, enabled loader. Errors of their files are printed.
Result<std::vector<std::string>> names_to_run(service::Service& service, const RunOptions& options) {
  const auto definitions = service.definitions();
  for (const auto& problem : definitions->problems) {
    const bool of_service =
        problem.severity == definition::Problem::Severity::error &&
        std::any_of(definitions->files.begin(), definitions->files.end(), [&](const auto& file) {
          return file.report.kind == definition::FileKind::service && file.report.file == problem.place.file;
        });
    if (of_service) {
      return fail(ErrorCode::invalid_definition,
                  definition::render(problem) + "; nothing can run without the service file");
    }
  }
  std::vector<std::string> names = options.names;
  if (options.all) {
    for (const auto& loader : definitions->catalog->loaders) {
      if (loader.spec.enabled) names.push_back(loader.spec.name);
    }
  }
  for (const auto& name : names) {
    if (definitions->catalog->find(name) != nullptr) continue;
    for (const auto& problem : definitions->problems) {
      const bool about =
          std::any_of(definitions->files.begin(), definitions->files.end(), [&](const auto& file) {
            return file.report.file == problem.place.file &&
                   (file.report.name == name || file.report.name.empty());
          });
      if (about) fmt::print(stderr, "{}\n", definition::render(problem));
    }
    const auto near = definitions->catalog->nearest_name(name);
    return fail(ErrorCode::invalid_argument,
                near.empty() ? fmt::format("there is no valid loader \"{}\" in the definitions", name)
                             : fmt::format("there is no loader \"{}\"; did you mean \"{}\"?", name, near));
  }
  return names;
}

int run_loads(const RunOptions& options, const GlobalOptions& globals) {
  const StopSignals signals;
  SystemClock clock;
  service::ServiceOptions service_options;
  service_options.definitions = globals.definitions;
  service_options.data = globals.data;
  service_options.database = globals.database;
  service_options.allow_paths = globals.allow_paths;
  service_options.allow_addresses = globals.allow_addresses;
  service_options.version = SLUICE_VERSION;
  service_options.workers = 1;
  auto service = service::Service::open(service_options, clock);
  if (!service) return report(service.error(), globals);
  if (auto started = (*service)->start(); !started) return report(started.error(), globals);
  const auto names = names_to_run(**service, options);
  if (!names) return report(names.error(), globals);

  int exit_code = 0;
  if (options.all) {
    for (const auto& problem : (*service)->definitions()->problems) {
      if (problem.severity != definition::Problem::Severity::error) continue;
      fmt::print(stderr, "{}\n", definition::render(problem));
      exit_code = 2;
    }
  }
  std::vector<Receipt> receipts;
  for (const auto& name : *names) {
    if (signals.token().stop_requested()) break;
    auto receipt = load_one(**service, name, globals, signals.token());
    if (!receipt) {
      exit_code = std::max(exit_code, report(receipt.error(), globals));
      continue;
    }
    exit_code = std::max(exit_code, exit_code_for_run(*receipt));
    if (globals.json) {
      fmt::print("{}\n", to_json(*receipt));
      std::fflush(stdout);
    }
    receipts.push_back(std::move(*receipt));
  }
  if (!globals.json && (!globals.quiet || exit_code != 0)) fmt::print("{}", receipt_table(receipts));
  return signals.token().stop_requested() ? 130 : exit_code;
}

}  // namespace

void add_run(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<RunOptions>();
  auto* command =
      app.add_subcommand("run", "Load once, now; exit 1 when a run failed, 4 when a guard was breached");
  command->add_option("names", options->names, "Loaders to run, one after the other");
  command->add_flag("--all", options->all, "Every enabled loader");
  command->footer("Examples:\n  sluice run Country\n  sluice run --all --json --database sqlite:test.db");
  command->callback([options, &globals, &action] {
    action = [options, &globals] {
      if (options->names.empty() == !options->all) {
        return report({.code = ErrorCode::invalid_argument,
                       .where = {},
                       .message = "name the loaders to run, or give --all",
                       .retry_after = {}},
                      globals);
      }
      return run_loads(*options, globals);
    };
  });
}

}  // namespace sluice::app
