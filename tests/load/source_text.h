// Writes records as CSV, JSON or NDJSON, in any of the spellings that mean the same.
#pragma once

#include "load/reference_table.h"
#include "model/spec.h"

#include <random>
#include <string>
#include <vector>

namespace sluice::load::test {

using Random = std::mt19937_64;

inline int below(Random& random, int limit) {
  return static_cast<int>(random() % static_cast<std::uint64_t>(limit));
}
inline bool chance(Random& random, int percent) { return below(random, 100) < percent; }

struct SourceColumn {
  std::string name;
  Kind kind = Kind::text;
  bool declared = true;  // its type is declared, so that other spellings of it are taken too
  std::string field;     // its name in the source, "" = the same
  const std::string& label() const { return field.empty() ? name : field; }
};

struct SourceShape {
  Format format = Format::csv;
  bool nested = false;  // JSON: the records are at data.items
  std::vector<SourceColumn> columns;
};

// A bad record gets a word where `spoilt`, a declared number, should be.
std::string write_source(const std::vector<Record>& records, const SourceShape& shape,
                         const std::string& spoilt, Random& random);

}  // namespace sluice::load::test
