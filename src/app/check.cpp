// sluice check: every file, every problem, offline.
#include "definition/check.h"

#include "app/command.h"
#include "base/clock.h"
#include "definition/source_file.h"
#include "english_cron/schedule.h"
#include "service/service.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNextShown = 5;

std::vector<std::string> next_times(const definition::LoaderDefinition& loader, Timestamp now) {
  std::vector<std::string> times;
  const auto schedule = english_cron::Schedule::compile(loader.schedule);
  if (!schedule || loader.spec.schedule.manual) return times;
  Timestamp from = now;
  while (times.size() < kNextShown) {
    const auto next = schedule->next(from);
    if (!next) break;
    times.push_back(english_cron::format_local(*next, loader.schedule.zone));
    from = *next;
  }
  return times;
}

Json problem_json(const definition::Problem& problem) {
  return {{"file", problem.place.file},
          {"line", problem.place.line},
          {"column", problem.place.column},
          {"severity", problem.severity == definition::Problem::Severity::error ? "error" : "warning"},
          {"message", problem.message},
          {"suggestion", problem.suggestion.empty() ? Json(nullptr) : Json(problem.suggestion)}};
}

void print_json(const definition::CheckResult& result, Timestamp now) {
  Json json;
  json["ok"] = result.ok();
  json["files"] = result.files.size();
  json["problems"] = Json::array();
  for (const auto& problem : result.problems) json["problems"].push_back(problem_json(problem));
  json["loaders"] = Json::array();
  for (const auto& loader : result.catalog->loaders) {
    json["loaders"].push_back({{"name", loader.spec.name},
                               {"file", loader.file},
                               {"crons", loader.schedule.crons},
                               {"zone", loader.schedule.zone},
                               {"english", loader.schedule.english},
                               {"next", next_times(loader, now)}});
  }
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void print_text(const definition::CheckResult& result, const GlobalOptions& globals, Timestamp now) {
  std::size_t errors = 0;
  for (const auto& problem : result.problems) {
    const bool is_error = problem.severity == definition::Problem::Severity::error;
    errors += is_error ? 1 : 0;
    if (is_error || !globals.quiet) fmt::print(stderr, "{}\n", definition::render(problem));
  }
  if (globals.quiet) return;
  for (const auto& loader : result.catalog->loaders) {
    const auto times = next_times(loader, now);
    fmt::print("{:<24} {} ({})\n", loader.spec.name,
               loader.spec.schedule.manual ? "by hand only" : loader.schedule.english, loader.schedule.zone);
    for (const auto& time : times) fmt::print("{:<24}   {}\n", "", time);
  }
  fmt::print("{} {}, {} {}, {} {}\n", result.files.size(), result.files.size() == 1 ? "file" : "files",
             result.catalog->loaders.size(), result.catalog->loaders.size() == 1 ? "loader" : "loaders",
             errors, errors == 1 ? "error" : "errors");
}

int run_check(const std::filesystem::path& folder, const GlobalOptions& globals) {
  service::ServiceOptions options;
  options.definitions = folder;
  options.database = globals.database;
  options.allow_paths = globals.allow_paths;
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
    print_text(result, globals, now);
  }
  return result.ok() ? 0 : 2;
}

}  // namespace

void add_check(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto folder = std::make_shared<std::filesystem::path>();
  auto* command = app.add_subcommand("check", "All definitions, all problems, offline; exit 2 on an error");
  command->add_option("dir", *folder, "Folder of the definitions (default: --definitions)");
  command->footer("Example:\n  sluice check definitions");
  command->callback([folder, &globals, &action] {
    action = [folder, &globals] {
      return run_check(folder->empty() ? globals.definitions : *folder, globals);
    };
  });
}

}  // namespace sluice::app
