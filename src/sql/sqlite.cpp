// SQLite through its C API. Why not through a wrapper: docs/decisions/0010-sqlite-adapter.md.
#include "sql/sqlite.h"

#include "base/file.h"
#include "base/text.h"
#include "sql/sqlite_error.h"
#include "sql/sqlite_functions.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace sluice::sql {
namespace {

// Virtual machine steps between two looks at the stop token: well under a millisecond.
constexpr int kStepsBetweenStopChecks = 20'000;

struct CloseDatabase {
  bool borrowed = false;
  void operator()(sqlite3* database) const {
    if (!borrowed) sqlite3_close_v2(database);
  }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// What a connection shares with its statements. Stays where it is: SQLite's callbacks point to it.
struct Session {
  Database database;
  std::string where;
  std::chrono::milliseconds busy_timeout;
  std::stop_token stop = {};
  std::chrono::steady_clock::time_point waits_since = {};

  Error error(int code, std::string_view what) const {
    auto error = sqlite_error(database.get(), code, what, where);
    // The wait for a lock was given up because of the stop, not because of its length.
    if (error.code == ErrorCode::locked && stop.stop_requested())
      return {ErrorCode::cancelled, false, where, "stopped", {}};
    return error;
  }
};

// Instead of SQLite's own: that one sleeps through a stop request. Real time, as it is others' locks that are
// waited for.
int wait_for_lock(void* shared, int tries) noexcept {
  auto& session = *static_cast<Session*>(shared);
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) session.waits_since = now;
  const auto left = session.busy_timeout - (now - session.waits_since);
  if (left <= left.zero() || session.stop.stop_requested()) return 0;
  constexpr std::array<int, 7> kPausesMs = {1, 2, 5, 10, 15, 20, 25};
  const std::chrono::milliseconds pause(kPausesMs[std::min<std::size_t>(static_cast<std::size_t>(tries), 6)]);
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
  return 1;
}

int stop_asked(void* shared) noexcept {
  return static_cast<const Session*>(shared)->stop.stop_requested() ? 1 : 0;
}

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(const Session& session, sqlite3_stmt* statement)
      : session_(session), statement_(statement) {}

  void bind(int parameter, const Value& value) override { bind_value(parameter, value); }

  Result<void> run_with(std::span<const Value> values) override {
    int parameter = 1;
    for (const Value& value : values) bind_value(parameter++, value);
    const int code = bind_error_ == SQLITE_OK ? sqlite3_step(statement_.get()) : SQLITE_ERROR;
    if (code != SQLITE_DONE && code != SQLITE_ROW) return std::unexpected(take_error());
    sqlite3_reset(statement_.get());
    return {};
  }

  Result<bool> step() override {
    if (bind_error_ != SQLITE_OK) return std::unexpected(take_error());
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) return std::unexpected(take_error());
    sqlite3_reset(statement_.get());
    return false;
  }

  void reset() override { sqlite3_reset(statement_.get()); }

  Value column(int index) const override {
    sqlite3_stmt* const statement = statement_.get();
    switch (sqlite3_column_type(statement, index)) {
      case SQLITE_INTEGER:
        return Value::of(static_cast<std::int64_t>(sqlite3_column_int64(statement, index)));
      case SQLITE_FLOAT:
        return Value::of(sqlite3_column_double(statement, index));
      case SQLITE_TEXT: {
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
        return Value::of(std::string_view(bytes == nullptr ? "" : bytes, size_of(index)));
      }
      case SQLITE_BLOB: {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
        return Value::of_blob(std::string_view(bytes == nullptr ? "" : bytes, size_of(index)));
      }
      default:
        return {};
    }
  }
  int column_count() const override { return sqlite3_column_count(statement_.get()); }
  std::string column_name(int index) const override {
    const char* name = sqlite3_column_name(statement_.get(), index);
    return name == nullptr ? std::string() : std::string(name);
  }

 private:
  void bind_value(int parameter, const Value& value) {
    int code = SQLITE_OK;
    sqlite3_stmt* const statement = statement_.get();
    switch (value.kind) {
      case Kind::null:
        code = sqlite3_bind_null(statement, parameter);
        break;
      case Kind::integer:
        code = sqlite3_bind_int64(statement, parameter, value.integer);
        break;
      case Kind::real:
        code = sqlite3_bind_double(statement, parameter, value.real);
        break;
      case Kind::text:
        // A null pointer would bind NULL; an empty view may have one.
        code =
            sqlite3_bind_text64(statement, parameter, value.bytes.data() == nullptr ? "" : value.bytes.data(),
                                value.bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
        break;
      case Kind::blob:
        code =
            sqlite3_bind_blob64(statement, parameter, value.bytes.data() == nullptr ? "" : value.bytes.data(),
                                value.bytes.size(), SQLITE_STATIC);
        break;
    }
    if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
  }

  Error take_error() {
    const int bound = std::exchange(bind_error_, SQLITE_OK);
    const char* const sql = sqlite3_sql(statement_.get());
    auto error = bound != SQLITE_OK ? sqlite_error(nullptr, bound, sql, session_.where)
                                    : session_.error(sqlite3_extended_errcode(session_.database.get()), sql);
    sqlite3_reset(statement_.get());
    return error;
  }

  std::size_t size_of(int index) const {
    return static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), index));
  }

  const Session& session_;  // the connection's
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
  int bind_error_ = SQLITE_OK;
};

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(Database database, std::string where, std::chrono::milliseconds busy_timeout)
      : session_{std::move(database), std::move(where), busy_timeout} {
    if (!borrowed()) sqlite3_busy_handler(session_.database.get(), &wait_for_lock, &session_);
  }

  Result<std::unique_ptr<Statement>> prepare(std::string_view sql) override {
    const char* tail = nullptr;
    SLUICE_TRY(sqlite3_stmt * statement, compile(sql, tail));
    auto owned = std::make_unique<SqliteStatement>(session_, statement);
    const std::string_view rest(tail, static_cast<std::size_t>(sql.data() + sql.size() - tail));
    if (statement == nullptr || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      return fail(ErrorCode::internal, fmt::format("not exactly one statement: {}", sql), session_.where);
    }
    return owned;
  }

  Result<void> execute(std::string_view script) override {
    while (!script.empty()) {
      const char* tail = nullptr;
      SLUICE_TRY(sqlite3_stmt * compiled, compile(script, tail));
      script.remove_prefix(static_cast<std::size_t>(tail - script.data()));
      if (compiled == nullptr) continue;  // blank or a comment
      SqliteStatement statement(session_, compiled);
      for (;;) {
        SLUICE_TRY(const bool row, statement.step());
        if (!row) break;
      }
    }
    return {};
  }

  Dialect dialect() const override { return Dialect::sqlite; }
  std::int64_t changes() const override { return sqlite3_changes64(session_.database.get()); }
  std::int64_t last_insert_id() const override { return sqlite3_last_insert_rowid(session_.database.get()); }
  bool in_transaction() const override { return sqlite3_get_autocommit(session_.database.get()) == 0; }

  std::stop_token stop_on(std::stop_token stop) override {
    auto before = std::exchange(session_.stop, std::move(stop));
    if (borrowed()) return before;
    const int steps = session_.stop.stop_possible() ? kStepsBetweenStopChecks : 0;
    sqlite3_progress_handler(session_.database.get(), steps, steps == 0 ? nullptr : &stop_asked, &session_);
    return before;
  }

 private:
  bool borrowed() const { return session_.database.get_deleter().borrowed; }
  Result<sqlite3_stmt*> compile(std::string_view sql, const char*& tail) {
    if (sql.size() > 1'000'000) return fail(ErrorCode::too_large, "a statement of over 1 MB", session_.where);
    // SQLite would take it for the end of the text.
    if (sql.find('\0') != std::string_view::npos)
      return fail(ErrorCode::internal, fmt::format("a statement with a NUL byte: {}", printable(sql, 300)),
                  session_.where);
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(session_.database.get(), sql.data(), static_cast<int>(sql.size()), 0,
                                        &statement, &tail);
    if (code != SQLITE_OK) {
      return std::unexpected(session_.error(sqlite3_extended_errcode(session_.database.get()), sql));
    }
    return statement;
  }

  Session session_;
};

// SQLite gives -wal and -shm the mode of the database file, so only this one has to be made by us.
Result<void> make_private_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return {};
  if (path.has_parent_path()) SLUICE_CHECK(make_private_directory(path.parent_path()));
  const FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) {
    return fail(error_code_for_errno(errno),
                fmt::format("cannot create the database {}: {}", path.string(), os_message(errno)));
  }
  return {};
}

Result<void> configure(Connection& connection, const OpenOptions& options) {
  if (!options.read_only) {
    // Asked first: setting it takes a lock even when nothing changes.
    SLUICE_TRY(auto mode, connection.prepare("pragma journal_mode"));
    SLUICE_TRY(const bool row, mode->step());
    const bool wal = row && mode->text(0) == "wal";
    mode.reset();
    if (!wal) SLUICE_CHECK(connection.execute("pragma journal_mode = wal"));
  }
  SLUICE_CHECK(connection.execute(
      fmt::format("pragma synchronous = full; pragma foreign_keys = on; pragma cache_size = -{}; "
                  "pragma journal_size_limit = 67108864",
                  options.cache_kib)));
  if (options.max_page_count > 0) {
    SLUICE_CHECK(connection.execute(fmt::format("pragma max_page_count = {}", options.max_page_count)));
  }
  return {};
}

}  // namespace

void forgo_sqlite_statistics() { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

std::unique_ptr<Connection> borrow_sqlite(sqlite3* database) {
  const char* const file = sqlite3_db_filename(database, "main");
  return std::make_unique<SqliteConnection>(
      Database(database, CloseDatabase{true}),
      fmt::format("database {}", file == nullptr || *file == '\0' ? "in memory" : file),
      std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Connection>> open_sqlite(const std::filesystem::path& path,
                                                const OpenOptions& options) {
  const std::string where = fmt::format("database {}", path.string());
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return fail(ErrorCode::io, "it is a directory, not a database file", where);
  }
  const bool may_create = options.create && !options.read_only;
  if (may_create) {
    SLUICE_CHECK(make_private_file(path));
  } else if (!std::filesystem::exists(path, ignored)) {
    return fail(ErrorCode::not_found, "the file does not exist", where);
  }
  sqlite3* raw = nullptr;
  // NOMUTEX: a connection serves one thread at a time. A path is a path, never a URI or ":memory:".
  const int flags = (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE;
  const std::string file = path.is_absolute() ? path.string() : "./" + path.string();
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(raw, code, "open", where));
  SLUICE_CHECK(add_functions(raw));
  auto connection = std::make_unique<SqliteConnection>(std::move(database), where, options.busy_timeout);
  SLUICE_CHECK(configure(*connection, options));
  return connection;
}

}  // namespace sluice::sql
