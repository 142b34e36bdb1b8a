#include "definition/check_run.h"

#include "base/text.h"
#include "definition/after.h"
#include "definition/excerpt.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace sluice::definition {
namespace {

std::string without_place(const Problem& problem) {
  return problem.suggestion.empty() ? problem.message : problem.message + "; " + problem.suggestion;
}

void warn_of_schedule(Context& context, const Node& root, const english_cron::Translation& schedule) {
  const Node* phrase = child(child(&root, "schedule"), "start");
  for (const auto& warning : schedule.warnings)
    context.warn(phrase == nullptr ? root : *phrase, "schedule: " + warning);
}

template <class Definition>
void sort_by_name(std::vector<Definition>& definitions) {
  std::sort(definitions.begin(), definitions.end(),
            [](const auto& a, const auto& b) { return a.spec.name < b.spec.name; });
}

// What a definition has of its file, once its schedule is known to be good.
template <class Definition>
void complete(Context& context, const Node& root, const SourceFile& file,
              decltype(Definition::schedule) schedule, Definition& definition) {
  definition.schedule = std::move(schedule);
  warn_of_schedule(context, root, definition.schedule);
  definition.file = file.path;
  definition.text = file.text;
  definition.hash = file.hash;
}

}  // namespace

std::string stem_of(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return std::string(name.substr(0, name.find('.')));
}

std::string name_of(const Document& document) {
  const Node* name =
      document.root != nullptr && document.root->is_map() ? document.root->get("name") : nullptr;
  return name != nullptr && name->is_scalar() && !name->value.empty() ? name->value : stem_of(document.file);
}

const Node* read_root(Context& context, const Concept& table) {
  const Document& document = *context.document;
  context.problems.insert(context.problems.end(), document.problems.begin(), document.problems.end());
  if (has_errors(document.problems)) return nullptr;
  if (document.root == nullptr || document.root->is_null()) {
    context.error(Place{document.file, 1, 1}, "the file is empty");
    return nullptr;
  }
  const Node* root = normalise(context, *document.root, table);
  return document.root->is_map() ? root : nullptr;
}

CheckRun::CheckRun(const std::vector<SourceFile>& files, const CheckOptions& options)
    : files_(files), options_(options) {
  documents_.resize(files.size());
  result_.files.resize(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto& report = result_.files[i];
    report.file = files[i].path;
    report.kind = files[i].kind;
    report.nox = files[i].nox;
    report.hash = files[i].hash;
    report.name = stem_of(files[i].path);
  }
}

Outcome<LoaderDefinition> CheckRun::read_loader(std::size_t i) {
  Outcome<LoaderDefinition> outcome;
  const auto document = parse_yaml(files_[i].path, files_[i].text);
  outcome.name = name_of(*document);
  NodePool pool;
  Context context{options_, document.get(), files_[i].nox, pool, outcome.problems};
  const Node* root = read_root(context, loader_concept());
  if (root == nullptr) return outcome;
  root = merge(pool, known_.defaults, root);
  LoaderDefinition definition;
  definition.spec = build_loader(context, *root, known_);
  definition.pacing = build_pacing(context, *root);
  definition.after = build_after(context, *root);
  auto schedule =
      build_schedule(context, *root, known_, "a loader", definition.after, definition.spec.schedule);
  if (has_errors(outcome.problems) || !schedule) return outcome;
  complete(context, *root, files_[i], *std::move(schedule), definition);
  definition.resolved_hash = hash_text(files_[i].hash + depends_on(*root));
  for (const auto& problem : outcome.problems) definition.warnings.push_back(without_place(problem));
  outcome.definition = std::move(definition);
  return outcome;
}

void CheckRun::take_loader(std::size_t i, Outcome<LoaderDefinition> outcome) {
  if (!note(i, outcome)) return;
  const auto& spec = outcome.definition->spec;
  const auto& database = spec.target.database.empty() ? known_.service.database : spec.target.database;
  loader_tables_.push_back(
      {i, spec.target.table,
       database + '\0' + to_lower(spec.target.schema) + '\0' + to_lower(spec.target.table), spec.place});
  loaders_.emplace_back(i, std::move(*outcome.definition));
}

Outcome<TaskDefinition> CheckRun::read_task(std::size_t i) {
  Outcome<TaskDefinition> outcome;
  const auto document = parse_yaml(files_[i].path, files_[i].text);
  outcome.name = name_of(*document);
  NodePool pool;
  Context context{options_, document.get(), files_[i].nox, pool, outcome.problems};
  const Node* root = read_root(context, task_concept());
  if (root == nullptr) return outcome;
  TaskDefinition definition;
  definition.spec = build_task(context, *root, known_);
  definition.pacing = build_pacing(context, *root);
  definition.after = build_after(context, *root);
  auto schedule = build_schedule(context, *root, known_, "a job", definition.after, definition.spec.schedule);
  if (has_errors(outcome.problems) || !schedule) return outcome;
  complete(context, *root, files_[i], *std::move(schedule), definition);
  outcome.definition = std::move(definition);
  return outcome;
}

void CheckRun::take_task(std::size_t i, Outcome<TaskDefinition> outcome) {
  if (!note(i, outcome)) return;
  tasks_.emplace_back(i, std::move(*outcome.definition));
}

void CheckRun::check_after() {
  std::vector<Waiting> waiting;
  const auto add = [&](const auto& definitions) {
    for (const auto& [file, definition] : definitions)
      waiting.push_back({file, definition.spec.name, &definition.after});
  };
  add(loaders_);
  add(tasks_);
  // A file that is not valid has its name all the same: it may run as it was accepted.
  std::vector<std::string_view> names;
  for (const auto& report : result_.files) {
    if (report.kind == FileKind::loader || report.kind == FileKind::job) names.push_back(report.name);
  }
  for (auto& problem : problems_of_after(waiting, names))
    result_.files[problem.file].problems.push_back(std::move(problem.problem));
}

CheckResult CheckRun::finish() {
  settle(names_, "runnable", [&](const Claim& lost) {
    std::erase_if(loader_tables_, [&](const Claim& claim) { return claim.file == lost.file; });
  });
  settle(loader_tables_, "table", [](const Claim&) {});
  check_after();
  auto catalog = std::make_shared<Catalog>();
  catalog->service = known_.service;
  for (auto& [file, definition] : loaders_) {
    if (!has_errors(result_.files[file].problems)) catalog->loaders.push_back(std::move(definition));
  }
  for (auto& [file, definition] : tasks_) {
    if (!has_errors(result_.files[file].problems)) catalog->tasks.push_back(std::move(definition));
  }
  sort_by_name(catalog->loaders);
  sort_by_name(catalog->tasks);
  return report(std::move(catalog));
}

CheckResult CheckRun::report(std::shared_ptr<Catalog> catalog) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    auto& report = result_.files[i];
    std::stable_sort(report.problems.begin(), report.problems.end(), [](const auto& a, const auto& b) {
      return std::tie(a.place.file, a.place.line, a.place.column) <
             std::tie(b.place.file, b.place.line, b.place.column);
    });
    add_excerpts(report.problems, files_, i);
    report.valid = report.kind != FileKind::misnamed && !has_errors(report.problems);
    if (report.valid) lines.push_back(report.file + '\n' + report.hash + '\n');
    if (report.kind == FileKind::service && !report.valid) catalog->service_valid = false;
    result_.problems.insert(result_.problems.end(), report.problems.begin(), report.problems.end());
  }
  std::sort(lines.begin(), lines.end());
  catalog->hash = hash_text(fmt::format("{}", fmt::join(lines, "")));
  result_.catalog = std::move(catalog);
  return std::move(result_);
}

}  // namespace sluice::definition
