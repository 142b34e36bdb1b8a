// sluice check: every file, every problem, offline.
#include "definition/check.h"

#include "app/command.h"
#include "app/loaders.h"
#include "app/task_report.h"
#include "base/clock.h"
#include "definition/source_file.h"
#include "english_cron/schedule.h"
#include "service/schedule_text.h"

#include <nlohmann/json.hpp>

#include <memory>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kNextShown = 5;

template <class Definition>
std::vector<std::string> next_times(const Definition& definition, Timestamp now) {
  std::vector<std::string> times;
  for (const auto time : service::next_times(definition, now, kNextShown))
    times.push_back(english_cron::format_local(time, definition.schedule.zone));
  return times;
}

template <class Definition>
Json json_of(const Definition& definition, Timestamp now) {
  return {{"name", definition.spec.name},           {"file", definition.file},
          {"crons", definition.schedule.crons},     {"zone", definition.schedule.zone},
          {"english", definition.schedule.english}, {"after", definition.after.names},
          {"next", next_times(definition, now)}};
}

void print_json(const definition::CheckResult& result, Timestamp now) {
  Json json;
  json["ok"] = result.ok();
  json["files"] = result.files.size();
  json["problems"] = Json::array();
  for (const auto& problem : result.problems) json["problems"].push_back(to_json(problem));
  json["loaders"] = Json::array();
  for (const auto& loader : result.catalog->loaders) json["loaders"].push_back(json_of(loader, now));
  json["jobs"] = Json::array();
  for (const auto& task : result.catalog->tasks) {
    json["jobs"].push_back(json_of(task, now));
    json["jobs"].back()["kind"] = std::string(kind_of(task.spec));
  }
  out("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string counted(std::size_t number, std::string_view thing) {
  return fmt::format("{} {}{}", number, thing, number == 1 ? "" : "s");
}

template <class Definition>
void print_times(const std::vector<Definition>& definitions, Timestamp now) {
  for (const auto& one : definitions) {
    out("{:<24} {}{}\n", one.spec.name, when_text(one.spec.schedule, one.schedule, one.after),
        one.spec.enabled ? "" : ", not enabled");
    for (const auto& time : next_times(one, now)) out("{:<24}   {}\n", "", time);
  }
}

void print_text(const definition::CheckResult& result, const std::filesystem::path& folder,
                const GlobalOptions& globals, Timestamp now) {
  std::size_t errors = 0;
  for (const auto& problem : result.problems) {
    const bool is_error = problem.severity == definition::Problem::Severity::error;
    errors += is_error ? 1 : 0;
    if (is_error || !globals.quiet) err("{}\n", shown(problem, folder));
  }
  if (globals.quiet) return;
  print_times(result.catalog->loaders, now);
  print_times(result.catalog->tasks, now);
  const auto warnings = result.problems.size() - errors;
  const auto tasks = result.catalog->tasks.size();
  out("{}, {}{}, {}{}\n", counted(result.files.size(), "file"),
      counted(result.catalog->loaders.size(), "loader"), tasks == 0 ? "" : ", " + counted(tasks, "job"),
      counted(errors, "error"), warnings == 0 ? "" : ", " + counted(warnings, "warning"));
}

int run_check(const std::filesystem::path& folder, const GlobalOptions& globals) {
  auto options = service_options(globals);
  options.definitions = folder;
  const auto files = definition::read_folder(folder);
  if (!files) {
    // A folder that is not there is a wrong argument, whatever the operating system calls it.
    report(files.error(), globals);
    return 2;
  }
  const auto result = definition::check(*files, service::check_options(options));
  const auto now = SystemClock().now();
  if (globals.json) {
    print_json(result, now);
  } else {
    print_text(result, folder, globals, now);
  }
  return result.ok() ? 0 : 2;
}

}  // namespace

void add_check(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto folder = std::make_shared<std::filesystem::path>();
  auto* command = app.add_subcommand("check", "All definitions, all problems, offline; exit 2 on an error");
  command->add_option("dir", *folder, "Folder of the definitions (default: --definitions)")->type_name("");
  command->footer("Example:\n  sluice check definitions");
  command->callback([folder, &globals, &action] {
    action = [folder, &globals] {
      return run_check(folder->empty() ? globals.definitions : *folder, globals);
    };
  });
}

}  // namespace sluice::app
