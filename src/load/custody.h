// Whose table the target is: taken over from a loader that is no longer there, renamed together with its
// definition, or found full of rows that no loader brought. Rules: docs/decisions/0021.
#pragma once

#include "load/run.h"
#include "sql/connection.h"
#include "upsert/table_state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::load {

struct Custody {
  std::string taken_from;    // the loader that owned the table until now; "" = none
  bool owner_gone = false;   // that loader is not defined any more: what is known of its sources moves too
  bool rekeyed = false;      // it was taken over with another key
  bool adopts = false;       // the table has rows, and no loader has ever loaded it
  std::string renamed_from;  // the name of the table until now; "" = the same
  std::vector<std::string> lost;   // tables of this loader that are gone for good: their state goes too
  std::vector<std::string> notes;  // for the receipt of a run that is applied

  // Whether this run leaves rows alone that vanished from the sources, whatever load.vanished says.
  bool spares_vanished(const LoaderSpec& loader, const upsert::Inspection& found) const;
  // Under which loader's name the sources' last state is kept.
  const std::string& source_owner(const LoaderSpec& loader) const {
    return taken_from.empty() ? loader.name : taken_from;
  }
};

struct Target {
  upsert::Inspection found;
  Custody custody;
};

// Looks at the table with a full inspection. Errors: already_exists when another loader that still loads it
// owns it (the message names both files and what to do), and what upsert::inspect says.
Result<Target> look_at_target(sql::Connection& connection, const Request& request);

// Moves the state of a table that was renamed by hand together with its definition. True when it did: look
// again. In a transaction of its own, which is right whatever becomes of the run.
Result<bool> follow_rename(sql::Connection& connection, const Request& request, const Custody& custody);

// Hands over what is kept under the old owner's name and drops the state of lost tables, in the caller's
// transaction.
Result<void> settle_custody(sql::Connection& connection, const Request& request, const Custody& custody);

// What a run that compared says of rows that its sources do not have.
struct Strangers {
  std::int64_t rows = 0;  // to be remembered as TableState::foreign_rows
  std::string note;       // "" = nothing to tell
  // Rows are only left alone this once: the next run must compare, whatever the sources say.
  bool compare_again = false;
};
struct Compared {
  std::optional<std::int64_t> vanished;  // DiffSummary::vanished
  std::int64_t rows_before = 0;          // live rows
  std::int64_t matched = 0;              // of them, rows that the sources brought
  std::int64_t removed = 0;              // of them, rows that this run removes
};
Strangers judge_strangers(const Custody& custody, const LoaderSpec& loader, const upsert::Inspection& found,
                          const Compared& compared);

}  // namespace sluice::load
