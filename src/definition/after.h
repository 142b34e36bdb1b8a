// What loaders and jobs wait for: whether there is such a thing, and whether they wait for themselves.
#pragma once

#include "definition/catalog.h"
#include "definition/problem.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct Waiting {
  std::size_t file = 0;  // whatever the caller counts by
  std::string_view name;
  const After* after = nullptr;
};
struct AfterProblem {
  std::size_t file = 0;
  Problem problem;
};

// `names`: of everything that can be waited for.
std::vector<AfterProblem> problems_of_after(std::span<const Waiting> waiting,
                                            const std::vector<std::string_view>& names);

}  // namespace sluice::definition
