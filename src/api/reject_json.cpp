#include "api/reject_json.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <string_view>

namespace sluice::api {
namespace {

// The number behind the word: 17 of "line 17", 4 of "record 4 (byte 2048)".
Json number_after(std::string_view locator, std::string_view word) {
  if (!locator.starts_with(word)) return nullptr;
  locator.remove_prefix(word.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(locator.data(), locator.data() + locator.size(), number);
  return error == std::errc() ? Json(number) : Json(nullptr);
}

// Cut where a character ends.
std::string_view cut(std::string_view raw) {
  if (raw.size() <= kRawShown) return raw;
  std::size_t end = kRawShown;
  while (end > 0 && (static_cast<unsigned char>(raw[end]) & 0xC0) == 0x80) --end;
  return raw.substr(0, end);
}

}  // namespace

Json reject_json(const history::KeptReject& reject) {
  const auto shown = cut(reject.raw);
  return {{"ordinal", number_after(reject.locator, "record ")},
          {"source", text_or_null(reject.source)},
          {"line", number_after(reject.locator, "line ")},
          {"locator", text_or_null(reject.locator)},
          {"column", text_or_null(reject.column)},
          {"code", reject.code},
          {"message", reject.message},
          {"count", reject.count},
          {"raw", text_or_null(std::string(shown))},
          {"rawCut", shown.size() < reject.raw.size()}};
}

}  // namespace sluice::api
