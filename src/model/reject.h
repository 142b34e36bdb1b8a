// A record that could not be decoded, typed, keyed or checked: kept, counted, replayable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

enum class RejectStage : std::uint8_t { decode, type, key, check, constraint };
std::string_view to_string(RejectStage stage);

struct Reject {
  RejectStage stage = RejectStage::decode;
  std::size_t source = 0;     // index into LoaderSpec::sources
  std::uint64_t ordinal = 0;  // record number in that source, from 0
  std::string locator;        // for people, from 1: "line 17", "record 4 (byte 2048)"
  std::string code;           // stable word: "missingKey", "notANumber", "tooFewFields"
  std::string column;         // target column, empty when the whole record is bad
  std::string message;
  std::string raw;  // the record as found, at most 64 KiB
};

}  // namespace sluice
