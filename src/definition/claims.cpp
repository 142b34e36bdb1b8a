#include "definition/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace sluice::definition {
namespace {

std::string message_for(std::string_view what, const Claim& claim, const Place& other) {
  const auto where = fmt::format("{}:{}", other.file, other.line);
  if (what == "service") return fmt::format("there is more than one service file; {} is another", other.file);
  if (what == "table") return fmt::format("the table \"{}\" is also loaded by {}", claim.name, where);
  return fmt::format("the {} \"{}\" is also defined in {}", what, claim.name, where);
}

std::string_view suggestion_for(std::string_view what) {
  if (what == "service") return "keep one of them";
  if (what == "table")
    return "a table has one owner: name another with target.table, or put both sources into one loader";
  return "names are unique; rename one of them";
}

}  // namespace

std::vector<Clash> clashes(const std::vector<Claim>& claims, const std::vector<SourceFile>& files,
                           std::string_view what) {
  std::unordered_map<std::string_view, std::vector<const Claim*>> by_key;
  for (const auto& claim : claims) by_key[claim.key].push_back(&claim);
  std::vector<Clash> lost;
  for (const auto& claim : claims) {
    const auto& group = by_key[claim.key];
    if (group.size() < 2) continue;
    const auto accepted = [&](const Claim* other) { return files[other->file].accepted; };
    const auto winners = std::count_if(group.begin(), group.end(), accepted);
    if (winners == 1 && files[claim.file].accepted) continue;
    const Claim* other = nullptr;
    for (const Claim* candidate : group) {
      if (candidate != &claim && (other == nullptr || (winners == 1 && accepted(candidate))))
        other = candidate;
    }
    lost.push_back(
        {claim,
         {Problem::Severity::error, claim.place,
          message_for(what == "runnable" ? to_string(files[claim.file].kind) : what, claim, other->place),
          std::string(suggestion_for(what))}});
  }
  return lost;
}

}  // namespace sluice::definition
