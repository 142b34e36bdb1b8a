#include "definition/json_schema_subset.h"

#include <regex>

namespace sluice::definition {
namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

std::string check_object(const json& schema, const json& root, const json& value, const std::string& at) {
  const json none = json::object();
  const auto& properties = schema.contains("properties") ? schema["properties"] : none;
  for (const auto& [key, member] : value.items()) {
    if (properties.contains(key)) {
      if (auto why = violation(properties[key], root, member, at + "." + key); !why.empty()) return why;
    } else if (schema.contains("additionalProperties")) {
      const auto& rest = schema["additionalProperties"];
      if (rest.is_boolean() && !rest.get<bool>()) return at + "." + key + ": unknown key";
      if (rest.is_object()) {
        if (auto why = violation(rest, root, member, at + "." + key); !why.empty()) return why;
      }
    }
  }
  for (const auto& key : schema.value("required", json::array())) {
    if (!value.contains(key.get<std::string>())) return at + ": lacks " + key.get<std::string>();
  }
  return {};
}

}  // namespace

std::string violation(const json& schema, const json& root, const json& value, const std::string& at) {
  if (schema.contains("$ref")) {
    const auto path = schema["$ref"].get<std::string>().substr(1);  // "#/definitions/x"
    return violation(root.at(json::json_pointer(path)), root, value, at);
  }
  if (schema.contains("type")) {
    const json types = schema["type"].is_array() ? schema["type"] : json::array({schema["type"]});
    bool any = false;
    for (const auto& type : types) any |= has_type(value, type.get<std::string>());
    if (!any) return at + ": is " + value.type_name() + ", not " + types.dump();
  }
  if (schema.contains("const") && schema["const"] != value) return at + ": is not " + schema["const"].dump();
  if (value.is_string() && schema.contains("pattern") &&
      !std::regex_search(value.get<std::string>(), std::regex(schema["pattern"].get<std::string>())))
    return at + ": does not match " + schema["pattern"].get<std::string>();
  if (value.is_number() && schema.contains("minimum") && value < schema["minimum"]) return at + ": too small";
  if (value.is_number() && schema.contains("maximum") && value > schema["maximum"]) return at + ": too large";
  for (const auto& part : schema.value("allOf", json::array())) {
    if (auto why = violation(part, root, value, at); !why.empty()) return why;
  }
  for (const char* word : {"anyOf", "oneOf"}) {
    if (!schema.contains(word)) continue;
    int matches = 0;
    std::string reasons;
    for (const auto& part : schema[word]) {
      const auto why = violation(part, root, value, at);
      matches += why.empty() ? 1 : 0;
      reasons += " / " + why;
    }
    if (matches == 0) return at + ": none of " + word + reasons;
    if (matches > 1 && std::string(word) == "oneOf") return at + ": more than one of oneOf";
  }
  if (value.is_object()) return check_object(schema, root, value, at);
  if (value.is_array() && schema.contains("items")) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (auto why = violation(schema["items"], root, value[i], at + "[" + std::to_string(i) + "]");
          !why.empty())
        return why;
    }
  }
  return {};
}

}  // namespace sluice::definition
