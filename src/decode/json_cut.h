// Where the elements of a JSON array end: many at a time in a block, or the end of a single large one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::decode {

// Where the whole elements of an array are in `text`, which begins inside it and between elements.
struct JsonCut {
  std::vector<std::uint32_t> ends;  // behind the closing bracket of each element that is an object or array
  bool array_ended = false;
  std::size_t array_end = 0;  // position of its ]
};
// Stops after `limit` elements. Strings and escapes are respected; the text needs kPadding readable bytes
// behind it.
void cut_json(std::string_view text, std::size_t limit, JsonCut& cut);

// Where one object or array ends, whose text comes in pieces of any size; it begins `from` bytes into the
// first.
class ElementEnd {
 public:
  explicit ElementEnd(std::size_t from) : from_(from) {}
  // The position behind its last bracket, if this piece holds it.
  std::optional<std::size_t> find(std::string_view piece);

 private:
  std::size_t from_;
  std::int64_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace sluice::decode
