// Random records: fresh ones, those of a day later, and those that cannot be loaded.
#pragma once

#include "load/reference_table.h"
#include "load/source_text.h"

#include <optional>
#include <string>
#include <vector>

namespace sluice::load::test {

// A column that no definition declares. Its name has what SQL and CSV quote, and letters of two bytes.
inline const std::string kEvolving = "Größe \"x\"";

// Random values and records of one case.
class RecordMaker {
 public:
  RecordMaker(Random& random, std::vector<SourceColumn> key, std::vector<SourceColumn> values, int keys)
      : random_(random), key_(std::move(key)), values_(std::move(values)), keys_(keys) {}

  Cell cell(Kind kind);

  Cell evolving(Kind kind);

  Row row(std::optional<Kind> evolving_kind);

  std::vector<Record> fresh(int count, std::optional<Kind> evolving_kind);

  // What a source may look like a day later.
  std::vector<Record> later(const std::vector<Record>& before, std::optional<Kind> evolving_kind);

  // Records that cannot be loaded.
  void spoil(std::vector<Record>& records, const std::string& number);

 private:
  Cell key_part(Kind kind);

  Random& random_;
  std::vector<SourceColumn> key_;
  std::vector<SourceColumn> values_;
  int keys_;
};

}  // namespace sluice::load::test
