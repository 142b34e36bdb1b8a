// sluice plan: what a run would do, without doing it.
#include "load/plan.h"

#include "app/command.h"
#include "app/receipt_table.h"
#include "app/stop_signals.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "service/service.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace sluice::app {
namespace {

struct PlanOptions {
  std::string name;
  std::size_t samples = 10;
};

// A plan asks and answers on one terminal: nothing is logged but warnings.
class QuietObserver final : public load::Observer {
 public:
  void progress(const Progress&) override {}
  void log(Level, std::string_view) override {}
};

void print_plan(const load::Plan& plan) {
  const auto& receipt = plan.receipt;
  fmt::print("{}: +{} insert  ~{} update  -{} delete", receipt.loader, group_digits(receipt.inserted),
             group_digits(receipt.updated), group_digits(receipt.deleted));
  if (receipt.restored > 0) fmt::print("  ^{} restore", group_digits(receipt.restored));
  fmt::print("  ={} unchanged", group_digits(receipt.unchanged));
  if (receipt.rejected > 0) fmt::print("  !{} rejected", group_digits(receipt.rejected));
  fmt::print("\n");
  for (const auto& statement : plan.ddl) fmt::print("  {};\n", statement);
  for (const auto& sample : plan.samples) {
    const char mark = sample.op == "insert"    ? '+'
                      : sample.op == "delete"  ? '-'
                      : sample.op == "restore" ? '^'
                                               : '~';
    fmt::print("  {} {}\n", mark, sample.key);
    for (const auto& cell : sample.cells) {
      if (cell.before.empty()) {
        fmt::print("      {}: {}\n", cell.column, cell.after);
      } else if (cell.after.empty()) {
        fmt::print("      {}: {}\n", cell.column, cell.before);
      } else {
        fmt::print("      {}: {} -> {}\n", cell.column, cell.before, cell.after);
      }
    }
  }
  for (const auto& guard : receipt.guards) {
    fmt::print("  guard {:<24} limit {:<6} {:<24} {}\n", guard.guard, guard.limit, guard.actual,
               guard.verdict);
  }
  for (const auto& note : receipt.notes) fmt::print("  note: {}\n", note);
  fmt::print("Nothing was written.\n");
}

int run_plan(const PlanOptions& options, const GlobalOptions& globals) {
  const StopSignals signals;
  SystemClock clock;
  service::ServiceOptions service_options;
  service_options.definitions = globals.definitions;
  service_options.data = globals.data;
  service_options.database = globals.database;
  service_options.allow_paths = globals.allow_paths;
  service_options.allow_addresses = globals.allow_addresses;
  service_options.version = SLUICE_VERSION;
  const auto pinned = service::pin_loader(service_options, options.name, clock);
  if (!pinned) return report(pinned.error(), globals);

  // Downloads are unnamed files in the system's temporary folder: the data folder is not touched by a plan.
  load::Environment environment{.clock = clock,
                                .spool_directory = std::filesystem::temp_directory_path(),
                                .policy = service::fetch_policy(service_options),
                                .user_agent = std::string("sluice/") + SLUICE_VERSION};
  QuietObserver observer;
  const load::Request request{.loader = pinned->loader.spec,
                              .database = pinned->database,
                              .job = {},
                              .store = {},
                              .catalog_hash = pinned->catalog_hash,
                              .definition_hash = pinned->loader.resolved_hash,
                              .owner = pinned->owner};
  const auto plan = load::plan(request, environment, observer, options.samples, signals.token());
  if (globals.json) {
    fmt::print("{}\n", load::to_json(plan));
  } else if (!plan.receipt.error || plan.receipt.error->code == ErrorCode::guard) {
    print_plan(plan);
  }
  if (plan.receipt.error && !globals.json)
    fmt::print(stderr, "sluice: error: {}\n", plan.receipt.error->describe());
  return exit_code_for_run(plan.receipt);
}

}  // namespace

void add_plan(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<PlanOptions>();
  auto* command = app.add_subcommand("plan", "Fetch and compare, write nothing: what a run would change");
  command->add_option("name", options->name, "The loader")->required();
  command->add_option("--samples", options->samples, "Changes of each kind to show")->capture_default_str();
  command->footer("Example:\n  sluice plan Country");
  command->callback(
      [options, &globals, &action] { action = [options, &globals] { return run_plan(*options, globals); }; });
}

}  // namespace sluice::app
