#include "definition/catalog.h"

#include "base/text.h"

#include <algorithm>

namespace sluice::definition {

const LoaderDefinition* Catalog::find(std::string_view loader) const {
  const auto found = std::lower_bound(
      loaders.begin(), loaders.end(), loader,
      [](const LoaderDefinition& definition, std::string_view name) { return definition.spec.name < name; });
  return found != loaders.end() && found->spec.name == loader ? &*found : nullptr;
}

const TaskDefinition* Catalog::find_task(std::string_view name) const {
  const auto found = std::lower_bound(
      tasks.begin(), tasks.end(), name,
      [](const TaskDefinition& task, std::string_view wanted) { return task.spec.name < wanted; });
  return found != tasks.end() && found->spec.name == name ? &*found : nullptr;
}

Runnable Catalog::find_runnable(std::string_view name) const { return {find(name), find_task(name)}; }

std::vector<std::string_view> Catalog::followers_of(std::string_view name) const {
  std::vector<std::string_view> followers;
  const auto look = [&](const auto& definitions) {
    for (const auto& definition : definitions) {
      const auto& names = definition.after.names;
      if (std::find(names.begin(), names.end(), name) != names.end())
        followers.push_back(definition.spec.name);
    }
  };
  look(loaders);
  look(tasks);
  std::sort(followers.begin(), followers.end());
  return followers;
}

std::string_view Catalog::nearest_name(std::string_view name) const {
  std::vector<std::string_view> names;
  names.reserve(loaders.size() + tasks.size());
  for (const auto& loader : loaders) names.push_back(loader.spec.name);
  for (const auto& task : tasks) names.push_back(task.spec.name);
  return nearest(name, names);
}

std::string_view to_string(After::On on) {
  constexpr std::string_view kNames[] = {"success", "failure", "always"};
  return kNames[static_cast<std::size_t>(on)];
}

}  // namespace sluice::definition
