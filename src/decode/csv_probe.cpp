// How a CSV source is written: delimiter, quote, line ends, header.
#include "base/text.h"
#include "decode/csv_scan.h"
#include "decode/formats.h"
#include "decode/infer.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace sluice::decode {
namespace {

constexpr std::array<char, 4> kDelimiters = {',', ';', '\t', '|'};
constexpr std::size_t kRowsJudged = 100;

std::string_view row_field(std::string_view text, const CsvIndex& index, std::size_t row, std::size_t field) {
  const auto k = index.rows[row] + 1 + field;
  const std::uint32_t begin = index.ends[k - 1] + 1;
  auto raw = text.substr(begin, index.ends[k] - begin);
  if (field + 1 == index.field_count(row) && raw.ends_with('\r')) raw.remove_suffix(1);
  return raw;
}

bool is_blank(std::string_view text, const CsvIndex& index, std::size_t row) {
  return index.field_count(row) == 1 && row_field(text, index, row, 0).empty();
}

// Rows that have as many fields as most rows do, and how many fields that is.
struct Shape {
  std::size_t rows = 0;
  std::size_t agreeing = 0;
  std::size_t fields = 0;
};

Shape shape_of(std::string_view text, bool whole, const CsvDialect& dialect, CsvIndex& index) {
  scan_csv(text, dialect, whole, index);
  std::map<std::size_t, std::size_t> counts;
  Shape shape;
  for (std::size_t r = 0; r < index.row_count() && shape.rows < kRowsJudged; ++r) {
    if (is_blank(text, index, r)) continue;
    ++counts[index.field_count(r)];
    ++shape.rows;
  }
  for (const auto& [fields, rows] : counts) {
    if (rows >= shape.agreeing) shape = {shape.rows, rows, fields};
  }
  return shape;
}

char find_delimiter(std::string_view text, bool whole, CsvDialect dialect) {
  CsvIndex index;
  char best = ',';
  double best_score = 0;
  for (const char candidate : kDelimiters) {
    dialect.delimiter = candidate;
    const auto shape = shape_of(text, whole, dialect, index);
    if (shape.fields < 2 || shape.rows == 0) continue;
    // Agreement counts most, then the number of fields: "1,5;2,5" has one comma a row too many.
    const double score = static_cast<double>(shape.agreeing) / static_cast<double>(shape.rows) +
                         static_cast<double>(std::min<std::size_t>(shape.fields, 100)) / 1000;
    if (score > best_score) {
      best_score = score;
      best = candidate;
    }
  }
  return best;
}

// Single quotes are quotes where no double one is to be seen and most fields wear them.
char find_quote(std::string_view text) {
  if (text.find('"') != std::string_view::npos) return '"';
  const auto line = text.substr(0, text.find('\n'));
  std::size_t opened = 0;
  std::size_t closed = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\'') continue;
    const auto is_edge = [](char c) { return c == ',' || c == ';' || c == '\t' || c == '|' || c == '\r'; };
    if (i == 0 || is_edge(line[i - 1])) ++opened;
    if (i + 1 == line.size() || is_edge(line[i + 1])) ++closed;
  }
  return opened > 0 && opened == closed ? '\'' : '"';
}

// A first row with a number, a date or a boolean in it is data.
bool looks_like_header(std::string_view text, const CsvIndex& index, std::size_t row,
                       const CsvDialect& dialect) {
  std::string scratch;
  for (std::size_t f = 0; f < index.field_count(row); ++f) {
    const auto field = unquote(row_field(text, index, row, f), dialect.quote, scratch);
    if (!field.text.empty() && kind_of(field.text, Written::plain, dialect.decimal).type != ValueType::text)
      return false;
  }
  return true;
}

// 1.000 or 12,500: a decimal to some people, thousands to others.
bool may_be_thousands(const Kind& kind) {
  return kind.integer_digits >= 1 && kind.integer_digits <= 3 && kind.scale == 3;
}

// Decimal commas: never with comma as delimiter, and only where no field has a decimal point. Numbers that
// may be thousands decide only where there are no others.
char find_decimal(std::string_view text, const CsvIndex& index, const CsvDialect& dialect) {
  if (dialect.delimiter != ';') return '.';
  bool comma = false;
  bool comma_or_thousands = false;
  bool point_or_thousands = false;
  for (std::size_t r = 0; r < std::min(index.row_count(), kRowsJudged); ++r) {
    for (std::size_t f = 0; f < index.field_count(r); ++f) {
      const auto raw = row_field(text, index, r, f);
      const auto with_point = kind_of(raw, Written::plain, '.');
      const auto with_comma = kind_of(raw, Written::plain, ',');
      if (with_point.type == ValueType::decimal) {
        if (!may_be_thousands(with_point)) return '.';
        point_or_thousands = true;
      }
      if (with_comma.type == ValueType::decimal) {
        comma_or_thousands = true;
        comma = comma || !may_be_thousands(with_comma);
      }
    }
  }
  return comma || (comma_or_thousands && !point_or_thousands) ? ',' : '.';
}

std::vector<std::string> unique_names(std::vector<std::string> names) {
  std::vector<std::string> result;
  const auto taken = [&](const std::string& name) {
    return std::find(result.begin(), result.end(), name) != result.end();
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string base = names[i].empty() ? fmt::format("column{}", i + 1) : names[i];
    std::string name = base;
    for (int n = 2; taken(name); ++n) name = fmt::format("{}_{}", base, n);
    result.push_back(std::move(name));
  }
  return result;
}

Result<std::vector<std::string>> header_names(std::string_view text, const CsvIndex& index, std::size_t row,
                                              const CsvDialect& dialect) {
  std::vector<std::string> names;
  std::string scratch;
  for (std::size_t f = 0; f < index.field_count(row); ++f) {
    const auto field = unquote(row_field(text, index, row, f), dialect.quote, scratch);
    if (!valid_utf8(field.text) || has_nul(field.text)) {
      return fail(ErrorCode::malformed,
                  fmt::format("the header is not valid UTF-8 text ({}); state csv.encoding (windows-1252?)",
                              printable(field.text, 60)));
    }
    names.emplace_back(trim(field.text));
  }
  return names;
}

// CR where no LF ends a line. Line ends inside quotes do not count; where the quotes are is not known yet, so
// double ones are taken for quotes as they come.
char find_line_end(std::string_view text) {
  bool quoted = false;
  bool returns = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\n' && !quoted) return '\n';
    returns = returns || (c == '\r' && !quoted);
  }
  const bool nothing_but_quoted_ends = !returns && text.find('\n') == std::string_view::npos;
  return returns || (nothing_but_quoted_ends && text.find('\r') != std::string_view::npos) ? '\r' : '\n';
}

std::string_view behind_lines(std::string_view text, int lines, char line_end) {
  for (; lines > 0; --lines) {
    const auto end = text.find(line_end);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text;
}

// Excel's own first line, "sep=;", names the delimiter; '\0' = there is none.
char delimiter_line(std::string_view text, char line_end) {
  auto line = text.substr(0, text.find(line_end));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line.size() == 5 && iequals(line.substr(0, 4), "sep=") ? line.back() : '\0';
}

}  // namespace

Result<Probe> probe_csv(const Sample& sample, const CsvSpec& spec, Encoding encoding) {
  Probe probe;
  probe.format = Format::csv;
  auto& dialect = probe.csv;
  dialect.encoding = encoding;
  dialect.skip_lines = spec.skip_lines;
  dialect.null = spec.null;
  dialect.line_end = find_line_end(sample.text);
  auto text = behind_lines(sample.text, spec.skip_lines, dialect.line_end);
  const char named = delimiter_line(text, dialect.line_end);
  if (named != '\0') {
    ++dialect.skip_lines;
    text = behind_lines(text, 1, dialect.line_end);
  }
  dialect.quote = spec.quote ? *spec.quote : find_quote(text);
  dialect.delimiter = spec.delimiter  ? *spec.delimiter
                      : named != '\0' ? named
                                      : find_delimiter(text, sample.whole, dialect);
  if (dialect.delimiter == dialect.quote) {
    return fail(ErrorCode::invalid_definition, "csv: delimiter and quote are the same character");
  }
  CsvIndex index;
  const auto shape = shape_of(text, sample.whole, dialect, index);
  std::size_t first = 0;
  while (first < index.row_count() && is_blank(text, index, first)) ++first;
  if (first == index.row_count()) {
    if (index.open_quote && sample.whole) {
      return fail_transient(ErrorCode::truncated, "the file ends inside a quoted field of its first record");
    }
    if (!sample.whole)
      return fail(ErrorCode::too_large, "the first record does not end within the first megabytes");
    if (spec.header == false) return probe;
    return fail(ErrorCode::malformed,
                spec.skip_lines > 0 ? "there is nothing behind the skipped lines" : "the file is empty");
  }
  dialect.decimal = spec.decimal ? *spec.decimal : find_decimal(text, index, dialect);
  dialect.header = spec.header ? *spec.header : looks_like_header(text, index, first, dialect);
  std::vector<std::string> names;
  if (dialect.header) {
    SLUICE_TRY(names, header_names(text, index, first, dialect));
  } else {
    names.resize(shape.fields);
  }
  // One delimiter too many at the end of all rows, with or without the header.
  bool all_end_empty = true;
  std::size_t judged = 0;
  for (std::size_t r = first + (dialect.header ? 1 : 0); r < index.row_count() && judged < kRowsJudged; ++r) {
    if (is_blank(text, index, r)) continue;
    ++judged;
    const auto count = index.field_count(r);
    all_end_empty = all_end_empty && count > 1 && row_field(text, index, r, count - 1).empty();
  }
  if (judged > 0 && all_end_empty && names.size() > 1 && names.back().empty()) {
    names.pop_back();
    dialect.trailing_delimiter = true;
  } else if (judged > 0 && all_end_empty && shape.fields == names.size() + 1) {
    dialect.trailing_delimiter = true;
  }
  dialect.names = unique_names(std::move(names));
  return probe;
}

}  // namespace sluice::decode
