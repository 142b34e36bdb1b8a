#include "acceptance/database.h"

#include <sqlite3.h>

#include <stdexcept>

namespace sluice::test {
namespace {

constexpr int kBusyMilliseconds = 5000;

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

[[noreturn]] void fail(sqlite3* database, const std::string& what) {
  throw std::runtime_error(what + ": " + (database != nullptr ? sqlite3_errmsg(database) : "out of memory"));
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Database::Database(const std::string& file, Access access) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &opened, access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, nullptr);
  database_.reset(opened);
  if (code != SQLITE_OK) fail(opened, file);
  sqlite3_busy_timeout(opened, kBusyMilliseconds);
}

void Database::execute(const std::string& sql) const {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(database_.get(), sql);
}

std::vector<Database::Row> Database::rows(const std::string& sql) const {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    fail(database_.get(), sql);
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  std::vector<Row> rows;
  for (;;) {
    const int code = sqlite3_step(prepared);
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) fail(database_.get(), sql);
    Row& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
      if (sqlite3_column_type(prepared, i) == SQLITE_NULL) {
        row.emplace_back();
        continue;
      }
      const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(prepared, i));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(prepared, i));
      row.emplace_back(size == 0 ? std::string() : std::string(bytes, size));
    }
  }
}

std::int64_t Database::number(const std::string& sql) const {
  const auto found = rows(sql);
  return found.empty() || !found[0].at(0) ? 0 : std::stoll(*found[0][0]);
}

bool Database::has_table(const std::string& name) const {
  return number("select count(*) from sqlite_master where type = 'table' and name = '" + name + "'") > 0;
}

}  // namespace sluice::test
