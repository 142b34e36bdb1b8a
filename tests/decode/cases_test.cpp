// Walks tests/decode/cases: one folder a case.
//   input.csv | input.json | input.ndjson   the bytes, as they are
//   spec            optional lines `key = value`: format, records, delimiter, quote, header, skipLines,
//   encoding,
//                   decimal, null, key (columns), types (name:type …; declared columns, strict), name,
//                   ignoreCase
//   expected.tsv    header `name:type` by column, then the rows; NULL is \N, an empty text is an empty cell
//   expected.rejects  optional: lines `ordinal <TAB> locator <TAB> code <TAB> column`
//   expected.error  instead of both: `code <TAB> words that the message holds`
// Every case runs with the usual block size and with blocks of a few bytes.
#include "base/text.h"
#include "decode/decode_support.h"
#include "support/paths.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace sluice::decode {
namespace {

namespace fs = std::filesystem;
const fs::path kCases = fs::path(test::source_dir()) / "tests/decode/cases";

std::string read_if_there(const fs::path& path) {
  return fs::exists(path) ? *read_file(path) : std::string();
}

std::map<std::string, std::string> read_settings(const fs::path& path) {
  std::map<std::string, std::string> settings;
  const auto text = read_if_there(path);
  for (const auto line : split(text, '\n')) {
    const auto at = line.find('=');
    if (at == std::string_view::npos) continue;
    settings[std::string(trim(line.substr(0, at)))] = trim(line.substr(at + 1));
  }
  return settings;
}

DecodeSpec spec_from(const std::map<std::string, std::string>& settings) {
  DecodeSpec spec;
  for (const auto& [key, value] : settings) {
    const auto symbol = value == "tab" ? '\t' : value == "none" ? '\0' : value.empty() ? '\0' : value.front();
    if (key == "format") {
      spec.format = value == "csv" ? Format::csv : value == "json" ? Format::json : Format::ndjson;
    } else if (key == "records") {
      spec.records = value;
    } else if (key == "delimiter") {
      spec.csv.delimiter = symbol;
    } else if (key == "quote") {
      spec.csv.quote = symbol;
    } else if (key == "header") {
      spec.csv.header = value == "true";
    } else if (key == "skipLines") {
      spec.csv.skip_lines = std::stoi(value);
    } else if (key == "encoding") {
      spec.csv.encoding = value;
    } else if (key == "decimal") {
      spec.csv.decimal = symbol;
    } else if (key == "null") {
      spec.csv.null = value;
    }
  }
  return spec;
}

// "id:int64 price:decimal(10,2) city=address.city:text"
SchemaPtr declared_schema(std::string_view types, std::string_view key) {
  auto schema = std::make_shared<Schema>();
  for (const auto item : split(types, ' ')) {
    if (item.empty()) continue;
    const auto colon = item.rfind(':');
    auto name = item.substr(0, colon);
    auto type = item.substr(colon + 1);
    Column column;
    column.id = static_cast<int>(schema->columns.size()) + 1;
    if (type.ends_with('!')) {
      column.required = true;
      type.remove_suffix(1);
    }
    if (const auto open = type.find('('); open != std::string_view::npos) {
      const auto comma = type.find(',');
      column.precision = std::stoi(std::string(type.substr(open + 1, comma - open - 1)));
      column.scale = std::stoi(std::string(type.substr(comma + 1)));
      type = type.substr(0, open);
    }
    column.type = *value_type_from(type);
    const auto equals = name.find('=');
    column.name = name.substr(0, equals);
    column.from = equals == std::string_view::npos ? name : name.substr(equals + 1);
    schema->columns.push_back(column);
  }
  for (const auto name : split(key, ' ')) {
    if (const auto at = schema->find(name)) schema->key.push_back(*at);
  }
  return schema;
}

std::string type_text(const Column& column) {
  return column.type == ValueType::decimal && column.precision > 0
             ? fmt::format("decimal({},{})", column.precision, column.scale)
             : std::string(to_string(column.type));
}

std::string shown(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out;
}

std::string table_text(const Schema& schema, const Decoded& all) {
  std::string text;
  for (std::size_t c = 0; c < schema.columns.size(); ++c) {
    text += fmt::format("{}{}:{}", c == 0 ? "" : "\t", schema.columns[c].name, type_text(schema.columns[c]));
  }
  text += '\n';
  for (const auto& row : all.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) text += (c == 0 ? "" : "\t") + shown(row[c]);
    text += '\n';
  }
  return text;
}

std::string rejects_text(const Decoded& all) {
  auto rejects = all.rejects;
  std::sort(rejects.begin(), rejects.end(),
            [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
  std::string text;
  for (const auto& reject : rejects) {
    text += fmt::format("{}\t{}\t{}\t{}\n", reject.ordinal, reject.locator, reject.code, reject.column);
  }
  return text;
}

Result<std::pair<SchemaPtr, Decoded>> run_case(const fs::path& folder,
                                               const std::map<std::string, std::string>& settings,
                                               std::size_t block_bytes) {
  fs::path file;
  for (const auto* name : {"input.csv", "input.json", "input.ndjson", "input.bin"}) {
    if (fs::exists(folder / name)) file = folder / name;
  }
  const auto setting = [&](const char* name) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string() : found->second;
  };
  const auto name = setting("name").empty() ? "source" : setting("name");
  const auto input = input_of(*read_file(file), name);
  const auto spec = spec_from(settings);
  SLUICE_TRY(const auto seen, probe(input, spec, {}));
  std::vector<std::string> key;
  const auto key_words = setting("key");
  for (const auto word : split(key_words, ' ')) key.emplace_back(word);
  const auto schema =
      setting("types").empty() ? schema_of(seen, key) : declared_schema(setting("types"), setting("key"));
  OpenOptions options;
  options.block_bytes = block_bytes;
  options.case_insensitive_fields = setting("ignoreCase") == "true";
  SLUICE_TRY(auto all, decode_all(input, spec, seen, schema, options));
  return std::pair(schema, std::move(all));
}

void check_case(const fs::path& folder, std::size_t block_bytes) {
  SCOPED_TRACE(fmt::format("{}, blocks of {} bytes", folder.filename().string(), block_bytes));
  const auto result = run_case(folder, read_settings(folder / "spec"), block_bytes);
  const auto error = read_if_there(folder / "expected.error");
  if (!error.empty()) {
    ASSERT_FALSE(result) << table_text(*result->first, result->second);
    const auto parts = split(trim(error), '\t');
    EXPECT_EQ(to_string(result.error().code), parts.at(0)) << result.error().describe();
    EXPECT_NE(result.error().describe().find(parts.at(1)), std::string::npos) << result.error().describe();
    return;
  }
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_EQ(table_text(*result->first, result->second), read_if_there(folder / "expected.tsv"));
  EXPECT_EQ(rejects_text(result->second), read_if_there(folder / "expected.rejects"));
  EXPECT_EQ(result->second.rejected, result->second.rejects.size());
}

TEST(Cases, every_folder_decodes_as_expected) {
  std::size_t walked = 0;
  for (const auto& entry : fs::directory_iterator(kCases)) {
    ++walked;
    for (const std::size_t block : {std::size_t{512 * 1024}, std::size_t{7}, std::size_t{64}})
      check_case(entry.path(), block);
  }
  EXPECT_GE(walked, 60u);
}

}  // namespace
}  // namespace sluice::decode
