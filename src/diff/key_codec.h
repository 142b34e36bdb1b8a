// The encoded form of a key, used everywhere a key is compared, sorted or stored.
//
// memcmp order of the bytes (a shorter key that is a prefix comes first) is the order of the values, column
// by column. Each part says its type, so that a key can be decoded without guessing. Per part:
// - boolean: tag, 1 byte
// - int64, date, timestamp, real: tag, 8 bytes, big-endian, made unsigned (9 bytes in all); -0.0 is 0.0, and
//   there is one NaN
// - decimal: tag, sign, 4 bytes of magnitude, digits, terminator; equal numbers have equal bytes
// - text, json: tag, the bytes; where another part follows, 00 is written 00 FF and the end is 00 01
// Version of the format: it is part of kHashVersion (row_hasher.h), since both change together.
#pragma once

#include "base/error.h"
#include "model/reject.h"
#include "model/row_batch.h"
#include "model/schema.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::diff {

// Appends the encoded key of one row to `out`. False when a key column is NULL; `out` is then as before.
// The batch's schema names the key columns; decimals are canonical (model/value.h).
bool append_key(const RowBatch& batch, std::size_t row, std::string& out);

// The reverse: appends a row to `out` with the key columns of its schema filled and all others NULL (its
// ordinal is 0). Bytes are copied into the batch's arena. Fails (malformed) when the bytes are not a key of
// this schema: damaged, or of other types; `out` is then as before.
Result<void> decode_key(std::string_view key, RowBatch& out);

// "id=17" or "country='DE', year=2024": a key for messages. Undecodable keys print as hex.
std::string describe_key(std::string_view key, const SchemaPtr& schema);

// The reject of a row whose key has a NULL column: stage key, code "missingKey".
Reject missing_key_reject(const RowBatch& batch, std::size_t row);

}  // namespace sluice::diff
