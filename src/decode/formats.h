// The explicit list of formats: what each one offers to probe() and open().
#pragma once

#include "decode/decode.h"
#include "decode/text_source.h"

#include <string_view>

namespace sluice::decode {

// The start of a source as UTF-8. `text` has kPadding readable bytes after it.
struct Sample {
  std::string_view text;
  bool whole = false;  // the source ends with it
};

// Finds the dialect and the columns. `encoding` is how the sample was read.
Result<Probe> probe_csv(const Sample& sample, const CsvSpec& spec, Encoding encoding);

Result<std::unique_ptr<Decoder>> open_csv(const Input& input, const CsvDialect& dialect, SchemaPtr schema,
                                          OpenOptions options);
Result<std::unique_ptr<Decoder>> open_json(const Input& input, const Probe& probe, SchemaPtr schema,
                                           OpenOptions options);
Result<std::unique_ptr<Decoder>> open_ndjson(const Input& input, SchemaPtr schema, OpenOptions options);

}  // namespace sluice::decode
