// What stands between the objects and arrays of a JSON array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice::decode {

// "null", "-1.5e3", "\"text\"": one JSON value that is neither object nor array, without blanks.
bool is_json_number(std::string_view token);
bool is_json_scalar(std::string_view token);

struct JsonGap {
  struct Scalar {
    std::uint32_t begin, end;
  };
  std::vector<Scalar> scalars;  // the elements in the gap
  std::size_t end = 0;     // of the gap: where the next { or [ or the text's end is, or where it is wrong
  std::string_view wrong;  // what is wrong at `end`, "" = nothing
};

// Reads from `text`, which begins behind an element or, with `first`, behind the array's [. `closed`: the
// array's ] stands right behind the text.
JsonGap read_gap(std::string_view text, bool first, bool closed);

}  // namespace sluice::decode
