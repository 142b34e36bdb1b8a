// The job store's use of SQLite: statements with typed values, prepared once; one writer, one reader.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"

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
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::jobs {

// The current row of a running statement. NULL reads as 0 or "".
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  Timestamp time(int column) const { return Timestamp(std::chrono::microseconds(integer(column))); }
  std::optional<Timestamp> maybe_time(int column) const {
    const auto value = maybe_integer(column);
    return value ? std::optional(Timestamp(std::chrono::microseconds(*value))) : std::nullopt;
  }
  int size() const;

 private:
  sqlite3_stmt* statement_;
};

using Value = std::variant<std::monostate, std::int64_t, std::string_view>;

inline Value to_value(std::nullopt_t) { return {}; }
inline Value to_value(std::string_view text) { return text; }
inline Value to_value(Timestamp time) { return std::int64_t{time.time_since_epoch().count()}; }
inline Value to_value(JobId id) { return id.value(); }
template <class T>
  requires std::integral<T> || std::is_enum_v<T>
Value to_value(T number) {
  return static_cast<std::int64_t>(number);
}
template <class T>
Value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : Value{};
}

// One connection. Used under SqliteFile's locks only.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, bool writer);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs a statement without rows; returns how many rows it changed.
  template <class... Args>
  Result<int> run(std::string_view sql, const Args&... args) {
    const Value values[] = {Value{}, to_value(args)...};
    return run_values(sql, std::span(values).subspan(1));
  }
  // Calls `on_row` (Result<void>(const Row&)) for each row, until one fails.
  template <class F, class... Args>
  Result<void> each(std::string_view sql, F&& on_row, const Args&... args) {
    const Value values[] = {Value{}, to_value(args)...};
    return each_row(
        sql,
        [&](const Row& row) -> Result<bool> {
          SLUICE_CHECK(on_row(row));
          return true;
        },
        std::span(values).subspan(1));
  }
  // As each(), until `on_row` (Result<bool>(const Row&)) returns false.
  template <class F, class... Args>
  Result<void> each_until(std::string_view sql, F&& on_row, const Args&... args) {
    const Value values[] = {Value{}, to_value(args)...};
    return each_row(sql, on_row, std::span(values).subspan(1));
  }
  Result<void> script(std::string_view sql);
  std::int64_t last_id() const;

 private:
  Database() = default;
  Result<sqlite3_stmt*> prepared(std::string_view sql);
  Result<sqlite3_stmt*> bound(std::string_view sql, std::span<const Value> values);
  Result<int> run_values(std::string_view sql, std::span<const Value> values);
  Result<void> each_row(std::string_view sql, const std::function<Result<bool>(const Row&)>& on_row,
                        std::span<const Value> values);
  std::unexpected<Error> failure() const;

  sqlite3* handle_ = nullptr;
  std::string path_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

// The file: transactions over its two connections. Thread-safe.
class SqliteFile {
 public:
  static Result<std::unique_ptr<SqliteFile>> open(const std::filesystem::path& path);

  // One BEGIN IMMEDIATE transaction: committed when `work` (Result<T>(Database&)) has a value.
  template <class F>
  auto write(F&& work) -> std::invoke_result_t<F, Database&> {
    std::lock_guard lock(write_mutex_);
    return transact(*writer_, "begin immediate", work);
  }
  // One snapshot.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F, Database&> {
    std::lock_guard lock(read_mutex_);
    return transact(*reader_, "begin", work);
  }
  // Whether another connection but our writer has committed since the last call.
  Result<bool> changed_elsewhere();

 private:
  SqliteFile() = default;
  template <class F>
  static auto transact(Database& database, std::string_view begin, F& work)
      -> std::invoke_result_t<F, Database&> {
    if (auto begun = database.run(begin); !begun) return std::unexpected(std::move(begun).error());
    auto result = work(database);
    if (result) {
      auto committed = database.run("commit");
      if (committed) return result;
      result = std::unexpected(std::move(committed).error());
    }
    // An error may have ended the transaction already; then there is nothing to roll back.
    (void)database.run("rollback");
    return result;
  }
  Result<std::int64_t> data_version();

  std::mutex write_mutex_, read_mutex_;
  std::unique_ptr<Database> writer_, reader_;
  std::int64_t seen_version_ = 0;
};

}  // namespace sluice::jobs
