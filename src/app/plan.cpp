// sluice plan: what a run would do, without doing it.
#include "load/plan.h"

#include "app/arguments.h"
#include "app/command.h"
#include "app/loaders.h"
#include "app/receipt_table.h"
#include "app/stop_signals.h"
#include "base/clock.h"
#include "base/text.h"
#include "service/table_owners.h"

#include <fmt/format.h>

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
  out("{}: +{} insert  ~{} update  -{} delete", receipt.loader, group_digits(receipt.inserted),
      group_digits(receipt.updated), group_digits(receipt.deleted));
  if (receipt.restored > 0) out("  ^{} restore", group_digits(receipt.restored));
  out("  ={} unchanged", group_digits(receipt.unchanged));
  if (receipt.rejected > 0) out("  !{} rejected", group_digits(receipt.rejected));
  out("\n");
  for (const auto& statement : plan.ddl) out("  {};\n", statement);
  for (const auto& sample : plan.samples) {
    const char mark = sample.op == "insert"    ? '+'
                      : sample.op == "delete"  ? '-'
                      : sample.op == "restore" ? '^'
                                               : '~';
    out("  {} {}\n", mark, sample.key);
    for (const auto& cell : sample.cells) {
      if (cell.before.empty()) {
        out("      {}: {}\n", cell.column, cell.after);
      } else if (cell.after.empty()) {
        out("      {}: {}\n", cell.column, cell.before);
      } else {
        out("      {}: {} -> {}\n", cell.column, cell.before, cell.after);
      }
    }
  }
  for (const auto& guard : receipt.guards) {
    out("  guard {:<24} limit {:<6} {:<24} {}\n", guard.guard, guard.limit, guard.actual, guard.verdict);
  }
  for (const auto& note : receipt.notes) out("  note: {}\n", note);
  out("Nothing was written.\n");
}

int run_plan(const PlanOptions& options, const GlobalOptions& globals) {
  const StopSignals signals;
  SystemClock clock;
  const auto definitions = read_definitions(globals);
  if (!definitions) return report(definitions.error(), globals);
  const auto* loader = (*definitions)->catalog->find(options.name);
  if ((*definitions)->catalog->find_task(options.name) != nullptr)
    return report(ErrorCode::invalid_argument,
                  fmt::format("\"{0}\" is a job, and jobs have no plan; sluice show {0} says what it does",
                              printable(options.name, 60)),
                  globals);
  if (loader == nullptr) {
    const auto refusal = why_not(**definitions, options.name);
    if (globals.json) out("{}\n", refused_json(refusal, true));
    explain(refusal, globals);
    return exit_code_for(refusal.error.code);
  }
  const auto service_options = app::service_options(globals);
  const service::Databases databases(globals.database, globals.data);
  const auto database = databases.url_for(loader->spec, (*definitions)->catalog->service);
  if (!database) return report(database.error(), globals);

  // Downloads are unnamed files in the system's temporary folder: the data folder is not touched by a plan.
  load::Environment environment{.clock = clock,
                                .spool_directory = std::filesystem::temp_directory_path(),
                                .policy = service::fetch_policy(service_options),
                                .user_agent = std::string("sluice/") + SLUICE_VERSION};
  QuietObserver observer;
  const load::Request request{.loader = loader->spec,
                              .database = *database,
                              .job = {},
                              .store = {},
                              .catalog_hash = (*definitions)->catalog->hash,
                              .definition_hash = loader->resolved_hash,
                              .owner = [&](std::string_view owner) {
                                return service::claim_of(**definitions, databases, loader->spec, owner);
                              }};
  const auto plan = load::plan(request, environment, observer, options.samples, signals.token());
  if (globals.json) {
    out("{}\n", load::to_json(plan));
  } else if (!plan.receipt.error || plan.receipt.error->code == ErrorCode::guard) {
    print_plan(plan);
  }
  if (plan.receipt.error && !globals.json) err("sluice: error: {}\n", plan.receipt.error->describe());
  return signals.token().stop_requested() ? 130 : exit_code_for_run(plan.receipt);
}

}  // namespace

void add_plan(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<PlanOptions>();
  auto* command = app.add_subcommand("plan", "Fetch and compare, write nothing: what a run would change");
  command->add_option("name", options->name, "The loader")->type_name("")->required();
  command->add_option("--samples", options->samples, "Changes of each kind to show, at most 100000")
      ->type_name("N")
      ->capture_default_str()
      ->check(whole_number(0, 100'000));
  command->footer("Example:\n  sluice plan Country");
  command->callback(
      [options, &globals, &action] { action = [options, &globals] { return run_plan(*options, globals); }; });
}

}  // namespace sluice::app
