#include "definition/check.h"

#include "base/text.h"
#include "definition/build.h"
#include "definition/claims.h"
#include "definition/excerpt.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace sluice::definition {
namespace {

// What one loader file came to, before other files have a say.
struct LoaderOutcome {
  std::string name;
  std::optional<LoaderDefinition> definition;  // when valid
  std::vector<Problem> problems;
};

std::string stem_of(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return std::string(name.substr(0, name.find('.')));
}

// The name a file gives itself, even when the rest of it is wrong.
std::string name_of(const Document& document) {
  const Node* name =
      document.root != nullptr && document.root->is_map() ? document.root->get("name") : nullptr;
  return name != nullptr && name->is_scalar() && !name->value.empty() ? name->value : stem_of(document.file);
}

std::string without_place(const Problem& problem) {
  return problem.suggestion.empty() ? problem.message : problem.message + "; " + problem.suggestion;
}

// The root map of a file in full, or null when there is nothing to go on with.
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

}  // namespace

struct Checker::State {
  struct Cached {
    std::string hash, surroundings;
    std::size_t index = 0;  // in last->loaders
    std::vector<Problem> problems;
  };
  CheckOptions options;
  CatalogPtr last;
  std::unordered_map<std::string, Cached> cache;  // by path
};

namespace {

// One check from start to end.
class Run {
 public:
  Run(const std::vector<SourceFile>& files, const CheckOptions& options) : files_(files), options_(options) {
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

  // Everything that loaders refer to.
  void read_surroundings() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].kind == FileKind::loader || !readable(i)) continue;
      documents_[i] = parse_yaml(files_[i].path, files_[i].text);
      result_.files[i].name = name_of(*documents_[i]);
    }
    each(FileKind::service, [&](std::size_t i) { read_service(i); });
    each(FileKind::data_source, [&](std::size_t i) { read_data_source(i); });
    each(FileKind::entity, [&](std::size_t i) { read_entity(i); });
    settle(services_, "service", [&](const Claim& claim) { service_specs_.erase(claim.file); });
    if (!service_specs_.empty()) {
      auto& [file, service] = *service_specs_.begin();
      known_.service = service.spec;
      known_.service_file = files_[file].path;
      known_.defaults = service.defaults;
    }
    settle(data_sources_, "data source",
           [&](const Claim& claim) { drop(known_.data_sources, known_.broken_data_sources, claim); });
    settle(entities_, "entity",
           [&](const Claim& claim) { drop(known_.entities, known_.broken_entities, claim); });
    link_entities();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].kind != FileKind::loader) surroundings_ += files_[i].path + '\n' + files_[i].hash + '\n';
    }
    surroundings_ = hash_text(surroundings_);
  }

  const std::string& surroundings() const { return surroundings_; }

  LoaderOutcome read_loader(std::size_t i) {
    LoaderOutcome outcome;
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
    auto schedule = build_schedule(context, *root, known_, definition.spec.schedule);
    if (has_errors(outcome.problems) || !schedule) return outcome;
    definition.schedule = std::move(*schedule);
    const Node* phrase = child(child(root, "schedule"), "start");
    for (const auto& warning : definition.schedule.warnings)
      context.warn(phrase == nullptr ? *root : *phrase, "schedule: " + warning);
    definition.file = files_[i].path;
    definition.text = files_[i].text;
    definition.hash = files_[i].hash;
    definition.resolved_hash = hash_text(files_[i].hash + depends_on(*root));
    for (const auto& problem : outcome.problems) definition.warnings.push_back(without_place(problem));
    outcome.definition = std::move(definition);
    return outcome;
  }

  void take_loader(std::size_t i, LoaderOutcome outcome) {
    result_.files[i].name = outcome.name;
    result_.files[i].problems = std::move(outcome.problems);
    if (!outcome.definition) return;
    const auto& spec = outcome.definition->spec;
    loader_names_.push_back({i, spec.name, spec.name, spec.place});
    const auto& database = spec.target.database.empty() ? known_.service.database : spec.target.database;
    loader_tables_.push_back(
        {i, spec.target.table,
         database + '\0' + to_lower(spec.target.schema) + '\0' + to_lower(spec.target.table), spec.place});
    loaders_.emplace_back(i, std::move(*outcome.definition));
  }

  CheckResult finish() {
    settle(loader_names_, "loader", [&](const Claim& lost) {
      std::erase_if(loader_tables_, [&](const Claim& claim) { return claim.file == lost.file; });
    });
    settle(loader_tables_, "table", [](const Claim&) {});
    auto catalog = std::make_shared<Catalog>();
    catalog->service = known_.service;
    for (auto& [file, definition] : loaders_) {
      if (!has_errors(result_.files[file].problems)) catalog->loaders.push_back(std::move(definition));
    }
    std::sort(catalog->loaders.begin(), catalog->loaders.end(),
              [](const auto& a, const auto& b) { return a.spec.name < b.spec.name; });
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

 private:
  struct Service {
    ServiceSpec spec;
    const Node* defaults = nullptr;
  };

  bool readable(std::size_t i) {
    const auto& file = files_[i];
    auto& problems = result_.files[i].problems;
    const auto whole_file = [&](Problem::Severity severity, std::string message, std::string suggestion) {
      problems.push_back({severity, {file.path, 0, 0}, std::move(message), std::move(suggestion)});
      return false;
    };
    if (file.kind == FileKind::misnamed && !file.problem.empty())
      return whole_file(Problem::Severity::warning, file.problem, "");
    if (file.kind == FileKind::misnamed) {
      auto name = classify(file.path);
      if (!name) return false;
      const bool error = !file.nox && !name->suggestion.empty();
      return whole_file(error ? Problem::Severity::error : Problem::Severity::warning, name->message,
                        name->suggestion);
    }
    if (!file.problem.empty()) return whole_file(Problem::Severity::error, file.problem, "");
    if (file.kind == FileKind::job)
      return whole_file(Problem::Severity::error, "job definitions are not available yet", "");
    return true;
  }

  template <class Function>
  void each(FileKind kind, Function function) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].kind == kind && documents_[i] != nullptr) function(i);
    }
  }

  Context context_for(std::size_t i) {
    return {options_, documents_[i].get(), files_[i].nox, pool_, result_.files[i].problems};
  }

  void read_service(std::size_t i) {
    auto context = context_for(i);
    const Node* root = read_root(context, service_concept());
    if (root == nullptr) {
      services_.push_back({i, files_[i].path, "", {files_[i].path, 1, 1}});
      return;
    }
    services_.push_back({i, files_[i].path, "", root->place()});
    Service service;
    service.spec = build_service(context, *root);
    service.defaults = child(root, "defaults");
    if (const Node* list = child(root, "dataSources")) {
      for (const auto& entry : list->entries) add_data_source(context, i, *entry.value);
    }
    if (!has_errors(result_.files[i].problems)) service_specs_.emplace(i, std::move(service));
  }

  void read_data_source(std::size_t i) {
    auto context = context_for(i);
    if (const Node* root = read_root(context, data_source_concept())) {
      add_data_source(context, i, *root);
    } else {
      known_.broken_data_sources.emplace(result_.files[i].name, files_[i].path);
    }
  }

  void add_data_source(Context& context, std::size_t i, const Node& node) {
    const auto errors_before = context.problems.size();
    auto source = build_data_source(context, node);
    source.file = files_[i].path;
    const bool own_file = files_[i].kind == FileKind::data_source;
    const bool broken = own_file ? has_errors(context.problems) : context.problems.size() > errors_before;
    if (broken || source.name.empty()) {
      known_.broken_data_sources.emplace(source.name.empty() ? result_.files[i].name : source.name,
                                         files_[i].path);
      return;
    }
    data_sources_.push_back({i, source.name, source.name, source.place});
    const auto name = source.name;
    if (files_[i].accepted) known_.data_sources.erase(name);
    known_.data_sources.emplace(name, std::move(source));
  }

  void read_entity(std::size_t i) {
    auto context = context_for(i);
    const Node* root = read_root(context, entity_concept());
    if (root != nullptr) {
      auto entity = build_entity(context, *root);
      entity.file = files_[i].path;
      if (!has_errors(context.problems)) {
        entities_.push_back({i, entity.name, entity.name, entity.place});
        const auto name = entity.name;
        if (files_[i].accepted) known_.entities.erase(name);
        known_.entities.emplace(name, std::move(entity));
        return;
      }
    }
    known_.broken_entities.emplace(result_.files[i].name, files_[i].path);
  }

  void link_entities() {
    const auto unlinked = known_.entities;
    for (const auto& claim : entities_) {
      const auto entity = known_.entities.find(claim.name);
      if (entity == known_.entities.end() || entity->second.file != files_[claim.file].path) continue;
      auto context = context_for(claim.file);
      link_entity(context, entity->second, unlinked);
      if (!has_errors(context.problems)) continue;
      known_.broken_entities.emplace(claim.name, files_[claim.file].path);
      known_.entities.erase(entity);
    }
  }

  // The loser's definition is gone; the winner's, if there is one, stays.
  template <class Map>
  void drop(Map& map, std::map<std::string, std::string, std::less<>>& broken, const Claim& claim) {
    const auto found = map.find(claim.name);
    if (found != map.end() && found->second.file == files_[claim.file].path) map.erase(found);
    if (!map.contains(claim.name)) broken.emplace(claim.name, files_[claim.file].path);
  }

  // Judges claims that clash; `lost` is told of each one refused, the winner excepted.
  template <class Lost>
  void settle(const std::vector<Claim>& claims, std::string_view what, Lost lost) {
    for (auto& clash : clashes(claims, files_, what)) {
      result_.files[clash.claim.file].problems.push_back(std::move(clash.problem));
      lost(clash.claim);
    }
  }

  // The hashes of the files, besides its own, that a loader is made from.
  std::string depends_on(const Node& root) const {
    std::string hashes;
    const auto add = [&](std::string_view path) {
      for (const auto& file : files_) {
        if (file.kind != FileKind::loader && file.path == path) hashes += file.hash;
      }
    };
    if (!known_.service_file.empty()) add(known_.service_file);
    const auto entity = known_.entities.find(text_of(child(&root, "target"), "entity"));
    if (entity != known_.entities.end()) add(entity->second.file);
    if (const Node* sources = child(&root, "source")) {
      for (const auto& entry : sources->entries) {
        const auto source = known_.data_sources.find(text_of(entry.value, "dataSource"));
        if (source != known_.data_sources.end() && source->second.file != known_.service_file)
          add(source->second.file);
      }
    }
    return hashes;
  }

  const std::vector<SourceFile>& files_;
  const CheckOptions& options_;
  CheckResult result_;
  std::vector<std::shared_ptr<const Document>> documents_;  // of all files but loaders
  NodePool pool_;
  Known known_;
  std::map<std::size_t, Service> service_specs_;
  std::vector<Claim> services_, data_sources_, entities_, loader_names_, loader_tables_;
  std::vector<std::pair<std::size_t, LoaderDefinition>> loaders_;
  std::string surroundings_;

 public:
  bool loader_readable(std::size_t i) { return files_[i].kind == FileKind::loader && readable(i); }
};

}  // namespace

Checker::Checker(CheckOptions options) : state_(std::make_unique<State>()) {
  // Real paths are compared with real folders; those are found once, not for each source.
  for (auto& path : options.allowed_paths) path = real_path(path);
  const auto root = real_path(options.root);
  options.allowed_paths.push_back(root.has_parent_path() ? root.parent_path() : root);
  state_->options = std::move(options);
}
Checker::~Checker() = default;
Checker::Checker(Checker&&) noexcept = default;
Checker& Checker::operator=(Checker&&) noexcept = default;

const CheckOptions& Checker::options() const { return state_->options; }

CheckResult Checker::check(const std::vector<SourceFile>& files) {
  Run run(files, state_->options);
  run.read_surroundings();
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!run.loader_readable(i)) continue;
    const auto known = state_->cache.find(files[i].path);
    if (known != state_->cache.end() && known->second.hash == files[i].hash &&
        known->second.surroundings == run.surroundings()) {
      const auto& definition = state_->last->loaders[known->second.index];
      run.take_loader(i, {definition.spec.name, definition, known->second.problems});
    } else {
      run.take_loader(i, run.read_loader(i));
    }
  }
  const auto surroundings = run.surroundings();
  auto result = run.finish();
  state_->last = result.catalog;
  state_->cache.clear();
  std::unordered_map<std::string_view, const FileReport*> reports;
  for (const auto& report : result.files) reports.emplace(report.file, &report);
  for (std::size_t i = 0; i < result.catalog->loaders.size(); ++i) {
    const auto& loader = result.catalog->loaders[i];
    // A file named by ${file:…} may change without a change of this one.
    if (loader.text.find("${file:") != std::string::npos) continue;
    state_->cache.emplace(loader.file,
                          State::Cached{loader.hash, surroundings, i, reports.at(loader.file)->problems});
  }
  return result;
}

CheckResult check(const std::vector<SourceFile>& files, const CheckOptions& options) {
  return Checker(options).check(files);
}

}  // namespace sluice::definition
