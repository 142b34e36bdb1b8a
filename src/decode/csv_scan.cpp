#include "decode/csv_scan.h"

#include "decode/bit_masks.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sluice::decode {
namespace {

constexpr std::size_t kWords = 64;  // masks made at a time: 4 KiB of text

void start(CsvIndex& index) {
  index.ends.clear();
  index.rows.clear();
  index.inner_line_ends.clear();
  index.ends.push_back(0xFFFF'FFFFu);
  index.rows.push_back(0);
  index.used = 0;
  index.open_quote = false;
}

void finish(std::string_view text, bool final, bool in_quotes, CsvIndex& index) {
  index.open_quote = in_quotes;
  const auto last_row = index.rows.back();
  const auto begin = index.ends[last_row] + 1;
  if (final && !in_quotes && begin < text.size()) {
    index.ends.push_back(static_cast<std::uint32_t>(text.size()));
    index.rows.push_back(static_cast<std::uint32_t>(index.ends.size() - 1));
    index.used = static_cast<std::uint32_t>(text.size());
    return;
  }
  index.ends.resize(last_row + 1);
  index.used = begin;
}

// Byte by byte, for blocks with quotes where none belongs.
void scan_leniently(std::string_view text, const CsvDialect& dialect, bool final, CsvIndex& index) {
  start(index);
  bool field_start = true;
  bool in_quotes = false;
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes) {
      if (c == dialect.quote) {
        if (i + 1 < text.size() && text[i + 1] == dialect.quote) {
          ++i;
        } else {
          in_quotes = false;
        }
      } else if (c == dialect.line_end) {
        index.inner_line_ends.push_back(i);
      }
      continue;
    }
    if (c == dialect.delimiter || c == dialect.line_end) {
      index.ends.push_back(i);
      if (c == dialect.line_end) index.rows.push_back(static_cast<std::uint32_t>(index.ends.size() - 1));
      field_start = true;
      continue;
    }
    if (field_start && c == dialect.quote) in_quotes = true;
    field_start = false;
  }
  finish(text, final, in_quotes, index);
}

// Grows by doubling without the cost of filling what is overwritten anyway.
void make_room(std::vector<std::uint32_t>& list, std::size_t size) {
  if (list.size() < size) list.resize(std::max(size, list.size() * 2));
}

// The fast way. False: a quote stands where only the lenient scan knows what it means.
bool scan_by_masks(std::string_view text, const CsvDialect& dialect, bool& in_quotes_at_end,
                   CsvIndex& index) {
  std::array<CsvMasks, kWords> masks;
  std::uint64_t inside_before = 0;  // all ones while a quote is open
  std::uint64_t opener_before = 1;  // the byte before allows a quote to open
  std::size_t ends = index.ends.size();
  std::size_t rows = index.rows.size();
  for (std::size_t at = 0; at < text.size(); at += kWords * 64) {
    const std::size_t left = text.size() - at;
    const std::size_t words = std::min(kWords, (left + 63) / 64);
    csv_masks(text.data() + at, words, dialect.delimiter, dialect.quote, dialect.line_end, masks.data());
    if (left < words * 64) {  // forget what lies behind the end
      const auto keep = left % 64 == 0 ? ~0ull : (1ull << (left % 64)) - 1;
      auto& last = masks[words - 1];
      last.quote &= keep;
      last.separator &= keep;
      last.line_end &= keep;
    }
    make_room(index.ends, ends + words * 64);
    make_room(index.rows, rows + words * 64);
    std::uint32_t* const end_at = index.ends.data();
    std::uint32_t* const row_at = index.rows.data();
    for (std::size_t w = 0; w < words; ++w) {
      const auto& mask = masks[w];
      std::uint64_t separators = mask.separator;
      std::uint64_t line_ends = mask.line_end;
      if ((mask.quote | inside_before) != 0) {
        const std::uint64_t inside = prefix_xor(mask.quote) ^ inside_before;
        const std::uint64_t openers = ((mask.separator | mask.quote) << 1) | opener_before;
        if ((mask.quote & inside & ~openers) != 0) return false;
        for (auto inner = line_ends & inside; inner != 0; inner &= inner - 1) {
          index.inner_line_ends.push_back(static_cast<std::uint32_t>(at + w * 64) +
                                          static_cast<std::uint32_t>(std::countr_zero(inner)));
        }
        separators &= ~inside;
        line_ends &= ~inside;
        inside_before = static_cast<std::uint64_t>(static_cast<std::int64_t>(inside) >> 63);
      }
      opener_before = (mask.separator | mask.quote) >> 63;
      const auto base = static_cast<std::uint32_t>(at + w * 64);
      for (auto bits = line_ends; bits != 0; bits &= bits - 1) {
        const auto below = (bits & (~bits + 1)) - 1;
        row_at[rows++] =
            static_cast<std::uint32_t>(ends) + static_cast<std::uint32_t>(std::popcount(separators & below));
      }
      while (separators != 0) {
        end_at[ends++] = base + static_cast<std::uint32_t>(std::countr_zero(separators));
        separators &= separators - 1;
      }
    }
  }
  index.ends.resize(ends);
  index.rows.resize(rows);
  in_quotes_at_end = inside_before != 0;
  return true;
}

}  // namespace

void scan_csv(std::string_view text, const CsvDialect& dialect, bool final, CsvIndex& index) {
  start(index);
  bool in_quotes = false;
  if (scan_by_masks(text, dialect, in_quotes, index)) {
    finish(text, final, in_quotes, index);
  } else {
    scan_leniently(text, dialect, final, index);
  }
}

std::optional<std::size_t> RowEnd::find(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size(); ++at) {
    const char c = piece[at];
    if (in_quotes_) {
      if (quote_before_) {
        quote_before_ = false;
        if (c == quote_) continue;
        in_quotes_ = false;
      } else {
        quote_before_ = c == quote_;
        if (c == line_end_) ++inner_line_ends_;
        continue;
      }
    }
    if (c == line_end_) return at + 1;
    if (c == delimiter_) {
      field_start_ = true;
      continue;
    }
    if (field_start_ && quote_ != '\0' && c == quote_) in_quotes_ = true;
    field_start_ = false;
  }
  return std::nullopt;
}

CsvField unquote(std::string_view raw, char quote, std::string& scratch) {
  if (raw.empty() || raw.front() != quote || quote == '\0') return {raw, false, false};
  auto inner = raw.substr(1);
  if (!inner.empty() && inner.back() == quote) {
    const auto first = inner.find(quote);
    if (first == inner.size() - 1) return {inner.substr(0, first), true, false};
  }
  scratch.clear();
  std::size_t i = 0;
  while (i < inner.size()) {
    const auto at = std::min(inner.find(quote, i), inner.size());
    scratch.append(inner, i, at - i);
    i = std::min(at + 1, inner.size());
    if (i == inner.size() || inner[i] != quote) break;
    scratch += quote;
    ++i;
  }
  const bool rest = inner.find_first_not_of(" \t", i) != std::string_view::npos;
  return {scratch, true, rest};
}

}  // namespace sluice::decode
