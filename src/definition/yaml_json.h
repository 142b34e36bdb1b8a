// A YAML value as the JSON it stands for: `json:` of an HTTP request.
#pragma once

#include "definition/context.h"

#include <optional>
#include <string>

namespace sluice::definition {

// By YAML 1.2 core rules: 12, 1.5, true and null as they are, text in quotes as text. What ${…} brings is
// text. Nothing when a ${…} in it does not resolve; the problem is then in the context. What they brought in
// is added to `filled_in`.
std::optional<std::string> json_of(Context& context, const Node& node, std::vector<std::string>& filled_in);

}  // namespace sluice::definition
