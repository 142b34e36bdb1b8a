#include "load/source_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::load::test {
namespace {

// Other spellings that a declared type takes.
std::string respell(const Cell& cell, const SourceColumn& column, bool json, Random& random) {
  std::string text = cell.text;
  if (!column.declared || !chance(random, 50)) return text;
  switch (column.kind) {
    case Kind::decimal:
      if (text.find('.') == std::string::npos) text += '.';
      return text + (text.back() == '.' ? "0" : "") + (text.size() - text.find('.') < 4 ? "0" : "");
    case Kind::boolean:
      if (json) return text;
      return text == "true" ? chance(random, 50) ? "yes" : "1" : chance(random, 50) ? "NO" : "0";
    case Kind::timestamp:  // hours 10 to 19, so that an offset of two hours stays in the day
      text = text.substr(0, 11) + fmt::format("{:02}", std::stoi(text.substr(11, 2)) + 2) + text.substr(13);
      text.pop_back();
      return text + "+02:00";
    default:
      return text;
  }
}

std::string csv_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

bool is_word(Kind kind) { return kind == Kind::text || kind == Kind::date || kind == Kind::timestamp; }

std::string csv_field(const Cell& cell, const SourceColumn& column, Random& random) {
  const std::string text = respell(cell, column, false, random);
  const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string::npos &&
                     text.front() != ' ' && text.back() != ' ';
  return plain && !(is_word(cell.kind) && chance(random, 30)) ? text : csv_quoted(text);
}

std::string json_string(const std::string& text, Random& random) {
  std::string quoted = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += text[i];
    } else if (c < 0x20 || (c < 0x80 && chance(random, 5))) {
      quoted += fmt::format("\\u{:04x}", c);
    } else {
      quoted += text[i];
    }
  }
  return quoted + '"';
}

std::string json_value(const Cell& cell, const SourceColumn& column, Random& random) {
  const std::string text = respell(cell, column, true, random);
  if (is_word(cell.kind)) return json_string(text, random);
  if (column.declared && column.kind == Kind::decimal && chance(random, 20)) return json_string(text, random);
  return text;
}

std::string csv(const std::vector<Record>& records, const std::vector<SourceColumn>& columns,
                const std::string& spoilt, Random& random) {
  const std::string end = chance(random, 30) ? "\r\n" : "\n";
  std::string text;
  for (const auto& column : columns) {
    if (!text.empty()) text += ',';
    text += csv_field({Kind::text, column.label()}, {.name = {}}, random);
  }
  text += end;
  for (const auto& record : records) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) text += ',';
      const auto cell = record.row.find(columns[i].name);
      if (record.bad && columns[i].name == spoilt) {
        text += "xyz";
      } else if (cell != record.row.end()) {
        text += csv_field(cell->second, columns[i], random);
      }
    }
    text += end;
  }
  return text;
}

std::string json_object(const Record& record, const std::vector<SourceColumn>& columns,
                        const std::string& spoilt, Random& random) {
  std::string text = "{";
  const auto add = [&](const std::string& name, const std::string& value) {
    if (text.size() > 1) text += ',';
    text += json_string(name, random) + (chance(random, 30) ? ": " : ":") + value;
  };
  for (const auto& column : columns) {
    const auto cell = record.row.find(column.name);
    if (record.bad && column.name == spoilt) {
      add(column.label(), "\"xyz\"");
    } else if (cell != record.row.end()) {
      add(column.label(), json_value(cell->second, column, random));
    } else if (chance(random, 50)) {
      add(column.label(), "null");
    }
  }
  return text + "}";
}

}  // namespace

std::string write_source(const std::vector<Record>& records, const SourceShape& shape,
                         const std::string& spoilt, Random& random) {
  auto columns = shape.columns;
  std::shuffle(columns.begin(), columns.end(), random);
  if (shape.format == Format::csv) return csv(records, columns, spoilt, random);
  const bool lines = shape.format == Format::ndjson;
  std::string text = lines ? "" : shape.nested ? R"({"count": 3, "data": {"items": [)" : "[";
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0 && !lines) text += ",\n";
    text += json_object(records[i], columns, spoilt, random);
    if (lines) text += '\n';
  }
  return text + (lines ? "" : shape.nested ? "]}}" : "]");
}

}  // namespace sluice::load::test
