// Names and tables have one owner: finds out who claims the same, and says so to each.
#pragma once

#include "definition/problem.h"
#include "definition/source_file.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct Claim {
  std::size_t file = 0;  // index into the files
  std::string name;      // as people know it
  std::string key;       // equal keys clash
  Place place;
};
struct Clash {
  Claim claim;
  Problem problem;
};

// Every claim that loses. Of several with one key the one in an accepted file wins, if there is exactly one;
// else all lose. `what`: "data source", "table", …; "runnable" is a loader or a job, by its file.
std::vector<Clash> clashes(const std::vector<Claim>& claims, const std::vector<SourceFile>& files,
                           std::string_view what);

}  // namespace sluice::definition
