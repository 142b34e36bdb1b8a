// As much of JSON Schema draft-07 as our schemas use, for tests.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace sluice::definition {

// Empty when valid, else where and why not.
std::string violation(const nlohmann::json& schema, const nlohmann::json& root, const nlohmann::json& value,
                      const std::string& at = "$");

}  // namespace sluice::definition
