#include "app/loaders.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/receipt.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;
using definition::FileKind;
using definition::Problem;

bool is_error(const Problem& problem) { return problem.severity == Problem::Severity::error; }

std::vector<Problem> errors_of(const definition::FileReport& report) {
  std::vector<Problem> errors;
  std::copy_if(report.problems.begin(), report.problems.end(), std::back_inserter(errors), is_error);
  return errors;
}

std::string place_of(const Problem& problem) {
  const auto& [file, line, column] = problem.place;
  return line > 0 ? fmt::format("{}:{}:{}", file, line, column) : file;
}

std::string with_suggestion(const Problem& problem) {
  return problem.suggestion.empty() ? problem.message : problem.message + "; " + problem.suggestion;
}

Refusal refusal_of(std::string name, std::vector<Problem> problems) {
  Refusal refusal{.loader = std::move(name), .error = {}, .problems = std::move(problems)};
  const auto& first = refusal.problems.front();
  refusal.error = {
      .code = first.code, .where = place_of(first), .message = with_suggestion(first), .retry_after = {}};
  return refusal;
}

}  // namespace

service::ServiceOptions service_options(const GlobalOptions& options) {
  service::ServiceOptions service;
  service.definitions = options.definitions;
  service.data = options.data;
  service.database = options.database;
  service.allow_paths = options.allow_paths;
  service.allow_addresses = options.allow_addresses;
  service.allow_commands = options.allow_commands;
  service.version = SLUICE_VERSION;
  return service;
}

Result<service::DefinitionsPtr> read_definitions(const GlobalOptions& options) {
  SystemClock clock;
  service::CatalogKeeper keeper(service::check_options(service_options(options)), nullptr, clock);
  SLUICE_TRY(const auto changed, keeper.reload());
  static_cast<void>(changed);
  return keeper.current();
}

namespace {

std::vector<Refusal> broken_of(const service::Definitions& definitions,
                               std::initializer_list<FileKind> kinds) {
  std::vector<Refusal> broken;
  for (const auto& file : definitions.files) {
    const auto& report = file.report;
    auto errors = errors_of(report);
    if (std::find(kinds.begin(), kinds.end(), report.kind) != kinds.end() && !errors.empty())
      broken.push_back(refusal_of(report.name, std::move(errors)));
  }
  return broken;
}

}  // namespace

std::vector<Refusal> broken_loaders(const service::Definitions& definitions) {
  return broken_of(definitions, {FileKind::loader, FileKind::misnamed});
}

std::vector<Problem> service_problems(const service::Definitions& definitions) {
  std::vector<Problem> problems;
  for (const auto& file : definitions.files) {
    if (file.report.kind != FileKind::service) continue;
    const auto errors = errors_of(file.report);
    problems.insert(problems.end(), errors.begin(), errors.end());
  }
  return problems;
}

Refusal why_not(const service::Definitions& definitions, std::string_view name) {
  if (auto problems = service_problems(definitions); !problems.empty()) {
    auto refusal = refusal_of(std::string(name), std::move(problems));
    refusal.error.message += "; nothing can run without the service file";
    return refusal;
  }
  std::vector<std::string> names;
  for (auto& refusal : broken_of(definitions, {FileKind::loader, FileKind::job, FileKind::misnamed})) {
    if (refusal.loader == name) return std::move(refusal);
    names.push_back(std::move(refusal.loader));
  }
  for (const auto& loader : definitions.catalog->loaders) names.push_back(loader.spec.name);
  for (const auto& task : definitions.catalog->tasks) names.push_back(task.spec.name);
  const auto near = nearest(name, std::vector<std::string_view>(names.begin(), names.end()));
  auto message = fmt::format("there is no loader or job \"{}\" in the definitions", printable(name, 60));
  if (!near.empty()) {
    message =
        fmt::format("there is no loader or job \"{}\"; did you mean \"{}\"?", printable(name, 60), near);
  } else if (names.empty()) {
    message += "; they hold none";
  }
  return {.loader = std::string(name),
          .error = {.code = ErrorCode::invalid_argument, .where = {}, .message = message, .retry_after = {}},
          .problems = {}};
}

std::string shown(const Problem& problem, const std::filesystem::path& folder) {
  Problem copy = problem;
  copy.place.file = (folder / problem.place.file).string();
  auto text = definition::render(copy);
  if (problem.excerpt.empty()) return text;
  text += fmt::format("\n{:>6} | {}", problem.place.line, problem.excerpt);
  if (problem.caret > 0) text += fmt::format("\n{:>6} | {:>{}}", "", '^', problem.caret);
  return text;
}

Json to_json(const Problem& problem) {
  return {{"file", problem.place.file},
          {"line", problem.place.line},
          {"column", problem.place.column},
          {"severity", is_error(problem) ? "error" : "warning"},
          {"code", is_error(problem) ? Json(to_string(problem.code)) : Json(nullptr)},
          {"message", problem.message},
          {"suggestion", problem.suggestion.empty() ? Json(nullptr) : Json(problem.suggestion)}};
}

Json error_json(const Refusal& refusal) {
  Json json = {{"code", to_string(refusal.error.code)},
               {"retryable", refusal.error.retryable},
               {"where", refusal.error.where},
               {"message", refusal.error.message}};
  if (refusal.problems.empty()) return json;
  const auto& place = refusal.problems.front().place;
  json["file"] = place.file;
  json["line"] = place.line;
  json["column"] = place.column;
  json["problems"] = Json::array();
  for (const auto& problem : refusal.problems) json["problems"].push_back(to_json(problem));
  return json;
}

std::string refused_json(const Refusal& refusal, bool as_plan) {
  Receipt receipt;
  receipt.loader = refusal.loader;
  receipt.state = "failed";
  receipt.started_at = SystemClock().now();
  auto json = Json::parse(sluice::to_json(receipt));
  json["job"] = nullptr;  // there never was one
  json["error"] = error_json(refusal);
  if (as_plan) {
    json["ddl"] = Json::array();
    json["changes"] = Json::array();
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void explain(const Refusal& refusal, const GlobalOptions& options) {
  for (const auto& problem : refusal.problems) err("{}\n", shown(problem, options.definitions));
  if (refusal.problems.empty()) {
    err("sluice: error: {}\n", refusal.error.describe());
  } else {
    err("sluice: error: the definition of \"{}\" is not valid\n", printable(refusal.loader, 60));
  }
}

int report(const Refusal& refusal, const GlobalOptions& options) {
  if (options.json)
    out("{}\n", Json{{"error", error_json(refusal)}}.dump(-1, ' ', false, Json::error_handler_t::replace));
  explain(refusal, options);
  return exit_code_for(refusal.error.code);
}

}  // namespace sluice::app
