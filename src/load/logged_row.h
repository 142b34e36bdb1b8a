// Values of the change log as the values they were: the way back of history/row_json.h.
#pragma once

#include "model/arena.h"
#include "model/row_batch.h"
#include "model/schema.h"

#include <cstddef>
#include <string_view>

namespace sluice::load {

// Appends the value that this JSON text stands for in a column of this type, which may be wider than the one
// it was logged with. False when it stands for none; nothing is appended then.
bool push_logged(const Column& column, std::string_view json, ColumnData& out, Arena& arena);

// Puts another value in the place of the batch's last row's. False as above; the row is then as before.
bool replace_logged(RowBatch& batch, std::size_t column, std::string_view json);

// Whether the cell of the row holds just this value.
bool holds_logged(const RowBatch& batch, std::size_t column, std::size_t row, std::string_view json);

}  // namespace sluice::load
