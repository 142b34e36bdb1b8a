// Reads the tab-separated tables next to the tests. Lines that begin with '#' are comments; "\t" in a cell is
// a tab.
#pragma once

#include "support/paths.h"

#include <fstream>
#include <string>
#include <vector>

namespace english_cron::test {

struct Row {
  int line = 0;
  std::vector<std::string> cells;
};

inline std::vector<Row> read_table(const std::string& name, std::size_t columns) {
  std::ifstream in(sluice::test::source_dir() + "/tests/english-cron/" + name);
  std::vector<Row> rows;
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    if (text.starts_with('#') || text.empty()) continue;
    Row row{line, {""}};
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\t') {
        row.cells.emplace_back();
      } else if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == 't') {
        row.cells.back() += '\t';
        ++i;
      } else {
        row.cells.back() += text[i];
      }
    }
    row.cells.resize(columns);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace english_cron::test
