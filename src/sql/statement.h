// One prepared statement. Belongs to its connection, which must outlive it; same thread rules.
#pragma once

#include "base/error.h"
#include "sql/value.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::sql {

class Statement {
 public:
  virtual ~Statement() = default;

  // Parameters count from 1. Text and blob bytes are NOT copied: they must stay as they are until the last
  // step() that uses them. A binding that is impossible (no such parameter, too large) is reported by the
  // next step(). Values stay bound over reset().
  virtual void bind(int parameter, const Value& value) = 0;

  // True = a row stands ready, false = done (and reset: it may be bound and stepped again). After an error
  // the statement is reset.
  virtual Result<bool> step() = 0;
  // For statements without rows: binds parameters 1, 2, … and steps once. The way to write many rows.
  virtual Result<void> run_with(std::span<const Value> values) = 0;
  // Ends a query early, so that it can be run again and holds no lock.
  virtual void reset() = 0;

  // The current row; columns count from 0. Bytes are valid until the next step() or reset().
  virtual Value column(int index) const = 0;
  virtual int column_count() const = 0;
  virtual std::string column_name(int index) const = 0;

  // Shorthands.
  void bind_null(int parameter) { bind(parameter, Value()); }
  void bind_int64(int parameter, std::int64_t value) { bind(parameter, Value::of(value)); }
  void bind_double(int parameter, double value) { bind(parameter, Value::of(value)); }
  void bind_text(int parameter, std::string_view value) { bind(parameter, Value::of(value)); }
  void bind_blob(int parameter, std::string_view value) { bind(parameter, Value::of_blob(value)); }
  // For statements without rows: steps once and resets.
  Result<void> run() {
    auto stepped = step();
    if (!stepped) return std::unexpected(std::move(stepped).error());
    if (*stepped) reset();
    return {};
  }
  bool is_null(int index) const { return column(index).is_null(); }
  // The column as a number: 0 for NULL and text, reals are cut.
  std::int64_t int64(int index) const;
  double real(int index) const;
  // The column's bytes; empty for NULL and numbers.
  std::string_view text(int index) const { return column(index).bytes; }
  std::string_view blob(int index) const { return column(index).bytes; }
};

}  // namespace sluice::sql
