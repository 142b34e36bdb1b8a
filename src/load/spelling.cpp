#include "load/spelling.h"

#include "base/text.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

namespace sluice::load {
namespace {

using Names = std::unordered_set<std::string>;
using ByFolded = std::unordered_map<std::string, std::vector<std::string>>;

// The known name that a field of this item is another spelling of; "" = none.
std::string meant_by(const std::string& field, const ByFolded& known, const Names& in_item) {
  const auto group = known.find(to_lower(field));
  if (group == known.end()) return {};
  std::string meant;
  for (const auto& name : group->second) {
    if (in_item.contains(name)) continue;  // that one is there itself
    if (!meant.empty()) return {};         // two columns are told apart by case alone: no guess
    meant = name;
  }
  return meant;
}

}  // namespace

Result<Spelled> match_spelling(const std::vector<decode::Probe>& seen, const std::vector<std::string>& known,
                               const std::vector<std::string>& labels) {
  Spelled result{.seen = seen, .spellings = Spellings(seen.size())};
  ByFolded folded;
  Names exact;
  const auto learn = [&](const std::string& name) {
    if (exact.insert(name).second) folded[to_lower(name)].push_back(name);
  };
  for (const auto& name : known) learn(name);
  for (std::size_t item = 0; item < seen.size(); ++item) {
    Names in_item;
    for (const auto& field : seen[item].columns) in_item.insert(field.name);
    auto& spelled = result.spellings[item];
    for (auto& field : result.seen[item].columns) {
      if (exact.contains(field.name)) continue;
      const auto meant = meant_by(field.name, folded, in_item);
      if (meant.empty()) {
        learn(field.name);
        continue;
      }
      const auto [at, fresh] = spelled.emplace(meant, field.name);
      if (!fresh) {
        return fail(
            ErrorCode::invalid_definition,
            fmt::format("{} has no field \"{}\", but both \"{}\" and \"{}\", which differ only in case: say "
                        "which one is meant with columns: {{NAME: {{from: \"{}\"}}}}",
                        labels.at(item), meant, at->second, field.name, field.name));
      }
      field.name = meant;
    }
  }
  return result;
}

}  // namespace sluice::load
