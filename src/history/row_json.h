// Model values as JSON text, for the change log and for plans.
#pragma once

#include "model/row_batch.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::history {

// Numbers that a JavaScript reader would round (integers past 2^53, decimals past 15 digits) become strings;
// dates and timestamps ISO 8601 text; infinities and NaN strings; json values themselves. Invalid UTF-8
// becomes U+FFFD.
void append_json(std::string& out, const ColumnData& column, std::size_t row);
void append_json_string(std::string& out, std::string_view text);

// {"country":"DE","year":2024}: the key columns of one row.
void append_key_json(std::string& out, const RowBatch& batch, std::size_t row);

}  // namespace sluice::history
