// Which columns could be the key of a source: unique and never empty in every row that was seen.
#pragma once

#include "model/row_batch.h"
#include "model/schema.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sluice::app {

// Indices of the columns, ascending.
using ColumnGroup = std::vector<std::size_t>;

// Follows the values of groups of columns. A group is out at its first NULL or its first repeated value.
// Holds one hash a row and group, at most 2 million in all: past that the rows are counted no more. One
// thread.
class UniqueGroups {
 public:
  explicit UniqueGroups(std::vector<ColumnGroup> groups);
  void add(const RowBatch& batch);

  std::vector<ColumnGroup> unique() const;
  std::int64_t rows() const { return rows_; }  // compared
  bool whole() const { return whole_; }        // false: not all rows were compared

 private:
  struct Followed {
    ColumnGroup columns;
    std::unordered_set<std::uint64_t> seen;
    bool unique = true;
  };
  void follow(Followed& group, const RowBatch& batch);

  std::vector<Followed> groups_;
  std::size_t held_ = 0;
  std::int64_t rows_ = 0;
  bool whole_ = true;
};

// Columns of a type that identifies things: whole numbers, text, dates and times. Best names first ("id",
// "code", "orderId", …), then the order of the source.
std::vector<std::size_t> likely_keys(const Schema& schema, std::string_view loader);

// Each of the columns alone; all pairs or triples of them, the likeliest first.
std::vector<ColumnGroup> groups_of(std::span<const std::size_t> columns, std::size_t size);

}  // namespace sluice::app
