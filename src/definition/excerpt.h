// The line a problem stands in, fit to be shown: secrets left out, cut to a width, with the caret's column.
#pragma once

#include "definition/problem.h"
#include "definition/source_file.h"
#include "model/spec.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct Excerpt {
  std::string text;  // "" = there is no such line
  int caret = 0;     // column of the problem within `text`, from 1, in characters; 0 = none
};

// At most 200 characters around the place. A value is left out (***) where its key, or a key it stands below,
// may hold a secret or looks like a slip of one that does: `pasword: …`, everything below `auth` and
// `headers`, user and query of a URL. A reference (${env:NAME}) is no secret.
Excerpt excerpt_at(std::string_view text, const Place& place);

// Fills in the excerpts of the problems of files[own].
void add_excerpts(std::vector<Problem>& problems, const std::vector<SourceFile>& files, std::size_t own);

}  // namespace sluice::definition
