#include "base/text.h"
#include "decode/block_decoder.h"
#include "decode/csv_columns.h"
#include "decode/encoding_guess.h"
#include "decode/formats.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {
namespace {

constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

class CsvDecoder final : public BlockDecoder {
 public:
  CsvDecoder(const Input& input, CsvDialect dialect, SchemaPtr schema, OpenOptions options)
      : BlockDecoder(input, std::move(schema), std::move(options)),
        dialect_(std::move(dialect)),
        lines_to_skip_(dialect_.skip_lines),
        header_to_skip_(dialect_.header) {}

 private:
  Result<void> prepare() override {
    const auto& columns = builder_.schema().columns;
    const auto& options = builder_.options();
    std::vector<bool> used(dialect_.names.size());
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& wanted = columns[c].from.empty() ? columns[c].name : columns[c].from;
      field_of_.push_back(kAbsent);
      for (std::size_t f = 0; f < dialect_.names.size(); ++f) {
        const auto& name = dialect_.names[f];
        if (name == wanted || (options.case_insensitive_fields && iequals(name, wanted))) {
          field_of_.back() = f;
          used[f] = true;
          break;
        }
      }
      if (field_of_.back() == kAbsent && builder_.plans()[c].key) return key_absent(wanted);
    }
    for (std::size_t f = 0; f < dialect_.names.size() && !options.ignore_new_fields; ++f) {
      const bool ignored = std::any_of(
          options.ignored_fields.begin(), options.ignored_fields.end(), [&](const std::string& name) {
            return name == dialect_.names[f] ||
                   (options.case_insensitive_fields && iequals(name, dialect_.names[f]));
          });
      if (!used[f] && !ignored) new_fields_.push_back(f);
    }
    return {};
  }

  Result<void> key_absent(const std::string& wanted) const {
    const std::vector<std::string_view> names(dialect_.names.begin(), dialect_.names.end());
    const auto near = nearest(wanted, names);
    return fail(ErrorCode::malformed,
                fmt::format("key column \"{}\" is not in the file{}; its columns are {}", wanted,
                            near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near),
                            printable(fmt::format("{}", fmt::join(dialect_.names, ", ")), 400)));
  }

  Result<bool> next_batch(RowBatch& batch, std::stop_token stop) override {
    for (;;) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while decoding");
      if (findings().encoding) return false;
      if (block_ && row_ < index_.row_count()) {
        SLUICE_CHECK(fill(batch));
        if (batch.rows() > 0 || batch.rejected > 0) return true;
        continue;
      }
      SLUICE_TRY(const auto loaded, next_block(stop));
      if (loaded == Loaded::nothing) return false;
      if (loaded == Loaded::part_of_row) {
        SLUICE_CHECK(skip_row(batch, stop));
        return true;
      }
    }
  }

  enum class Loaded : std::uint8_t { nothing, rows, part_of_row };

  // Loads and scans blocks until there is a row. A row that is larger than blocks get is for skip_row.
  Result<Loaded> next_block(const std::stop_token& stop) {
    if (block_) line_ += index_.row_count() + index_.inner_line_ends.size();
    for (;;) {
      block_.reset();
      SLUICE_TRY(block_, reader_->next());
      if (!block_) return Loaded::nothing;
      std::size_t skipped = 0;
      while (lines_to_skip_ > 0) {
        const auto end = block_->text().find(dialect_.line_end, skipped);
        if (end == std::string_view::npos) break;
        skipped = end + 1;
        --lines_to_skip_;
        ++line_;
      }
      if (lines_to_skip_ > 0) continue;  // the whole block belongs to a line that is skipped
      if (skipped > 0) {
        SLUICE_CHECK(reader_->carry(skipped));
        continue;
      }
      const auto text = block_->text();
      scan_csv(text, dialect_, reader_->at_end(), index_);
      while (!index_.inner_line_ends.empty() && index_.inner_line_ends.back() >= index_.used) {
        index_.inner_line_ends.pop_back();
      }
      if (index_.used == 0 && reader_->at_end()) return cut_inside_quotes();
      if (index_.used == 0 && reader_->full()) return Loaded::part_of_row;
      SLUICE_CHECK(reader_->carry(index_.used));
      if (index_.used == 0) continue;
      row_ = 0;
      const auto whole = text.substr(0, index_.used);
      const bool utf8 = valid_utf8(whole);
      suspicious_ = !utf8 || has_nul(whole);
      last_block_ = reader_->at_end() && index_.used == text.size();
      if (!utf8) {
        SLUICE_TRY(const bool other, is_another_encoding(stop));
        if (other) return Loaded::nothing;
      }
      return Loaded::rows;
    }
  }

  // At the first bytes that are not UTF-8: where nobody stated the encoding, the whole source decides it.
  Result<bool> is_another_encoding(const std::stop_token& stop) {
    if (!dialect_.encoding_assumed || dialect_.encoding != Encoding::utf8) return false;
    dialect_.encoding_assumed = false;  // asked once
    SLUICE_TRY(const auto encoding, guess_encoding(builder_.input(), stop));
    if (encoding == Encoding::utf8) return false;
    builder_.read_again_as(encoding);
    return true;
  }

  std::unexpected<Error> large_header() const {
    return fail(
        ErrorCode::too_large,
        fmt::format("the header has more than {} bytes; a quote that is never closed?", largest_record()));
  }

  // A row that fills a whole block and goes on.
  Result<void> skip_row(RowBatch& batch, const std::stop_token& stop) {
    if (header_to_skip_) {
      return fail(
          ErrorCode::too_large,
          fmt::format("the header has more than {} bytes; a quote that is never closed?", largest_record()));
    }
    RowEnd end(dialect_);
    const auto ordinal = ordinal_++;
    const auto locator = fmt::format("line {}", line_ + 1);
    index_.rows.assign(1, 0);
    row_ = 0;
    SLUICE_TRY(const auto skipped, skip_record([&](std::string_view text) { return end.find(text); }, stop));
    if (!skipped.ended && end.in_quotes()) return cut_inside_quotes();
    line_ += end.inner_line_ends() + 1;
    std::string_view raw(skipped.start);
    if (raw.ends_with(dialect_.line_end)) raw.remove_suffix(1);
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    builder_.begin(batch, 0);
    builder_.finish(batch, {}, {});
    reject_too_large(batch, ordinal, skipped.bytes - (skipped.ended ? 1 : 0), {locator, raw});
    return {};
  }

  std::unexpected<Error> cut_inside_quotes() const {
    return fail_transient(
        ErrorCode::truncated,
        fmt::format("the file ends inside the quoted field that begins in the record at line {}", line_ + 1));
  }

  std::uint64_t line_of(std::size_t row) const {
    const auto begin = index_.row_begin(row);
    const auto& inner = index_.inner_line_ends;
    const auto before = std::lower_bound(inner.begin(), inner.end(), begin) - inner.begin();
    return line_ + row + static_cast<std::uint64_t>(before) + 1;
  }
  std::size_t row_bytes(std::size_t row) const { return index_.row_end(row) - index_.row_begin(row); }
  std::string_view row_text(std::size_t row) const {
    const auto begin = index_.row_begin(row);
    auto text = block_->text().substr(begin, index_.row_end(row) - begin);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }
  RowBuilder::Described describe(std::size_t row) const {
    return {fmt::format("line {}", line_of(row)), row_text(row)};
  }

  // Takes up to batch_rows rows of the block. Rows with the wrong number of fields are set aside first.
  Result<void> fill(RowBatch& batch) {
    const std::size_t fields = dialect_.names.size();
    first_fields_.clear();
    rows_.clear();
    ordinals_.clear();
    ragged_.clear();
    large_.clear();
    const bool may_be_large = block_->size > largest_record();
    const std::size_t end = index_.row_count();
    for (; row_ < end && first_fields_.size() < builder_.options().batch_rows; ++row_) {
      if (header_to_skip_) {
        if (row_text(row_).empty()) continue;
        if (row_bytes(row_) > largest_record()) return large_header();
        header_to_skip_ = false;
        continue;
      }
      const std::size_t count = index_.field_count(row_);
      if (may_be_large && row_bytes(row_) > largest_record()) {
        large_.emplace_back(row_, ordinal_++);
      } else if (count == fields && !(fields == 1 && row_text(row_).empty())) [[likely]] {
        first_fields_.push_back(index_.rows[row_] + 1);
        rows_.push_back(static_cast<std::uint32_t>(row_));
        ordinals_.push_back(ordinal_++);
      } else if (count == 1 && row_text(row_).empty()) {
        continue;  // a blank line
      } else if (count == fields + 1 && dialect_.trailing_delimiter && ends_empty(row_)) {
        first_fields_.push_back(index_.rows[row_] + 1);
        rows_.push_back(static_cast<std::uint32_t>(row_));
        ordinals_.push_back(ordinal_++);
      } else if (cut_short(row_)) {
        return fail_transient(
            ErrorCode::truncated,
            fmt::format("the file stops in the middle of the record at line {}", line_of(row_)));
      } else {
        ragged_.emplace_back(row_, ordinal_++);
        if (ragged_.size() >= builder_.options().batch_rows) {
          ++row_;
          break;
        }
      }
    }
    builder_.begin(batch, first_fields_.size());
    batch.keep(block_);
    const CsvRows rows{block_->data(), &index_, first_fields_, fields, suspicious_};
    for (std::size_t c = 0; c < field_of_.size(); ++c) {
      if (field_of_[c] != kAbsent) convert_csv_column(rows, dialect_, field_of_[c], c, builder_, batch);
    }
    for (const auto f : new_fields_) observe_csv_column(rows, dialect_, f, dialect_.names[f], builder_);
    builder_.finish(batch, ordinals_, [&](std::size_t r) { return describe(rows_[r]); });
    for (const auto& [row, ordinal] : ragged_) reject_ragged(batch, row, ordinal);
    for (const auto& [row, ordinal] : large_) reject_too_large(batch, ordinal, row_bytes(row), describe(row));
    return {};
  }

  bool ends_empty(std::size_t row) const {
    auto text = row_text(row);
    return !text.empty() && text.back() == dialect_.delimiter;
  }

  void reject_ragged(RowBatch& batch, std::size_t row, std::uint64_t ordinal) {
    const auto count = index_.field_count(row);
    const bool few = count < dialect_.names.size();
    builder_.reject_record(batch, ordinal,
                           {RejectStage::decode, few ? "tooFewFields" : "tooManyFields", -1,
                            fmt::format("{} fields where {} are expected", count, dialect_.names.size())},
                           describe(row));
  }

  // The last row of a file that does not end in a line end, with fields missing: the file was cut.
  bool cut_short(std::size_t row) const {
    return last_block_ && row + 1 == index_.row_count() && index_.field_count(row) < dialect_.names.size() &&
           block_->text().back() != dialect_.line_end;
  }

  CsvDialect dialect_;
  std::vector<std::size_t> field_of_;    // per schema column
  std::vector<std::size_t> new_fields_;  // fields of the file that are in no schema
  CsvIndex index_;
  std::size_t row_ = 0;
  std::uint64_t ordinal_ = 0;
  std::uint64_t line_ = 0;  // lines before the block
  int lines_to_skip_;
  bool header_to_skip_;
  bool suspicious_ = false;
  bool last_block_ = false;
  std::vector<std::uint32_t> first_fields_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint64_t> ordinals_;
  std::vector<std::pair<std::size_t, std::uint64_t>> ragged_;  // rows and ordinals
  std::vector<std::pair<std::size_t, std::uint64_t>> large_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> open_csv(const Input& input, const CsvDialect& dialect, SchemaPtr schema,
                                          OpenOptions options) {
  auto decoder = std::make_unique<CsvDecoder>(input, dialect, std::move(schema), std::move(options));
  SLUICE_CHECK(decoder->open(dialect.encoding));
  return decoder;
}

}  // namespace sluice::decode
