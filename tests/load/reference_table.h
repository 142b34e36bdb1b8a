// What a load must do, written down as plainly as possible: a map from keys to rows.
#pragma once

#include "model/receipt.h"
#include "model/spec.h"

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace sluice::load::test {

// The type a column ends up with, as far as the cases go.
enum class Kind { integer, decimal, real, boolean, date, timestamp, text };

// A value by its kind and its canonical text, as a text column would hold it.
struct Cell {
  Kind kind = Kind::text;
  std::string text;
};
using Row = std::map<std::string, Cell>;  // a column that is missing is NULL

struct Record {
  Row row;
  bool bad = false;  // has a value that its column cannot take
};

// What the table holds, as text; equal rows are counted.
using Rendered = std::map<std::string, std::string>;  // a column that is missing is NULL
struct Content {
  std::multiset<Rendered> live;
  std::multiset<Rendered> soft_deleted;
  friend bool operator==(const Content&, const Content&) = default;
};
void PrintTo(const Content& content, std::ostream* out);  // for failures

class ReferenceTable {
 public:
  explicit ReferenceTable(std::vector<std::string> key) : key_(std::move(key)) {}

  // Loads; the counts of the receipt are the result. A breached guard leaves everything as it is.
  Receipt load(const std::vector<Record>& records, const LoaderSpec& loader);
  // Somebody else changes the table: removes the row at a position, adds one, drops a column, takes the mark
  // of every soft-deleted row away, or drops the whole table.
  void remove_by_hand(std::size_t position);
  void insert_by_hand(Row row) { rows_.push_back({std::move(row), false}); }
  void drop_column_by_hand(const std::string& column);
  void restore_by_hand();
  void drop_by_hand();
  bool has_key_of(const Row& row) const;

  Content content() const;
  std::size_t rows() const { return rows_.size(); }
  std::int64_t live() const;
  // The row at a position, with the values of its key.
  const Row& row(std::size_t position) const { return rows_.at(position).row; }
  bool soft_deleted(std::size_t position) const { return rows_.at(position).soft_deleted; }

 private:
  struct Stored {
    Row row;
    bool soft_deleted = false;
  };
  // Nothing: a part of the key is NULL.
  std::optional<std::vector<std::string>> key_of(const Row& row) const;
  Rendered render(const Row& row) const;
  bool refill(Stored& stored, const Row& record) const;
  void widen_stored(const std::map<std::string, Kind>& before);

  std::vector<std::string> key_;
  std::vector<Stored> rows_;
  std::map<std::string, Kind> kinds_;  // of the columns that were seen with a value
  std::set<std::string> lost_;         // columns that somebody has dropped since the last load
};

Kind join(Kind a, Kind b);
std::string render(const Cell& cell, Kind column);

}  // namespace sluice::load::test
