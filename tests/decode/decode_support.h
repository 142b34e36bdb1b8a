// Inputs from bytes, and batches printed as text, for the tests of decode.
#pragma once

#include "decode/decode.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::decode {

Input input_of(std::string_view bytes, std::string name = "test");

// A schema of every column the probe saw (all-NULL ones as text), named and typed as seen; `key` names key
// columns.
SchemaPtr schema_of(const Probe& probe, const std::vector<std::string>& key = {});

// One cell for people: NULL is \N; decimals, dates and timestamps in their canonical spelling.
std::string cell_text(const RowBatch& batch, std::size_t column, std::size_t row);

struct Decoded {
  std::vector<std::vector<std::string>> rows;
  std::vector<Reject> rejects;
  std::uint64_t rejected = 0;
  std::vector<std::vector<std::string>> rejected_keys;
  std::vector<std::uint64_t> ordinals;
  Findings findings;
};
Result<Decoded> read_all(Decoder& decoder);
Result<Decoded> decode_all(const Input& input, const DecodeSpec& spec, const Probe& probe, SchemaPtr schema,
                           OpenOptions options = {});
// probe, schema_of, decode_all
Result<Decoded> decode_inferred(const Input& input, const DecodeSpec& spec = {}, OpenOptions options = {});

}  // namespace sluice::decode
