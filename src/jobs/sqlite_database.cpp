#include "jobs/sqlite_database.h"

#include "base/file.h"
#include "jobs/sqlite_schema.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace sluice::jobs {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

}  // namespace

std::int64_t Row::integer(int column) const { return sqlite3_column_int64(statement_, column); }
std::optional<std::int64_t> Row::maybe_integer(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return {};
  return integer(column);
}
std::string Row::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
               : std::string();
}
int Row::size() const { return sqlite3_data_count(statement_); }

std::unexpected<Error> Database::failure() const {
  const int code = sqlite3_errcode(handle_);
  const std::string message = fmt::format("{}: {}", path_, sqlite3_errmsg(handle_));
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) return fail_transient(ErrorCode::locked, message);
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) return fail(ErrorCode::malformed, message);
  return fail(ErrorCode::io, message);
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, bool writer) {
  std::unique_ptr<Database> database(new Database());
  database->path_ = path.string();
  const int flags =
      (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &database->handle_, flags, nullptr) != SQLITE_OK)
    return database->failure();
  sqlite3_busy_timeout(database->handle_, kBusyTimeoutMs);
  SLUICE_CHECK(database->script(
      writer ? "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;"
             : "pragma query_only = on;"));
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Result<sqlite3_stmt*> Database::prepared(std::string_view sql) {
  std::string key(sql);
  if (const auto found = statements_.find(key); found != statements_.end()) return found->second;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, nullptr) != SQLITE_OK) {
    return failure();
  }
  statements_.emplace(std::move(key), statement);
  return statement;
}

Result<sqlite3_stmt*> Database::bound(std::string_view sql, std::span<const Value> values) {
  SLUICE_TRY(sqlite3_stmt* const statement, prepared(sql));
  const int wanted = sqlite3_bind_parameter_count(statement);
  for (int i = 0; i < wanted; ++i) {
    const Value& value = values[static_cast<std::size_t>(i)];
    int code = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, i + 1, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      // Values live until the statement has run.
      code = sqlite3_bind_text(statement, i + 1, text->data() ? text->data() : "",
                               static_cast<int>(text->size()), SQLITE_STATIC);
    } else {
      code = sqlite3_bind_null(statement, i + 1);
    }
    if (code != SQLITE_OK) return failure();
  }
  return statement;
}

Result<int> Database::run_values(std::string_view sql, std::span<const Value> values) {
  SLUICE_TRY(sqlite3_stmt* const statement, bound(sql, values));
  const int code = sqlite3_step(statement);
  if (code != SQLITE_DONE && code != SQLITE_ROW) {
    auto error = failure();
    sqlite3_reset(statement);
    return error;
  }
  sqlite3_reset(statement);
  return sqlite3_changes(handle_);
}

Result<void> Database::each_row(std::string_view sql, const std::function<Result<bool>(const Row&)>& on_row,
                                std::span<const Value> values) {
  SLUICE_TRY(sqlite3_stmt* const statement, bound(sql, values));
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) {
      auto error = failure();
      sqlite3_reset(statement);
      return error;
    }
    auto more = on_row(Row(statement));
    if (!more) {
      sqlite3_reset(statement);
      return std::unexpected(std::move(more).error());
    }
    if (!*more) break;
  }
  sqlite3_reset(statement);
  return {};
}

Result<void> Database::script(std::string_view sql) {
  if (sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure();
  return {};
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_); }

Result<std::unique_ptr<SqliteFile>> SqliteFile::open(const std::filesystem::path& path) {
  std::unique_ptr<SqliteFile> file(new SqliteFile());
  SLUICE_TRY(file->writer_, Database::open(path, true));
  SLUICE_CHECK(file->write([&](Database& database) -> Result<void> {
    std::int64_t version = 0;
    SLUICE_CHECK(database.each("pragma user_version", [&](const Row& row) -> Result<void> {
      version = row.integer(0);
      return {};
    }));
    const auto versions = sqlite_schema_versions();
    for (auto i = static_cast<std::size_t>(version); i < versions.size(); ++i)
      SLUICE_CHECK(database.script(versions[i]));
    return database.script(fmt::format("pragma user_version = {}", versions.size()));
  }));
  SLUICE_TRY(file->reader_, Database::open(path, false));
  SLUICE_TRY(file->seen_version_, file->data_version());
  return file;
}

Result<std::int64_t> SqliteFile::data_version() {
  std::lock_guard lock(write_mutex_);
  std::int64_t version = 0;
  SLUICE_CHECK(writer_->each("pragma data_version", [&](const Row& row) -> Result<void> {
    version = row.integer(0);
    return {};
  }));
  return version;
}

Result<bool> SqliteFile::changed_elsewhere() {
  SLUICE_TRY(const std::int64_t version, data_version());
  return std::exchange(seen_version_, version) != version;
}

}  // namespace sluice::jobs
