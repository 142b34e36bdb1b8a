#include "decode/decode_support.h"

#include "decode/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace sluice::decode {

Input input_of(std::string_view bytes, std::string name) {
  auto file = FileHandle::temporary(std::filesystem::temp_directory_path());
  if (!file || !file->write_all(bytes)) std::abort();
  Input input;
  input.file = std::make_shared<FileHandle>(std::move(*file));
  input.name = std::move(name);
  return input;
}

SchemaPtr schema_of(const Probe& probe, const std::vector<std::string>& key) {
  auto schema = std::make_shared<Schema>();
  int id = 0;
  for (const auto& seen : probe.columns) {
    const auto type = seen.all_null ? ValueType::text : seen.type;
    schema->columns.push_back({++id, seen.name, seen.name, type, seen.precision, seen.scale, false,
                               seen.wide && type == ValueType::decimal});
  }
  for (const auto& name : key) {
    if (const auto at = schema->find(name)) schema->key.push_back(*at);
  }
  return schema;
}

std::string cell_text(const RowBatch& batch, std::size_t column, std::size_t row) {
  const auto& data = batch.columns()[column];
  if (data.null[row] != 0) return "\\N";
  switch (data.type) {
    case ValueType::boolean:
      return data.fixed[row] != 0 ? "true" : "false";
    case ValueType::int64:
      return fmt::format("{}", data.fixed[row]);
    case ValueType::real:
      return fmt::format("{}", std::bit_cast<double>(data.fixed[row]));
    case ValueType::date:
      return format_date(data.fixed[row]);
    case ValueType::timestamp:
      return format_timestamp(data.fixed[row]);
    case ValueType::decimal:
    case ValueType::text:
    case ValueType::json:
      return std::string(data.bytes[row]);
  }
  return {};
}

Result<Decoded> read_all(Decoder& decoder) {
  Decoded all;
  RowBatch batch;
  for (;;) {
    SLUICE_TRY(const bool more, decoder.next(batch, {}));
    const auto rows_of = [](const RowBatch& from, auto& to) {
      for (std::size_t r = 0; r < from.rows(); ++r) {
        auto& row = to.emplace_back();
        for (std::size_t c = 0; c < from.columns().size(); ++c) row.push_back(cell_text(from, c, r));
      }
    };
    rows_of(batch, all.rows);
    all.ordinals.insert(all.ordinals.end(), batch.ordinals.begin(), batch.ordinals.end());
    if (batch.rejected_keys) rows_of(*batch.rejected_keys, all.rejected_keys);
    all.rejected += batch.rejected;
    all.rejects.insert(all.rejects.end(), batch.rejects.begin(), batch.rejects.end());
    if (!more) break;
  }
  all.findings = decoder.findings();
  return all;
}

Result<Decoded> decode_all(const Input& input, const DecodeSpec& spec, const Probe& probe, SchemaPtr schema,
                           OpenOptions options) {
  SLUICE_TRY(const auto decoder, open(input, spec, probe, std::move(schema), std::move(options), {}));
  return read_all(*decoder);
}

Result<Decoded> decode_inferred(const Input& input, const DecodeSpec& spec, OpenOptions options) {
  SLUICE_TRY(const auto seen, probe(input, spec, {}));
  return decode_all(input, spec, seen, schema_of(seen), std::move(options));
}

}  // namespace sluice::decode
