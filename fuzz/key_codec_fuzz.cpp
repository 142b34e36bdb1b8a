// Any bytes as a stored key: refused, or decoded to a row whose own key decodes to the same row.
#include "diff/key_codec.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

sluice::SchemaPtr schema_of_every_type() {
  sluice::Schema schema;
  for (const auto type : {sluice::ValueType::boolean, sluice::ValueType::int64, sluice::ValueType::decimal,
                          sluice::ValueType::real, sluice::ValueType::text, sluice::ValueType::date,
                          sluice::ValueType::timestamp, sluice::ValueType::json}) {
    sluice::Column column;
    column.id = static_cast<int>(schema.columns.size()) + 1;
    column.name = "c" + std::to_string(column.id);
    column.type = type;
    schema.columns.push_back(column);
  }
  return std::make_shared<const sluice::Schema>(std::move(schema));
}

}  // namespace

// The first byte picks the key columns.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto schema = std::make_shared<sluice::Schema>(*schema_of_every_type());
  for (std::size_t i = 0; i < 8; ++i) {
    if ((data[0] >> i & 1) != 0) schema->key.push_back(i);
  }
  const sluice::SchemaPtr shared = schema;
  const std::string_view key(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)sluice::diff::describe_key(key, shared);
  sluice::RowBatch row(shared);
  if (!sluice::diff::decode_key(key, row)) return 0;
  std::string again;
  if (!sluice::diff::append_key(row, 0, again)) std::abort();
  sluice::RowBatch second(shared);
  if (!sluice::diff::decode_key(again, second)) std::abort();
  std::string third;
  if (!sluice::diff::append_key(second, 0, third) || third != again) std::abort();
  return 0;
}
