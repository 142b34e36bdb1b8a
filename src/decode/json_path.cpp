#include "decode/json_path.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sluice::decode {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::unexpected<Error> bad_path(std::string_view path, std::string_view why) {
  return fail(ErrorCode::invalid_definition,
              fmt::format("records: \"{}\" {}; write names, [n] and [*], like data.items or $.data[0].items",
                          path, why));
}

}  // namespace

Result<std::vector<PathStep>> parse_json_path(std::string_view path) {
  std::vector<PathStep> steps;
  std::string_view rest = trim(path);
  if (rest.starts_with('$')) rest.remove_prefix(1);
  bool first = true;
  while (!rest.empty()) {
    if (rest.front() == '[') {
      const auto quote = rest.size() > 1 ? rest[1] : '\0';
      if (quote == '\'' || quote == '"') {
        const auto end = rest.find(quote, 2);
        if (end == std::string_view::npos || end + 1 >= rest.size() || rest[end + 1] != ']') {
          return bad_path(path, "has a name that is not closed");
        }
        steps.push_back({PathStep::Kind::name, std::string(rest.substr(2, end - 2)), 0});
        rest.remove_prefix(end + 2);
      } else {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return bad_path(path, "has a [ that is not closed");
        const auto inner = rest.substr(1, end - 1);
        PathStep step{inner == "*" ? PathStep::Kind::any : PathStep::Kind::index, {}, 0};
        if (inner != "*") {
          const auto [stop, error] = std::from_chars(inner.data(), inner.data() + inner.size(), step.index);
          if (error != std::errc{} || stop != inner.data() + inner.size()) {
            return bad_path(path, fmt::format("has [{}], which is not supported", inner));
          }
        }
        steps.push_back(std::move(step));
        rest.remove_prefix(end + 1);
      }
    } else {
      if (rest.front() == '.') {
        rest.remove_prefix(1);
      } else if (!first) {
        return bad_path(path, "lacks a dot between names");
      }
      const auto end = rest.find_first_of(".[");
      const auto name = rest.substr(0, end);
      if (name.empty()) return bad_path(path, "has an empty name (.. is not supported)");
      steps.push_back(name == "*" ? PathStep{PathStep::Kind::any, {}, 0}
                                  : PathStep{PathStep::Kind::name, std::string(name), 0});
      rest.remove_prefix(name.size());
    }
    first = false;
  }
  if (!steps.empty() && steps.back().kind == PathStep::Kind::any) steps.pop_back();
  if (steps.size() > kMostPathSteps)
    return bad_path(path, fmt::format("has more than {} steps", kMostPathSteps));
  return steps;
}

std::string path_text(const std::vector<PathStep>& path, std::size_t count) {
  std::string text = "$";
  for (std::size_t i = 0; i < count; ++i) {
    const auto& step = path[i];
    const bool plain = !step.name.empty() && std::all_of(step.name.begin(), step.name.end(), is_name_char);
    text += step.kind == PathStep::Kind::any     ? "[*]"
            : step.kind == PathStep::Kind::index ? fmt::format("[{}]", step.index)
            : plain                              ? "." + step.name
                                                 : "['" + step.name + "']";
  }
  return text;
}

std::string_view kind_of_json(char first) {
  switch (first) {
    case '{':
      return "an object";
    case '[':
      return "an array";
    case '"':
      return "text";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

}  // namespace sluice::decode
