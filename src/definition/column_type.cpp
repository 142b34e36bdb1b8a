#include "definition/column_type.h"

#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace sluice::definition {
namespace {

constexpr std::array<std::string_view, 8> kTypes = {"bool", "int64", "decimal",   "double",
                                                    "text", "date",  "timestamp", "json"};
constexpr std::array<std::string_view, 3> kLater = {"uuid", "time", "bytes"};
// What people write who come from elsewhere.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kForeign = {
    {{"string", "text"},
     {"varchar", "text"},
     {"int", "int64"},
     {"integer", "int64"},
     {"bigint", "int64"},
     {"long", "int64"},
     {"float", "double"},
     {"real", "double"},
     {"number", "decimal"},
     {"numeric", "decimal"},
     {"boolean", "bool"},
     {"datetime", "timestamp"},
     {"timestamptz", "timestamp"},
     {"object", "json"}}};

constexpr std::array<std::pair<std::string_view, ValueType>, 27> kNox = {
    {{"string", ValueType::text},     {"varchar", ValueType::text},       {"nvarchar", ValueType::text},
     {"char", ValueType::text},       {"url", ValueType::text},           {"email", ValueType::text},
     {"guid", ValueType::text},       {"time", ValueType::text},          {"timespan", ValueType::text},
     {"date", ValueType::date},       {"datetime", ValueType::timestamp}, {"bool", ValueType::boolean},
     {"boolean", ValueType::boolean}, {"object", ValueType::json},        {"int", ValueType::int64},
     {"uint", ValueType::int64},      {"tinyint", ValueType::int64},      {"smallint", ValueType::int64},
     {"bigint", ValueType::int64},    {"money", ValueType::decimal},      {"smallmoney", ValueType::decimal},
     {"decimal", ValueType::decimal}, {"real", ValueType::real},          {"float", ValueType::real},
     {"bigreal", ValueType::real},    {"bigfloat", ValueType::real},      {"double", ValueType::real}}};

std::optional<int> small_number(std::string_view text) {
  int value = 0;
  text = trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::expected<ColumnType, ColumnTypeError> parse_decimal(std::string_view text) {
  const auto refuse = [&] {
    return std::unexpected(
        ColumnTypeError{fmt::format("\"{}\" is not a decimal", printable(text, 60)),
                        "write decimal or decimal(12,4): digits in all, digits after the point"});
  };
  auto inside = trim(text.substr(7));
  if (!inside.starts_with('(') || !inside.ends_with(')')) return refuse();
  inside = inside.substr(1, inside.size() - 2);
  const auto comma = inside.find(',');
  const auto precision = small_number(inside.substr(0, comma));
  const auto scale =
      comma == std::string_view::npos ? std::optional<int>(0) : small_number(inside.substr(comma + 1));
  if (!precision || !scale || *precision < 1 || *precision > 1000 || *scale < 0 || *scale > *precision)
    return refuse();
  return ColumnType{ValueType::decimal, *precision, *scale};
}

}  // namespace

std::expected<ColumnType, ColumnTypeError> parse_column_type(std::string_view text) {
  if (const auto type = value_type_from(text)) return ColumnType{*type, 0, 0};
  if (text.starts_with("decimal")) return parse_decimal(text);
  for (const auto later : kLater) {
    if (text == later)
      return std::unexpected(
          ColumnTypeError{fmt::format("the type {} is not available yet", later), "use text"});
  }
  std::string suggestion;
  for (const auto& [foreign, ours] : kForeign) {
    if (iequals(text, foreign)) suggestion = fmt::format("did you mean \"{}\"?", ours);
  }
  if (suggestion.empty()) {
    const auto near = nearest(text, kTypes);
    suggestion = near.empty() ? fmt::format("one of {}", fmt::join(kTypes, ", "))
                              : fmt::format("did you mean \"{}\"?", near);
  }
  return std::unexpected(
      ColumnTypeError{fmt::format("\"{}\" is not a type", printable(text, 60)), std::move(suggestion)});
}

std::string format_column_type(ValueType type, int precision, int scale) {
  if (type == ValueType::decimal && precision > 0) return fmt::format("decimal({},{})", precision, scale);
  return std::string(to_string(type));
}

std::optional<ValueType> nox_type(std::string_view name) {
  for (const auto& [word, type] : kNox) {
    if (iequals(word, name)) return type;
  }
  return std::nullopt;
}

}  // namespace sluice::definition
