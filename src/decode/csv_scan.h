// Where the fields and rows of a CSV block are.
#pragma once

#include "decode/decode.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::decode {

// Field k (from 1) lies in [ends[k-1] + 1, ends[k]); row r has the fields rows[r] + 1 to rows[r + 1].
// Arithmetic on positions wraps: ends[0] stands before the first byte.
struct CsvIndex {
  std::vector<std::uint32_t> ends;
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> inner_line_ends;  // line ends inside quotes, for line numbers
  std::uint32_t used = 0;                      // bytes of whole rows
  bool open_quote = false;                     // the text ends inside quotes

  std::size_t row_count() const { return rows.size() - 1; }
  std::uint32_t field_count(std::size_t row) const { return rows[row + 1] - rows[row]; }
  std::uint32_t row_begin(std::size_t row) const { return ends[rows[row]] + 1; }
  std::uint32_t row_end(std::size_t row) const { return ends[rows[row + 1]]; }
};

// Scans a text that begins at a row. Only whole rows are taken; with `final` the last one needs no line end.
// The text must have kPadding readable bytes after it. A quote opens only at the start of a field (any other
// is text); inside quotes a doubled quote stands for one.
void scan_csv(std::string_view text, const CsvDialect& dialect, bool final, CsvIndex& index);

// Where one row ends whose text comes in pieces of any size: past its line end. By the rules of scan_csv.
class RowEnd {
 public:
  explicit RowEnd(const CsvDialect& dialect)
      : delimiter_(dialect.delimiter), quote_(dialect.quote), line_end_(dialect.line_end) {}
  std::optional<std::size_t> find(std::string_view piece);
  bool in_quotes() const { return in_quotes_ && !quote_before_; }
  std::uint64_t inner_line_ends() const { return inner_line_ends_; }

 private:
  char delimiter_;
  char quote_;
  char line_end_;
  bool field_start_ = true;
  bool in_quotes_ = false;
  bool quote_before_ =
      false;  // in quotes: the byte before was a quote, the closing one unless another follows
  std::uint64_t inner_line_ends_ = 0;
};

// One field's text as it stands between its separators.
struct CsvField {
  std::string_view text;
  bool quoted = false;
  bool bad_quotes = false;  // text after the closing quote
};
// Takes the quotes off. `raw` must be without the CR of its line. Points into `raw`, or into `scratch` where
// quotes were doubled.
CsvField unquote(std::string_view raw, char quote, std::string& scratch);

}  // namespace sluice::decode
