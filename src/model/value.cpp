#include "model/value.h"

#include <array>
#include <utility>

namespace sluice {
namespace {

constexpr std::array<std::pair<ValueType, std::string_view>, 8> kNames = {{
    {ValueType::boolean, "bool"},
    {ValueType::int64, "int64"},
    {ValueType::decimal, "decimal"},
    {ValueType::real, "double"},
    {ValueType::text, "text"},
    {ValueType::date, "date"},
    {ValueType::timestamp, "timestamp"},
    {ValueType::json, "json"},
}};

}  // namespace

std::string_view to_string(ValueType type) {
  for (const auto& [value, name] : kNames) {
    if (value == type) return name;
  }
  return "text";
}

std::optional<ValueType> value_type_from(std::string_view wanted) {
  for (const auto& [value, name] : kNames) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace sluice
