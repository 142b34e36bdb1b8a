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

std::string_view Catalog::nearest_name(std::string_view loader) const {
  std::vector<std::string_view> names;
  names.reserve(loaders.size());
  for (const auto& definition : loaders) names.push_back(definition.spec.name);
  return nearest(loader, names);
}

}  // namespace sluice::definition
