// What is kept under a loader's name moves with its table. Within the caller's transaction.
#pragma once

#include "base/error.h"
#include "sql/connection.h"

#include <string_view>

namespace sluice::history {

struct Succession {
  std::string_view from;   // the loader that owned the table
  std::string_view to;     // the loader that owns it now
  std::string_view table;  // of which they are
  bool gone = false;       // `from` is not defined any more: its rejects go on under the new name
};
// The sources' last state of this table goes to the new owner. Records of runs keep the name they ran under.
Result<void> succeed(sql::Connection& connection, const Succession& succession);

// The table of a loader was given another name.
Result<void> rename_table(sql::Connection& connection, std::string_view loader, std::string_view from,
                          std::string_view to);

}  // namespace sluice::history
