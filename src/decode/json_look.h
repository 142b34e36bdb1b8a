// Looking through a JSON document outside its records: for the arrays that may hold them, and for messages.
#pragma once

#include "decode/decode.h"
#include "decode/json_walk.h"

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::decode {

struct JsonLook {
  std::vector<RecordsCandidate> candidates;  // in the order of the document
  bool top_is_object = false;
  bool several_values = false;  // objects one behind the other: ndjson
};

// Walks until a few megabytes behind the first candidate, or to the end. Errors: malformed (with the place),
// truncated, too_large, cancelled.
Result<JsonLook> look_through(const Input& input, std::stop_token stop);

// "; arrays of objects are at $.data, $.items", or nothing when there are none (or the document is broken).
std::string arrays_hint(const Input& input, std::stop_token stop);

// The error with its line, byte and surroundings: `at` is where in `text`, which begins `offset` bytes into
// the decoded source.
std::unexpected<Error> broken_at(const Input& input, Error error, std::string_view text, std::size_t at,
                                 std::uint64_t offset);

}  // namespace sluice::decode
