// Only for this folder: keeps nlohmann/json.hpp out of the other files.
#pragma once

#include <string_view>

namespace sluice::history {
bool is_json(std::string_view text);
}
