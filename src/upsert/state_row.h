// Reading and writing a table's state, for this folder only.
#pragma once

#include "upsert/table_state.h"

#include <optional>
#include <string_view>

namespace sluice::upsert {

// False before prepare_state.
Result<bool> state_exists(sql::Connection& connection);
Result<std::optional<TableState>> read_state(sql::Connection& connection, std::string_view table);
// Takes the next generation (0 seen = there was no state) or fails with a transient conflict.
Result<void> claim_generation(sql::Connection& connection, std::string_view table, std::string_view loader,
                              std::int64_t seen);
// Fingerprints stored of a table.
Result<std::int64_t> stored_fingerprints(sql::Connection& connection, std::string_view table);
Result<void> write_state(sql::Connection& connection, const TableState& state);

}  // namespace sluice::upsert
