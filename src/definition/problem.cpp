#include "definition/problem.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::definition {

std::string render(const Problem& problem) {
  std::string text = problem.place.file;
  if (problem.place.line > 0) text += fmt::format(":{}:{}", problem.place.line, problem.place.column);
  text += problem.severity == Problem::Severity::error ? ": error: " : ": warning: ";
  text += problem.message;
  if (!problem.suggestion.empty()) text += "; " + problem.suggestion;
  return text;
}

bool has_errors(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
}

}  // namespace sluice::definition
