// The commented definition that `sluice init` writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct TemplateOptions {
  std::string name = "Country";
  std::string source = "https://example.org/countries.json";  // URL or path
  std::string schedule = "every day at 2am";
  std::vector<std::string> key;  // empty = a placeholder with a comment
  struct Column {
    std::string name;
    std::string type;     // as in YAML
    std::string comment;  // "unique, never empty", or ""
  };
  std::vector<Column> columns;  // empty = inferred on the first run, said so in a comment
};

// Valid as it stands (but for a key that is still to be chosen, which `sluice check` then asks for).
std::string loader_template(const TemplateOptions& options);

}  // namespace sluice::definition
