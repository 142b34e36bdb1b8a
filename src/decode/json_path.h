// Where in a JSON document the records are: the path as written, and as steps.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::decode {

inline constexpr std::size_t kMostPathSteps = 63;

struct PathStep {
  enum class Kind : std::uint8_t { name, index, any };
  Kind kind = Kind::name;
  std::string name;
  std::size_t index = 0;
};

// RFC 9535 subset: names (.a, ['a']), [n], [*]; the leading $ may be left out; a last [*] says nothing new.
Result<std::vector<PathStep>> parse_json_path(std::string_view path);
// "$.data[0].items": the first `count` steps, written out.
std::string path_text(const std::vector<PathStep>& path, std::size_t count);

// "an object", "a number", …, by the first byte of a JSON value.
std::string_view kind_of_json(char first);

}  // namespace sluice::decode
