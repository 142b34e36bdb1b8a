#include "service/catalog_keeper.h"

#include "definition/source_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace sluice::service {
namespace {

using definition::SourceFile;
using StoredByPath = std::unordered_map<std::string, const jobs::StoredDefinition*>;

StoredByPath by_path(const std::vector<jobs::StoredDefinition>& stored) {
  StoredByPath result;
  for (const auto& definition : stored) result[definition.path] = &definition;
  return result;
}

// A definition that was accepted from a folder which cannot be read now is not gone: nobody knows. It is
// given as a file that cannot be read either, and so goes on as it was accepted.
void add_hidden(std::vector<SourceFile>& files, const std::vector<jobs::StoredDefinition>& remembered) {
  std::vector<SourceFile> hidden;
  for (const auto& folder : files) {
    if (folder.kind != definition::FileKind::folder) continue;
    for (const auto& definition : remembered) {
      const bool listed = std::any_of(files.begin(), files.end(),
                                      [&](const auto& file) { return file.path == definition.path; });
      if (listed || !definition.path.starts_with(folder.path)) continue;
      auto file = definition::make_source_file(definition.path, "");
      file.hash.clear();
      file.problem = fmt::format("cannot be read: its folder {} {}", folder.path, folder.problem);
      hidden.push_back(std::move(file));
    }
  }
  files.insert(files.end(), std::make_move_iterator(hidden.begin()), std::make_move_iterator(hidden.end()));
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
}

// The files with each broken one replaced by its last accepted text. Empty when none could be.
std::vector<SourceFile> with_stored_texts(const std::vector<SourceFile>& files,
                                          const definition::CheckResult& checked, const StoredByPath& stored,
                                          std::set<std::string>& replaced) {
  std::vector<SourceFile> result = files;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (checked.files[i].valid) continue;
    const auto found = stored.find(files[i].path);
    if (found == stored.end() || found->second->hash == files[i].hash) continue;
    result[i] = definition::make_source_file(files[i].path, found->second->text);
    result[i].accepted = true;
    replaced.insert(files[i].path);
  }
  if (replaced.empty()) result.clear();
  return result;
}

// Those of the previous snapshot whose file is still there but whose definition is not valid any more (an
// entity or data source they need was changed).
template <class Definition>
std::vector<const Definition*> kept_of(const std::vector<Definition>& next,
                                       const std::vector<Definition>& previous,
                                       const std::vector<SourceFile>& files) {
  std::unordered_set<std::string_view> defining;  // files that define one now, whatever its name
  std::unordered_set<std::string_view> names;
  for (const auto& definition : next) {
    defining.insert(definition.file);
    names.insert(definition.spec.name);
  }
  std::vector<const Definition*> kept;
  for (const auto& definition : previous) {
    if (names.contains(definition.spec.name) || defining.contains(definition.file)) continue;
    const bool file_exists =
        std::any_of(files.begin(), files.end(), [&](const auto& f) { return f.path == definition.file; });
    if (file_exists) kept.push_back(&definition);
  }
  return kept;
}

template <class Definition>
void add_kept(std::vector<Definition>& definitions, const std::vector<const Definition*>& kept) {
  for (const auto* definition : kept) definitions.push_back(*definition);
  std::sort(definitions.begin(), definitions.end(),
            [](const auto& a, const auto& b) { return a.spec.name < b.spec.name; });
}

// What ran goes on as it was.
definition::CatalogPtr carry_over(const definition::CatalogPtr& next, const definition::CatalogPtr& previous,
                                  const std::vector<SourceFile>& files) {
  if (!previous) return next;
  auto loaders = kept_of(next->loaders, previous->loaders, files);
  auto tasks = kept_of(next->tasks, previous->tasks, files);
  // A name that has come to be the other kind's is that one's now.
  std::erase_if(loaders, [&](const auto* one) { return next->find_task(one->spec.name) != nullptr; });
  std::erase_if(tasks, [&](const auto* one) { return next->find(one->spec.name) != nullptr; });
  if (loaders.empty() && tasks.empty()) return next;
  auto merged = std::make_shared<definition::Catalog>(*next);
  add_kept(merged->loaders, loaders);
  add_kept(merged->tasks, tasks);
  return merged;
}

template <class Definition>
std::set<std::string> names_of(const std::vector<Definition>& definitions) {
  std::set<std::string> names;
  for (const auto& definition : definitions) names.insert(definition.spec.name);
  return names;
}

template <class Definition>
std::vector<std::string> new_names(const std::vector<Definition>& before,
                                   const std::vector<Definition>& after) {
  const auto old_names = names_of(before);
  const auto names = names_of(after);
  std::vector<std::string> added;
  std::set_difference(names.begin(), names.end(), old_names.begin(), old_names.end(),
                      std::back_inserter(added));
  return added;
}

// Loaders or jobs that ran or were remembered and whose file is gone, or now defines something else. A file
// that is there but broken takes nothing away.
template <class Definition>
std::vector<std::string> removed_names(std::string_view kind, const std::vector<Definition>& previous,
                                       const std::vector<Definition>& now,
                                       const std::vector<jobs::StoredDefinition>& remembered,
                                       const std::vector<FileState>& files) {
  std::map<std::string, std::string> known;  // name -> file
  for (const auto& definition : remembered) {
    if (definition.kind == kind) known[definition.name] = definition.path;
  }
  for (const auto& definition : previous) known[definition.spec.name] = definition.file;
  const auto names = names_of(now);
  std::vector<std::string> removed;
  for (const auto& [name, file] : known) {
    if (names.contains(name)) continue;
    const auto found = std::find_if(files.begin(), files.end(),
                                    [&](const auto& state) { return state.report.file == file; });
    const bool gone = found == files.end() || (found->report.valid && found->report.name != name);
    if (gone) removed.push_back(name);
  }
  return removed;
}

}  // namespace

CatalogKeeper::CatalogKeeper(definition::CheckOptions options, jobs::DefinitionStore* store, Clock& clock)
    : checker_(std::move(options)), store_(store), clock_(clock) {
  auto empty = std::make_shared<Definitions>();
  empty->catalog = std::make_shared<const definition::Catalog>();
  current_ = std::move(empty);
}

DefinitionsPtr CatalogKeeper::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

Result<std::vector<jobs::StoredDefinition>> CatalogKeeper::stored() const {
  if (store_ == nullptr) return std::vector<jobs::StoredDefinition>{};
  return store_->load();
}

Result<CatalogKeeper::Changed> CatalogKeeper::reload() {
  SLUICE_TRY(auto files, definition::read_folder(checker_.options().root));
  SLUICE_TRY(const auto remembered, stored());
  std::map<std::string, std::string> differing;
  if (shared_ != nullptr) {
    SLUICE_TRY(differing, shared_->adopt(files, remembered));
  }
  add_hidden(files, remembered);
  const auto remembered_by_path = by_path(remembered);
  // A text that ran before keeps its name and table when a copy of it turns up.
  for (auto& file : files) {
    const auto found = remembered_by_path.find(file.path);
    file.accepted = found != remembered_by_path.end() && found->second->hash == file.hash;
  }
  const auto checked = checker_.check(files);

  auto next = std::make_shared<Definitions>();
  next->catalog = checked.catalog;
  next->problems = checked.problems;
  for (const auto& [path, why] : differing) {
    next->problems.push_back({.severity = definition::Problem::Severity::warning,
                              .place = {.file = path, .line = 0, .column = 0},
                              .message = why,
                              .suggestion = {},
                              .code = ErrorCode::conflict});
  }
  std::set<std::string> replaced;
  if (!checked.ok()) {
    const auto repaired = with_stored_texts(files, checked, remembered_by_path, replaced);
    if (!repaired.empty()) next->catalog = checker_.check(repaired).catalog;
  }
  const auto previous = current();
  // Without a service file that can be read nobody knows the database and the defaults: what ran goes on as
  // it was.
  next->catalog =
      next->catalog->service_valid ? carry_over(next->catalog, previous->catalog, files) : previous->catalog;

  const auto now = clock_.now();
  for (std::size_t i = 0; i < files.size(); ++i) {
    FileState state{.report = checked.files[i], .using_stored = false, .accepted_at = {}};
    const auto found = remembered_by_path.find(files[i].path);
    state.using_stored = replaced.contains(files[i].path);
    if (const auto found_why = differing.find(files[i].path); found_why != differing.end()) {
      state.differs = true;
      for (const auto& problem : next->problems) {
        if (problem.code == ErrorCode::conflict && problem.place.file == files[i].path)
          state.report.problems.push_back(problem);
      }
    }
    if (found != remembered_by_path.end()) {
      if (state.report.name.empty()) state.report.name = found->second->name;
      if (state.using_stored || found->second->hash == files[i].hash)
        state.accepted_at = found->second->accepted_at;
    }
    if (state.report.valid && !state.accepted_at) state.accepted_at = now;
    next->files.push_back(std::move(state));
  }
  SLUICE_CHECK(remember(files, *next, remembered));

  const auto& was = *previous->catalog;
  const auto& is = *next->catalog;
  Changed changed{.added = new_names(was.loaders, is.loaders),
                  .removed = removed_names("loader", was.loaders, is.loaders, remembered, next->files),
                  .added_tasks = new_names(was.tasks, is.tasks),
                  .removed_tasks = removed_names("job", was.tasks, is.tasks, remembered, next->files)};
  std::lock_guard lock(mutex_);
  current_ = std::move(next);
  return changed;
}

Result<void> CatalogKeeper::remember(const std::vector<SourceFile>& files, const Definitions& next,
                                     const std::vector<jobs::StoredDefinition>& stored) {
  if (store_ == nullptr) return {};
  const auto known = by_path(stored);
  std::vector<jobs::StoredDefinition> accepted;
  std::set<std::string> paths;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& report = next.files[i].report;
    paths.insert(files[i].path);
    const auto found = known.find(files[i].path);
    if (report.valid) {
      if (found != known.end() && found->second->hash == files[i].hash && found->second->error.empty())
        continue;
      accepted.push_back({.kind = std::string(to_string(report.kind)),
                          .name = report.name,
                          .path = files[i].path,
                          .text = files[i].text,
                          .hash = files[i].hash,
                          .accepted_at = *next.files[i].accepted_at,
                          .error = {}});
    } else if (found != known.end()) {
      std::string error;
      for (const auto& problem : report.problems)
        error += (error.empty() ? "" : "\n") + definition::render(problem);
      if (error != found->second->error) {
        SLUICE_CHECK(store_->set_error(found->second->kind, found->second->name, error));
      }
    }
  }
  if (!accepted.empty()) SLUICE_CHECK(store_->save(accepted));
  std::set<std::pair<std::string_view, std::string_view>> taken_over;  // kind and name
  std::unordered_map<std::string_view, const jobs::StoredDefinition*> accepted_by_path;
  for (const auto& definition : accepted) {
    taken_over.emplace(definition.kind, definition.name);
    accepted_by_path[definition.path] = &definition;
  }
  for (const auto& definition : stored) {
    if (taken_over.contains({definition.kind, definition.name})) continue;
    // A definition is forgotten when its file is gone, or when the file now defines something else.
    if (accepted_by_path.contains(definition.path) || !paths.contains(definition.path))
      SLUICE_CHECK(store_->remove(definition.kind, definition.name));
  }
  return {};
}

}  // namespace sluice::service
