// The history tables: their layout, and what is read of them in several places. Only for this folder.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "sql/connection.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace sluice::history {

inline std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
inline Timestamp from_micros(std::int64_t value) { return Timestamp(std::chrono::microseconds(value)); }

// Whether these tables can be read. False before prepare_history, and where somebody has dropped one: the
// next run makes it anew.
Result<bool> readable(sql::Connection& connection, std::initializer_list<std::string_view> tables);

// The number of the last record, of one loader or of all ("" = all); 0 when there is none.
Result<std::int64_t> last_record(sql::Connection& connection, std::string_view loader = {});

// Creates, migrates, and makes anew what somebody dropped. record.h has its public name.
Result<void> prepare_tables(sql::Connection& connection);

}  // namespace sluice::history
