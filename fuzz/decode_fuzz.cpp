// Any bytes as a source: probe and decode end with rows, rejects or an error, never with a crash, and every
// block size gives the same rows and rejects. Built once a format: csv_fuzz, json_fuzz, ndjson_fuzz, and
// any_fuzz, which finds the format, the compression and the records by itself.
#include "decode/decode.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace sluice;

// Everything that a reading gave, as one text.
struct Reading {
  bool refused = false;
  std::string text;
  friend bool operator==(const Reading& a, const Reading& b) {
    // What came before an error depends on where the blocks were cut.
    return a.refused == b.refused && (a.refused || a.text == b.text);
  }
};

void append_cell(std::string& out, const ColumnData& column, std::size_t row) {
  if (column.null[row] != 0) {
    out += "\\N";
  } else if (is_fixed(column.type)) {
    out += std::to_string(column.fixed[row]);
  } else {
    out += '\'';
    out += column.bytes[row];
    out += '\'';
  }
}

Reading read(const decode::Input& input, const DecodeSpec& spec, const decode::Probe& probe,
             const SchemaPtr& schema, std::size_t block_bytes) {
  decode::OpenOptions options;
  options.block_bytes = block_bytes;
  options.max_record_bytes = 300;  // small enough for records over it to come up
  auto decoder = decode::open(input, spec, probe, schema, options, {});
  Reading reading;
  reading.refused = !decoder;
  std::string rejects;
  RowBatch batch;
  while (!reading.refused) {
    const auto more = (*decoder)->next(batch, {});
    reading.refused = !more;
    for (std::size_t r = 0; r < batch.rows(); ++r) {
      reading.text += std::to_string(batch.ordinals[r]);
      for (const auto& column : batch.columns()) append_cell(reading.text += '|', column, r);
      reading.text += '\n';
    }
    for (const auto& reject : batch.rejects)
      rejects += std::to_string(reject.ordinal) + reject.code + reject.locator + '\n';
    if (!more || !*more) break;
  }
  reading.text += rejects;
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = FileHandle::temporary("/dev/shm");
  if (!file || !file->write_all({reinterpret_cast<const char*>(data), size})) return 0;
  decode::Input input;
  input.file = std::make_shared<FileHandle>(std::move(*file));
  input.name = "fuzz";
  DecodeSpec spec;
  spec.format = Format::SLUICE_FUZZ_FORMAT;
  const auto probe = decode::probe(input, spec, {});
  if (!probe) {
    if (probe.error().message.empty()) std::abort();
    return 0;
  }
  auto schema = std::make_shared<Schema>();
  for (const auto& seen : probe->columns) {
    schema->columns.push_back({static_cast<int>(schema->columns.size()) + 1, seen.name, seen.name, seen.type,
                               seen.precision, seen.scale, false});
  }
  const auto large = read(input, spec, *probe, schema, 1 << 16);
  for (const std::size_t block_bytes : {13, 64}) {
    const auto small = read(input, spec, *probe, schema, block_bytes);
    if (small == large) continue;
    std::fprintf(stderr, "blocks of 65536 bytes: refused %d\n%s\nblocks of %zu bytes: refused %d\n%s\n",
                 static_cast<int>(large.refused), large.text.c_str(), block_bytes,
                 static_cast<int>(small.refused), small.text.c_str());
    std::abort();
  }
  return 0;
}
