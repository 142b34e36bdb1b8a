#include "decode/json_fault.h"

#include "decode/convert.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <charconv>

namespace sluice::decode {
namespace {

// The code of \uXXXX at `at`, which is on the backslash; -1 = there is none.
int code_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  const auto digits = text.substr(at + 2, 4);
  int code = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  return error == std::errc{} && end == digits.data() + digits.size() ? code : -1;
}

std::optional<JsonFault> bad_escape(std::string_view text, std::size_t at, std::size_t& length) {
  length = 2;
  const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
  if (kind != 'u') {
    if (std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos) return std::nullopt;
    return JsonFault{"badEscape", "a text holds a backslash that begins no escape JSON knows"};
  }
  length = 6;
  const int code = code_at(text, at);
  if (code < 0) return JsonFault{"badEscape", "a text holds \\u without four hexadecimal digits"};
  if (code < 0xD800 || code > 0xDFFF) return std::nullopt;
  const int low = code_at(text, at + 6);
  if (code < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF) {
    length = 12;
    return std::nullopt;
  }
  return JsonFault{"loneSurrogate", fmt::format("a text holds half a character: \\u{:04x} without its other "
                                                "half, which no text encoding can hold",
                                                code)};
}

}  // namespace

std::optional<JsonFault> find_fault(std::string_view text) {
  if (!valid_utf8(text)) return JsonFault{"invalidUtf8", "it is not valid UTF-8"};
  bool in_string = false;
  int depth = 0;
  std::size_t length = 1;
  for (std::size_t at = 0; at < text.size(); at += length) {
    length = 1;
    const char c = text[at];
    if (!in_string) {
      in_string = c == '"';
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth > kJsonDepth)
        return JsonFault{"tooDeep", fmt::format("it is nested more than {} deep", kJsonDepth)};
    } else if (c == '"') {
      in_string = false;
    } else if (c == '\\') {
      if (auto fault = bad_escape(text, at, length)) return fault;
    } else if (c == '\0') {
      return JsonFault{"nulByte", "a text holds a NUL byte"};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return JsonFault{"controlCharacter",
                       fmt::format("a text holds the control character 0x{:02X}; JSON wants it escaped, as "
                                   "\\u{:04x}",
                                   static_cast<unsigned char>(c), static_cast<unsigned char>(c))};
    }
  }
  return std::nullopt;
}

}  // namespace sluice::decode
