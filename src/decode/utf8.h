#pragma once

#include <string_view>

namespace sluice::decode {

bool valid_utf8(std::string_view text);
inline bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace sluice::decode
