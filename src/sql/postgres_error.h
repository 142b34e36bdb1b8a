// What went wrong at a PostgreSQL server, as an Error of ours.
#pragma once

#include "base/error.h"

#include <libpq-fe.h>

#include <string_view>

namespace sluice::sql {

// `what` is the statement, shown where it is to blame.
Error postgres_error(const PGresult* result, std::string_view what, std::string_view where);
// The connection could not be made.
Error connect_error(std::string_view message, std::string_view where);
// It was there, and is gone. What was under way may or may not have been done.
Error lost_error(std::string_view message, std::string_view where);

}  // namespace sluice::sql
