// Why a record that stands between sound brackets cannot be read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::decode {

struct JsonFault {
  std::string_view code;  // for rejects: invalidUtf8 nulByte controlCharacter badEscape loneSurrogate tooDeep
  std::string message;
};

// The first fault of this JSON text that is the text's own: what stands in its strings, and how deep it goes.
// Nothing: it has none, so what is wrong with it is its syntax.
std::optional<JsonFault> find_fault(std::string_view text);

}  // namespace sluice::decode
