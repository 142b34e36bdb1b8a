#include "definition/yaml_json.h"

#include "definition/scalar.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>

namespace sluice::definition {
namespace {

using Json = nlohmann::ordered_json;

Json scalar_json(const Node& node) {
  if (!node.plain || node.substituted) return node.value;
  if (const auto flag = parse_boolean(node.value)) return *flag;
  if (const auto number = parse_integer(node.value)) return *number;
  double real = 0;
  const char* end = node.value.data() + node.value.size();
  const auto parsed = std::from_chars(node.value.data(), end, real);
  if (!node.value.empty() && parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(real))
    return real;
  return node.value;
}

std::optional<Json> convert(Context& context, const Node& node, std::vector<std::string>& filled_in) {
  switch (node.kind) {
    case Node::Kind::null:
      return Json(nullptr);
    case Node::Kind::scalar: {
      const Node* resolved = substitute(context, node);
      if (resolved == nullptr) return std::nullopt;
      filled_in.insert(filled_in.end(), resolved->filled_in.begin(), resolved->filled_in.end());
      return scalar_json(*resolved);
    }
    case Node::Kind::list: {
      Json list = Json::array();
      for (const auto& entry : node.entries) {
        auto item = convert(context, *entry.value, filled_in);
        if (!item) return std::nullopt;
        list.push_back(std::move(*item));
      }
      return list;
    }
    case Node::Kind::map: {
      Json map = Json::object();
      for (const auto& entry : node.entries) {
        auto item = convert(context, *entry.value, filled_in);
        if (!item) return std::nullopt;
        map[entry.key->value] = std::move(*item);
      }
      return map;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> json_of(Context& context, const Node& node, std::vector<std::string>& filled_in) {
  const auto json = convert(context, node, filled_in);
  if (!json) return std::nullopt;
  return json->dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::definition
