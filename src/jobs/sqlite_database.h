// The job store's use of src/sql: statements with typed values, prepared once; one writer, one reader.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "sql/connection.h"
#include "sql/transaction.h"
#include "sql/value.h"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

namespace sluice::jobs {

// The current row of a running statement. NULL reads as 0 or "".
class Row {
 public:
  explicit Row(const sql::Statement& statement) : statement_(statement) {}
  std::int64_t integer(int column) const { return statement_.int64(column); }
  std::string text(int column) const { return std::string(statement_.text(column)); }
  std::optional<std::int64_t> maybe_integer(int column) const {
    if (statement_.is_null(column)) return {};
    return integer(column);
  }
  Timestamp time(int column) const { return Timestamp(std::chrono::microseconds(integer(column))); }
  std::optional<Timestamp> maybe_time(int column) const {
    if (statement_.is_null(column)) return {};
    return time(column);
  }
  int size() const { return statement_.column_count(); }

 private:
  const sql::Statement& statement_;
};

inline sql::Value to_value(std::nullopt_t) { return {}; }
inline sql::Value to_value(std::string_view text) { return sql::Value::of(text); }
inline sql::Value to_value(Timestamp time) {
  return sql::Value::of(std::int64_t{time.time_since_epoch().count()});
}
inline sql::Value to_value(JobId id) { return sql::Value::of(id.value()); }
template <class T>
  requires std::integral<T> || std::is_enum_v<T>
sql::Value to_value(T number) {
  return sql::Value::of(static_cast<std::int64_t>(number));
}
template <class T>
sql::Value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : sql::Value();
}

// One connection with its prepared statements. Used under SqliteFile's locks only.
class Database {
 public:
  explicit Database(std::unique_ptr<sql::Connection> connection) : connection_(std::move(connection)) {}

  // Runs a statement without rows; returns how many rows it changed.
  template <class... Args>
  Result<int> run(std::string_view sql, const Args&... args) {
    const sql::Value values[] = {sql::Value(), to_value(args)...};
    return run_values(sql, std::span(values).subspan(1));
  }
  // Calls `on_row` (Result<void>(const Row&)) for each row, until one fails.
  template <class F, class... Args>
  Result<void> each(std::string_view sql, F&& on_row, const Args&... args) {
    return each_until(
        sql,
        [&](const Row& row) -> Result<bool> {
          SLUICE_CHECK(on_row(row));
          return true;
        },
        args...);
  }
  // As each(), until `on_row` (Result<bool>(const Row&)) returns false.
  template <class F, class... Args>
  Result<void> each_until(std::string_view sql, F&& on_row, const Args&... args) {
    const sql::Value values[] = {sql::Value(), to_value(args)...};
    return each_row(sql, on_row, std::span(values).subspan(1));
  }
  std::int64_t last_id() const { return connection_->last_insert_id(); }
  sql::Connection& connection() { return *connection_; }

 private:
  using OnRow = std::function<Result<bool>(const Row&)>;
  // The statement with its values bound: those it has parameters for.
  Result<sql::Statement*> bound(std::string_view sql, std::span<const sql::Value> values);
  Result<int> run_values(std::string_view sql, std::span<const sql::Value> values);
  Result<void> each_row(std::string_view sql, const OnRow& on_row, std::span<const sql::Value> values);

  std::unique_ptr<sql::Connection> connection_;  // outlives its statements
  std::unordered_map<std::string, std::unique_ptr<sql::Statement>> statements_;
};

// The file: transactions over its two connections. Thread-safe. Every call fails once the file at the path is
// another one or none: SQLite itself would go on in a file that nobody finds again.
class SqliteFile {
 public:
  static Result<std::unique_ptr<SqliteFile>> open(const std::filesystem::path& path);

  // One immediate transaction: committed when `work` (Result<T>(Database&)) has a value.
  template <class F>
  auto write(F&& work) -> std::invoke_result_t<F, Database&> {
    SLUICE_CHECK(in_place());
    std::lock_guard lock(write_mutex_);
    return transact(writer_, sql::TransactionKind::immediate, work);
  }
  // One snapshot.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F, Database&> {
    SLUICE_CHECK(in_place());
    std::lock_guard lock(read_mutex_);
    return transact(reader_, sql::TransactionKind::deferred, work);
  }
  // Whether another connection but our writer has committed since the last call.
  Result<bool> changed_elsewhere();

 private:
  // What tells a file from another one of its name.
  struct Identity {
    std::uint64_t device = 0, number = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  static std::optional<Identity> identity_of(const std::filesystem::path& path);

  SqliteFile(std::filesystem::path path, std::unique_ptr<sql::Connection> writer,
             std::unique_ptr<sql::Connection> reader)
      : path_(std::move(path)),
        identity_(identity_of(path_)),
        writer_(std::move(writer)),
        reader_(std::move(reader)) {}

  template <class F>
  static auto transact(Database& database, sql::TransactionKind kind, F& work)
      -> std::invoke_result_t<F, Database&> {
    SLUICE_TRY(auto transaction, sql::Transaction::begin(database.connection(), kind));
    auto result = work(database);
    if (!result) return result;
    SLUICE_CHECK(transaction.commit());
    return result;
  }
  Result<std::int64_t> data_version();
  Result<void> in_place() const;

  const std::filesystem::path path_;
  const std::optional<Identity> identity_;
  std::mutex write_mutex_, read_mutex_;
  Database writer_, reader_;
  std::int64_t seen_version_ = 0;
};

}  // namespace sluice::jobs
