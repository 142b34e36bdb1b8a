#include "sql/sqlite_error.h"

#include "base/file.h"
#include "base/text.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

namespace sluice::sql {
namespace {

// SQLite's "disk I/O error" is many things: a file system that went away, a limit, a broken disk.
std::string cause_in_the_system(sqlite3* database, int last_errno) {
  const int kept = database != nullptr ? sqlite3_system_errno(database) : 0;  // not kept on every path
  const int number = kept != 0 ? kept : last_errno;
  return number == 0 ? std::string() : ", " + os_message(number);
}

}  // namespace

Error sqlite_error(sqlite3* database, int code, std::string_view what, std::string_view where) {
  const int last_errno = errno;
  const std::string detail = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  Error error;
  error.where = where;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.code = ErrorCode::locked;
      error.retryable = true;
      error.message = "the database is locked: another program is writing to it; run again when it is done";
      break;
    case SQLITE_FULL:
      error.code = ErrorCode::io;
      error.retryable = true;  // room can be made
      error.message = "the disk is full: free some space, then run again; nothing was written";
      break;
    case SQLITE_IOERR:
      error.code = ErrorCode::io;
      error.retryable = true;
      error.message = fmt::format("the database file cannot be read or written: {}{} (SQLite code {})",
                                  detail, cause_in_the_system(database, last_errno), code);
      break;
    case SQLITE_READONLY:
      error.code = ErrorCode::io;
      error.message = "the database is read-only: check the permissions of the file and its folder";
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      error.code = ErrorCode::io;
      error.message = "the database file cannot be opened: check that its folder exists and may be written";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.code = ErrorCode::malformed;
      error.message = fmt::format("not an SQLite database, or a damaged one: {}", detail);
      break;
    case SQLITE_CONSTRAINT:
      error.code = ErrorCode::conflict;
      error.message = detail;
      break;
    case SQLITE_INTERRUPT:
      error.code = ErrorCode::cancelled;
      error.message = "stopped";
      break;
    case SQLITE_TOOBIG:
      error.code = ErrorCode::too_large;
      error.message = "a value is larger than SQLite can hold (1 GB)";
      break;
    case SQLITE_NOMEM:
      error.code = ErrorCode::io;
      error.message = "out of memory";
      break;
    default:
      error.code = ErrorCode::internal;
      error.message = fmt::format("{} (SQLite code {}) in: {}", detail, code, printable(what, 300));
      break;
  }
  return error;
}

}  // namespace sluice::sql
