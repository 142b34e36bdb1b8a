// What is wrong with a definition, where it stands, and what to write instead.
#pragma once

#include "base/error.h"
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
  // Of an error: what a run would have failed with. `forbidden`: the policy of the command line refuses it.
  ErrorCode code = ErrorCode::invalid_definition;
  std::string excerpt{};  // the line it stands in, secrets left out; check() fills it in
  int caret = 0;          // where in the excerpt, from 1, in characters; 0 = nowhere
};

// "FILE:LINE:COLUMN: error: message; suggestion" (without :LINE:COLUMN when the place has none).
std::string render(const Problem& problem);

bool has_errors(const std::vector<Problem>& problems);

}  // namespace sluice::definition
