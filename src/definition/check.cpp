#include "definition/check.h"

#include "definition/check_run.h"
#include "definition/context.h"

#include <unordered_map>
#include <utility>

namespace sluice::definition {

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
  CheckRun run(files, state_->options);
  run.read_surroundings();
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].kind == FileKind::job && run.readable(i)) run.take_task(i, run.read_task(i));
    if (files[i].kind != FileKind::loader || !run.readable(i)) continue;
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
