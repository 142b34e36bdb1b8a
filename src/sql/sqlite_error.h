// SQLite's result codes as errors of ours. Only for the adapter.
#pragma once

#include "base/error.h"

#include <string_view>

struct sqlite3;

namespace sluice::sql {

// `what` is the statement or the step; `where` the database file. To be called right after the failure: errno
// may tell its cause.
Error sqlite_error(sqlite3* database, int code, std::string_view what, std::string_view where);

}  // namespace sluice::sql
