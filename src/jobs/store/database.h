// The job stores' use of src/sql: statements with typed values, prepared once.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "sql/connection.h"
#include "sql/value.h"

#include <array>
#include <concepts>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
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
  // Until the next row.
  std::string_view view(int column) const { return statement_.text(column); }
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

// One connection with its prepared statements. Serves one thread at a time.
class Database {
 public:
  explicit Database(std::unique_ptr<sql::Connection> connection) : connection_(std::move(connection)) {}
  // Somebody else's, who keeps it for as long as this object is there.
  explicit Database(sql::Connection& borrowed) : connection_(std::shared_ptr<void>(), &borrowed) {}

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

  std::shared_ptr<sql::Connection> connection_;  // outlives its statements
  std::deque<std::string> storable_;             // values that had to be changed for this call
  // Found by a view: the texts are long, and asked for several times a job.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::unique_ptr<sql::Statement>, Hash, std::equal_to<>> statements_;
  // Those found last, by where their texts are: comparing two texts costs less than hashing one.
  struct Recent {
    std::string_view text;  // the map's own
    sql::Statement* statement = nullptr;
  };
  std::array<Recent, 64> recent_{};
};

// What is no text for PostgreSQL (bytes that are not UTF-8, NUL) becomes U+FFFD; all else stays as it is.
std::string storable(std::string_view text);
bool is_storable(std::string_view text);

}  // namespace sluice::jobs
