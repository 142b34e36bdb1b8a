#include "history/json_check.h"

#include <nlohmann/json.hpp>

namespace sluice::history {
bool is_json(std::string_view text) { return nlohmann::json::accept(text); }
}  // namespace sluice::history
