// SQL functions of ours, present on every SQLite connection that Sluice opens.
//
//   sluice_number_text(x)   the exact, canonical text of a number (model/number.h): 0.1, 1e+20 as
//                           100000000000000000000. SQLite's own cast keeps 15 digits. Other values as they
//                           are.
#pragma once

#include "base/error.h"

struct sqlite3;

namespace sluice::sql {

Result<void> add_functions(sqlite3* database);

}  // namespace sluice::sql
