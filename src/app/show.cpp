// sluice show: a job as it went, or a definition as it was understood.
#include "api/live_json.h"
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_report.h"
#include "app/job_target.h"
#include "app/loaders.h"
#include "app/receipt_table.h"
#include "app/task_report.h"
#include "base/clock.h"
#include "base/text.h"
#include "definition/catalog.h"
#include "definition/column_type.h"
#include "model/receipt.h"
#include "upsert/table_state.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

int show_job(JobId id, int most_rejects, const GlobalOptions& globals) {
  const auto store = open_jobs(globals);
  if (!store) return report(store.error(), globals);
  const auto job = find_job(store->get(), id, globals);
  if (!job) return report(job.error(), globals);
  const auto history = (*store)->queries().history(id);
  if (!history) return report(history.error(), globals);
  const auto records = job_records(**store, *job, most_rejects, globals);
  if (!records) return report(records.error(), globals);
  if (globals.json) {
    Json json = api::job_json(*job, SystemClock().now());
    json["states"] = Json::array();
    for (const auto& change : *history) {
      json["states"].push_back({{"state", std::string(jobs::to_string(change.state))},
                                {"at", format_utc(change.at)},
                                {"attempt", change.attempt},
                                {"reason", change.reason}});
    }
    add_records(json, *records);
    out("{}\n", api::dump(json));
    return 0;
  }
  out("job {}  {}  {}\n", id.value(), printable(job->name), jobs::to_string(job->state));
  for (const auto& change : *history) {
    out("  {}  {:<10} {}\n", format_utc(change.at), jobs::to_string(change.state),
        printable(change.reason, 500));
  }
  if (const auto done = task_text(*job); !done.empty()) out("  {}\n", done);
  if (const auto receipt = receipt_from_json(job->result); receipt) write_out(receipt_table({&*receipt, 1}));
  write_out(records_text(*records, *job));
  return 0;
}

// The columns as they are pinned in the target, with the types they were given.
std::string pinned_columns(const upsert::TableState& state) {
  std::string text =
      fmt::format("# table {}: {} rows, generation {}\n# columns as pinned by the last load:\n", state.table,
                  state.rows, state.generation);
  for (const auto& column : state.schema->columns) {
    text += fmt::format("#   {}: {}{}{}\n", column.name,
                        definition::format_column_type(column.type, column.precision, column.scale),
                        column.from == column.name ? "" : " from " + column.from,
                        column.wide ? " (kept as text: more digits than SQL numbers hold)" : "");
  }
  return text;
}

int show_task(const definition::TaskDefinition& task, const GlobalOptions& globals) {
  const auto yaml = definition::resolved_yaml(task);
  if (globals.json) {
    out("{}\n", api::dump(Json{{"name", task.spec.name},
                               {"file", task.file},
                               {"hash", task.hash},
                               {"kind", std::string(kind_of(task.spec))},
                               {"schedule", api::schedule_json(task)},
                               {"yaml", yaml}}));
  } else {
    out("# {}\n{}", task.file, yaml);
  }
  return 0;
}

int show_definition(const std::string& name, const GlobalOptions& globals) {
  const auto definitions = read_definitions(globals);
  if (!definitions) return report(definitions.error(), globals);
  if (const auto* task = (*definitions)->catalog->find_task(name)) return show_task(*task, globals);
  const auto* loader = (*definitions)->catalog->find(name);
  if (loader == nullptr) return report(why_not(**definitions, name), globals);
  std::string columns;
  const service::Databases databases(globals.database, globals.data);
  const auto database = databases.url_for(loader->spec, (*definitions)->catalog->service);
  if (!database) return report(database.error(), globals);
  if (const auto connection = databases.open_for_reading(*database); connection && *connection) {
    if (const auto states = upsert::table_states(**connection); states) {
      // A loader may have had other tables before.
      const auto found = std::find_if(states->begin(), states->end(), [&](const auto& s) {
        return s.loader == name && iequals(s.table, loader->spec.target.table);
      });
      if (found != states->end()) columns = pinned_columns(*found);
    }
  }
  const auto yaml = definition::resolved_yaml(*loader);
  if (globals.json) {
    out("{}\n", api::dump(Json{{"name", name},
                               {"file", loader->file},
                               {"hash", loader->hash},
                               {"schedule", api::schedule_json(*loader)},
                               {"yaml", yaml}}));
  } else {
    out("# {}\n{}{}", loader->file, yaml, columns);
  }
  return 0;
}

struct ShowOptions {
  std::string what;
  int most_rejects = 10;
  bool loader = false;  // a name, whatever it looks like
};

int run_show(const ShowOptions& options, const GlobalOptions& globals) {
  const auto job = options.loader ? std::nullopt : job_number(options.what);
  if (!job) return show_definition(options.what, globals);
  return show_job(*job, options.most_rejects, globals);
}

}  // namespace

void add_show(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<ShowOptions>();
  auto* command = app.add_subcommand("show", "A job as it went, or a definition as it was understood");
  command->add_option("what", options->what, "A run's number, or the name of a loader or a job")
      ->type_name("")
      ->required();
  command
      ->add_option("--rejects", options->most_rejects,
                   "Of a job: most rejected records to show, at most 1000")
      ->type_name("N")
      ->capture_default_str()
      ->check(whole_number(1, 1000));
  command->add_flag("--loader", options->loader, "WHAT is a loader's name, though it looks like a job's id");
  command->footer(
      "Examples:\n  sluice show Country\n  sluice show 17 --json\n  sluice show 17 --rejects 100");
  command->callback(
      [options, &globals, &action] { action = [options, &globals] { return run_show(*options, globals); }; });
}

}  // namespace sluice::app
