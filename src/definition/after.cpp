#include "definition/after.h"

#include "base/text.h"
#include "definition/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace sluice::definition {
namespace {

using ByName = std::unordered_map<std::string_view, const Waiting*>;

// Depth first from one name back to it; empty when it does not wait for itself. A graph of thousands is
// walked with a stack of our own.
std::vector<std::string_view> way_back(const ByName& by_name, std::string_view start) {
  struct Step {
    const Waiting* at;
    std::size_t next = 0;
  };
  std::unordered_set<std::string_view> seen;
  std::vector<Step> way = {{by_name.at(start)}};
  while (!way.empty()) {
    auto& [at, next] = way.back();
    if (next == at->after->names.size()) {
      way.pop_back();
      continue;
    }
    const std::string_view name = at->after->names[next++];
    if (name == start) {
      std::vector<std::string_view> names;
      names.reserve(way.size() + 1);
      for (const auto& step : way) names.push_back(step.at->name);
      names.push_back(start);
      return names;
    }
    const auto found = by_name.find(name);
    if (found != by_name.end() && seen.insert(name).second) way.push_back({found->second});
  }
  return {};
}

// Leaves only those that are part of a circle or wait for one, so that way_back() is asked of few.
void drop_settled(ByName& by_name) {
  std::unordered_map<std::string_view, std::size_t> waits_for;  // how many that are still there
  std::unordered_map<std::string_view, std::vector<std::string_view>> followers;
  std::vector<std::string_view> settled;
  for (const auto& [name, one] : by_name) {
    std::size_t count = 0;
    for (const std::string_view other : one->after->names) {
      if (!by_name.contains(other)) continue;
      ++count;
      followers[other].push_back(name);
    }
    waits_for[name] = count;
    if (count == 0) settled.push_back(name);
  }
  while (!settled.empty()) {
    const auto name = settled.back();
    settled.pop_back();
    by_name.erase(name);
    for (const auto follower : followers[name]) {
      if (--waits_for[follower] == 0) settled.push_back(follower);
    }
  }
}

}  // namespace

std::vector<AfterProblem> problems_of_after(std::span<const Waiting> waiting,
                                            const std::vector<std::string_view>& names) {
  std::vector<AfterProblem> problems;
  const std::unordered_set<std::string_view> known(names.begin(), names.end());
  ByName by_name;
  for (const auto& one : waiting) {
    if (!one.after->names.empty()) by_name.emplace(one.name, &one);
  }
  drop_settled(by_name);
  const auto add = [&](const Waiting& one, std::size_t at, std::string message, std::string suggestion) {
    problems.push_back(
        {one.file,
         {Problem::Severity::error, one.after->places[at], std::move(message), std::move(suggestion)}});
  };
  for (const auto& one : waiting) {
    for (std::size_t i = 0; i < one.after->names.size(); ++i) {
      const std::string_view name = one.after->names[i];
      if (name == one.name) {
        add(one, i, fmt::format("after: \"{}\" cannot wait for itself", printable(name, 60)), "");
      } else if (!known.contains(name)) {
        std::vector<std::string_view> others;
        std::copy_if(names.begin(), names.end(), std::back_inserter(others),
                     [&](auto other) { return other != one.name; });
        add(one, i, fmt::format("after: there is no loader or job \"{}\"", printable(name, 60)),
            suggest(name, others));
      }
    }
    const auto circling = by_name.find(one.name);
    if (circling == by_name.end() || circling->second != &one) continue;
    const auto way = way_back(by_name, one.name);
    if (way.size() <= 2) continue;  // none, or itself: said above
    const auto at = std::find(one.after->names.begin(), one.after->names.end(), way[1]);
    add(one, static_cast<std::size_t>(at - one.after->names.begin()),
        fmt::format("after: a circle, in which nothing can be the first: {} waits for {}", one.name,
                    fmt::join(way.begin() + 1, way.end(), ", which waits for ")),
        "take one of them out");
  }
  return problems;
}

}  // namespace sluice::definition
