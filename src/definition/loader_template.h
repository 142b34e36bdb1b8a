// The commented definition that `sluice init` writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct TemplateOptions {
  std::string name = "Country";
  std::string source = "https://example.org/countries.json";  // URL or path
  std::string records;                                        // JSON path of the records, "" = found
  std::string schedule = "every day at 2am";
  // Empty = `mode: replace`, which needs none, with `key_comment` saying so.
  std::vector<std::string> key;
  std::string key_comment;  // "unique and never empty in all 249 records"; one line, may be empty
  struct Column {
    std::string name;
    std::string type;     // as in YAML; "" = not known
    std::string comment;  // "unique, never empty", or ""
  };
  std::vector<Column> columns;  // empty = inferred on the first run, said so in a comment
  // False: the columns are shown in a comment, and the first run finds their types out again. True: they are
  // declared, and a record that does not fit is rejected.
  bool declare_columns = true;
  std::int64_t minimum_records = 1;
};

// Valid as it stands.
std::string loader_template(const TemplateOptions& options);

}  // namespace sluice::definition
