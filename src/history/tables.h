// The names of the history tables and whether they are there. Only for this folder.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "sql/connection.h"

#include <cstdint>

namespace sluice::history {

inline std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
inline Timestamp from_micros(std::int64_t value) { return Timestamp(std::chrono::microseconds(value)); }

// False before prepare_history.
Result<bool> history_exists(sql::Connection& connection);

}  // namespace sluice::history
