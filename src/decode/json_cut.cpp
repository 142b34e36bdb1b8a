#include "decode/json_cut.h"

#include "decode/bit_masks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace sluice::decode {

void cut_json(std::string_view text, std::size_t limit, JsonCut& cut) {
  constexpr std::size_t kWords = 64;
  std::array<JsonMasks, kWords> masks;
  cut.ends.clear();
  cut.array_ended = false;
  std::uint64_t inside_before = 0;  // all ones while in a string
  std::uint64_t escape_before = 0;  // bit 0: the first byte is escaped
  std::int64_t depth = 0;
  for (std::size_t at = 0; at < text.size(); at += kWords * 64) {
    const std::size_t words = std::min(kWords, (text.size() - at + 63) / 64);
    json_masks(text.data() + at, words, masks.data());
    for (std::size_t w = 0; w < words; ++w) {
      const auto& mask = masks[w];
      // Bytes after an odd run of backslashes are escaped.
      std::uint64_t escaped = escape_before;
      escape_before = 0;
      for (auto slashes = mask.backslash & ~escaped; slashes != 0;) {
        const auto bit = slashes & (~slashes + 1);
        if (bit >> 63 != 0) {
          escape_before = 1;
        } else {
          escaped |= bit << 1;
        }
        slashes &= ~(bit | bit << 1);
      }
      const auto inside = prefix_xor(mask.quote & ~escaped) ^ inside_before;
      inside_before = static_cast<std::uint64_t>(static_cast<std::int64_t>(inside) >> 63);
      const auto open = mask.open & ~inside;
      for (auto brackets = (mask.open | mask.close) & ~inside; brackets != 0; brackets &= brackets - 1) {
        const auto position = at + w * 64 + static_cast<std::size_t>(std::countr_zero(brackets));
        if (position >= text.size()) return;
        if ((open & brackets & (~brackets + 1)) != 0) {
          ++depth;
        } else if (--depth == 0) {
          cut.ends.push_back(static_cast<std::uint32_t>(position + 1));
          if (cut.ends.size() == limit) return;
        } else if (depth < 0) {
          cut.array_ended = true;
          cut.array_end = position;
          return;
        }
      }
    }
  }
}

std::optional<std::size_t> ElementEnd::find(std::string_view piece) {
  for (std::size_t at = std::exchange(from_, 0); at < piece.size(); ++at) {
    const char c = piece[at];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      return at + 1;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::decode
