// What editors and people read about the keys, generated from the tables that the parser itself works by.
#pragma once

#include "base/error.h"
#include "definition/source_file.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

// JSON Schema draft-07 of one kind of file (service, data_source, entity, loader, job).
std::string json_schema(FileKind kind);
// One schema for all of them: anyOf over the kinds.
std::string json_schema();

// The key tables of docs/definitions.md, as Markdown.
std::string reference_markdown();

// A complete example document from the tables, with the kind of file it belongs to; every one of them passes
// the parser and the schema.
struct Example {
  FileKind kind = FileKind::loader;
  std::string title;
  std::string yaml;
};
std::vector<Example> examples();

}  // namespace sluice::definition
