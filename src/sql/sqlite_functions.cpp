#include "sql/sqlite_functions.h"

#include "model/number.h"
#include "sql/sqlite_error.h"

#include <sqlite3.h>

#include <cmath>

namespace sluice::sql {
namespace {

void number_text_of(sqlite3_context* context, int, sqlite3_value** values) {
  std::string text;
  switch (sqlite3_value_type(values[0])) {
    case SQLITE_INTEGER:
      text = std::to_string(sqlite3_value_int64(values[0]));
      break;
    case SQLITE_FLOAT: {
      const double value = sqlite3_value_double(values[0]);
      if (!std::isfinite(value))
        return sqlite3_result_text(context, value > 0 ? "Inf" : "-Inf", -1, SQLITE_STATIC);
      text = number_text(shortest_number(value));
      break;
    }
    default:
      return sqlite3_result_value(context, values[0]);
  }
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

}  // namespace

Result<void> add_functions(sqlite3* database) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  const int code = sqlite3_create_function_v2(database, "sluice_number_text", 1, kFlags, nullptr,
                                              &number_text_of, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database, code, "create function", ""));
  return {};
}

}  // namespace sluice::sql
