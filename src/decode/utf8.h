#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::decode {

bool valid_utf8(std::string_view text);
inline bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }
// Appends a code point (up to U+10FFFF) as one to four bytes.
void append_utf8(std::string& out, std::uint32_t code);

}  // namespace sluice::decode
