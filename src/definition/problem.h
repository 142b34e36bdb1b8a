// What is wrong with a definition, where it stands, and what to write instead.
#pragma once

#include "model/spec.h"

#include <string>
#include <vector>

namespace sluice::definition {

struct Problem {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  Place place;             // file relative to the definitions root; line 0 = the file as a whole
  std::string message;     // never holds a secret
  std::string suggestion;  // "did you mean \"source\"?", or empty
};

// "FILE:LINE:COLUMN: error: message; suggestion" (without :LINE:COLUMN when the place has none).
std::string render(const Problem& problem);

bool has_errors(const std::vector<Problem>& problems);

}  // namespace sluice::definition
