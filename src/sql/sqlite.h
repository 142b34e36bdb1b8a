// Opening SQLite files: WAL, synchronous=FULL, foreign keys on, file mode 0600.
#pragma once

#include "base/error.h"
#include "sql/connection.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

struct sqlite3;

namespace sluice::sql {

struct OpenOptions {
  bool read_only = false;
  bool create = true;  // the file (0600) and its folder (0700) where they are missing
  std::chrono::milliseconds busy_timeout{5000};
  int cache_kib = 16 * 1024;        // page cache of this connection
  std::int64_t max_page_count = 0;  // 0 = none; for tests of full disks
};

// Errors: not_found (no file and not created), malformed (not an SQLite database), io, locked.
Result<std::unique_ptr<Connection>> open_sqlite(const std::filesystem::path& path,
                                                const OpenOptions& options = {});

// SQLite counts what memory it holds, process-wide and under a lock: a tenth of the time of many small
// statements. A program that does not ask for the figures says so here, before it opens its first database;
// later it has no effect. Libraries leave it to the program.
void forgo_sqlite_statistics();

// The seam over a connection that stays its owner's: nothing of it is changed (pragmas, handlers, functions),
// and it outlives the object and its statements. A stop token does not reach into its statements.
std::unique_ptr<Connection> borrow_sqlite(sqlite3* database);

}  // namespace sluice::sql
