// Services, data sources and entities: what loaders and jobs refer to.
#include "definition/check_run.h"

namespace sluice::definition {
namespace {

// Nothing is made from these but themselves.
bool is_runnable(FileKind kind) { return kind == FileKind::loader || kind == FileKind::job; }

}  // namespace

bool CheckRun::readable(std::size_t i) {
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
  return true;
}

void CheckRun::read_surroundings() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (is_runnable(files_[i].kind) || !readable(i)) continue;
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
    if (!is_runnable(files_[i].kind)) surroundings_ += files_[i].path + '\n' + files_[i].hash + '\n';
  }
  surroundings_ = hash_text(surroundings_);
}

void CheckRun::read_service(std::size_t i) {
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

void CheckRun::read_data_source(std::size_t i) {
  auto context = context_for(i);
  if (const Node* root = read_root(context, data_source_concept())) {
    add_data_source(context, i, *root);
  } else {
    known_.broken_data_sources.emplace(result_.files[i].name, files_[i].path);
  }
}

void CheckRun::add_data_source(Context& context, std::size_t i, const Node& node) {
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

void CheckRun::read_entity(std::size_t i) {
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

void CheckRun::link_entities() {
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

std::string CheckRun::depends_on(const Node& root) const {
  std::string hashes;
  const auto add = [&](std::string_view path) {
    for (const auto& file : files_) {
      if (!is_runnable(file.kind) && file.path == path) hashes += file.hash;
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

}  // namespace sluice::definition
