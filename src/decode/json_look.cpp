#include "decode/json_look.h"

#include "base/text.h"
#include "decode/block.h"
#include "decode/text_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {
namespace {

constexpr std::size_t kBlock = 256 * 1024;
constexpr std::uint64_t kLookedThrough = 4u << 20;  // for further arrays, behind the first one found
constexpr std::size_t kShownAround = 40;

// The number of the line that holds this byte of the decoded source; 0 = it cannot be told.
std::uint64_t line_of(const Input& input, std::uint64_t byte) {
  const auto text = open_text(input, std::nullopt);
  if (!text) return 0;
  std::string buffer(kBlock, '\0');
  std::uint64_t line = 1;
  for (std::uint64_t left = byte; left > 0;) {
    const auto got = text->bytes->read(std::span(buffer).first(std::min<std::uint64_t>(left, kBlock)));
    if (!got || *got == 0) return 0;
    line += static_cast<std::uint64_t>(
        std::count(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got), '\n'));
    left -= *got;
  }
  return line;
}

}  // namespace

std::unexpected<Error> broken_at(const Input& input, Error error, std::string_view text, std::size_t at,
                                 std::uint64_t offset) {
  at = std::min(at, text.size());
  const auto byte = offset + at;
  const auto from = at - std::min(at, kShownAround);
  error.message += fmt::format("; there it says: {}{}{}", from > 0 || offset > 0 ? "…" : "",
                               printable(text.substr(from, 2 * kShownAround), 2 * kShownAround),
                               from + 2 * kShownAround < text.size() ? "…" : "");
  const auto line = line_of(input, byte);
  return fail_within(line > 0 ? fmt::format("line {}, byte {}", line, byte) : fmt::format("byte {}", byte),
                     std::move(error));
}

Result<JsonLook> look_through(const Input& input, std::stop_token stop) {
  SLUICE_TRY(auto text, open_text(input, std::nullopt));
  BlockReader reader(std::move(text.bytes), kBlock, kBlock);
  JsonWalker walker({}, false, true);
  JsonLook look;
  std::uint64_t found_at = 0;
  bool ended = false;
  for (;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while looking for the records");
    SLUICE_TRY(const auto block, reader.next());
    if (!block) {
      ended = true;
      break;
    }
    std::size_t at = 0;
    auto event = walker.walk(block->text(), at);
    if (!event) {
      if (walker.is_complete() && walker.top_is_object() && block->text()[at] == '{') {
        look.several_values = true;
        break;
      }
      return broken_at(input, std::move(event).error(), block->text(), at, block->offset);
    }
    if (walker.candidates().empty()) found_at = block->offset + block->size;
    if (block->offset + block->size > found_at + kLookedThrough) break;
  }
  if (ended && !walker.is_complete()) {
    return fail_transient(ErrorCode::truncated, "the JSON document stops in the middle");
  }
  look.candidates = walker.candidates();
  look.top_is_object = walker.top_is_object();
  return look;
}

std::string arrays_hint(const Input& input, std::stop_token stop) {
  const auto look = look_through(input, std::move(stop));
  if (!look) return {};
  std::string list;
  for (const auto& candidate : look->candidates) {
    if (!candidate.empty) list += (list.empty() ? "" : ", ") + candidate.path;
  }
  return list.empty() ? list : "; arrays of objects are at " + list;
}

}  // namespace sluice::decode
