// SQL as people write it into files: several statements in one text. Cuts at the semicolons that end a
// statement, and at no other: quotes, comments, dollar quotes and the bodies of triggers are known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Each statement without its semicolon and the blanks around it; what is only blanks and comments is none.
std::vector<std::string> split_statements(std::string_view script);

// The first word of a statement, in lower case, comments before it passed over: "delete", "with", "commit".
std::string first_word(std::string_view statement);

}  // namespace sluice
