// Any bytes as json: probe and decode end with rows, rejects or an error, never with a crash, and two block
// sizes agree.
#include "decode/decode.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace {

using namespace sluice;

// Rows and rejects, or nothing when the source as a whole is refused.
std::pair<std::uint64_t, std::uint64_t> count(const decode::Input& input, const DecodeSpec& spec,
                                              const decode::Probe& probe, const SchemaPtr& schema,
                                              std::size_t block_bytes, bool& refused) {
  decode::OpenOptions options;
  options.block_bytes = block_bytes;
  options.max_record_bytes = 1 << 20;
  auto decoder = decode::open(input, spec, probe, schema, options, {});
  std::pair<std::uint64_t, std::uint64_t> result;
  refused = !decoder;
  RowBatch batch;
  while (!refused) {
    const auto more = (*decoder)->next(batch, {});
    refused = !more;
    result.first += batch.rows();
    result.second += batch.rejected;
    if (!more || !*more) break;
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = FileHandle::temporary("/dev/shm");
  if (!file || !file->write_all({reinterpret_cast<const char*>(data), size})) return 0;
  decode::Input input;
  input.file = std::make_shared<FileHandle>(std::move(*file));
  input.name = "fuzz";
  DecodeSpec spec;
  spec.format = Format::json;
  const auto probe = decode::probe(input, spec, {});
  if (!probe) return 0;
  auto schema = std::make_shared<Schema>();
  for (const auto& seen : probe->columns) {
    schema->columns.push_back({static_cast<int>(schema->columns.size()) + 1, seen.name, seen.name, seen.type,
                               seen.precision, seen.scale, false});
  }
  bool large_refused = false;
  bool small_refused = false;
  const auto large = count(input, spec, *probe, schema, 1 << 16, large_refused);
  const auto small = count(input, spec, *probe, schema, 13, small_refused);
  if (large_refused != small_refused || (!large_refused && large != small)) std::abort();
  return 0;
}
