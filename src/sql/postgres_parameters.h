// The seam's parameters as PostgreSQL writes them.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sql {

// ? becomes $1, $2, … in order and ?N becomes $N, but not within quotes, $tags$ and comments.
std::string number_parameters(std::string_view sql);

}  // namespace sluice::sql
