// One JSON object a line. A bad line costs itself; a last line that was cut costs the run.
#include "decode/block_decoder.h"
#include "decode/formats.h"
#include "decode/json_cut.h"
#include "decode/json_records.h"

#include <fmt/format.h>

#include <utility>

namespace sluice::decode {
namespace {

class NdjsonDecoder final : public BlockDecoder {
 public:
  NdjsonDecoder(const Input& input, SchemaPtr schema, OpenOptions options)
      : BlockDecoder(input, std::move(schema), std::move(options)), records_(builder_) {}

 private:
  struct Line {
    std::string_view text;
    std::uint64_t number = 0;
    bool ended = true;  // by a line end
  };

  Result<bool> next_batch(RowBatch& batch, std::stop_token stop) override {
    for (;;) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while decoding");
      SLUICE_TRY(const bool more, collect());
      if (!more) return false;
      if (std::exchange(oversized_, false)) {
        SLUICE_CHECK(skip_line(batch, stop));
        return true;
      }
      if (lines_.empty()) continue;
      SLUICE_CHECK(fill(batch));
      return true;
    }
  }

  // Gathers up to batch_rows lines of the present block, or loads the next one. False = the end.
  Result<bool> collect() {
    lines_.clear();
    if (!block_ || at_ == block_->size) {
      block_.reset();
      SLUICE_TRY(block_, reader_->next());
      at_ = 0;
      if (!block_) return false;
    }
    const auto text = block_->text();
    while (at_ < text.size() && lines_.size() < builder_.options().batch_rows) {
      auto end = text.find('\n', at_);
      const bool ended = end != std::string_view::npos;
      if (!ended) {
        if (!reader_->at_end()) {
          if (!lines_.empty()) break;  // these first: their block goes when the next one is loaded
          oversized_ = at_ == 0 && reader_->full();
          if (oversized_) return true;
          SLUICE_CHECK(reader_->carry(at_));
          block_.reset();
          return true;
        }
        end = text.size();
      }
      const auto line = text.substr(at_, end - at_);
      at_ = end + (ended ? 1 : 0);
      ++line_;
      if (line.size() > largest_record() || line.find_first_not_of(" \t\r") != std::string_view::npos)
        lines_.push_back({line, line_, ended});
    }
    return true;
  }

  // A line that fills a whole block and goes on.
  Result<void> skip_line(RowBatch& batch, const std::stop_token& stop) {
    SLUICE_TRY(const auto skipped, skip_record(
                                       [](std::string_view text) -> std::optional<std::size_t> {
                                         const auto end = text.find('\n');
                                         if (end == std::string_view::npos) return std::nullopt;
                                         return end + 1;
                                       },
                                       stop));
    at_ = 0;
    std::string_view raw(skipped.start);
    if (raw.ends_with('\n')) raw.remove_suffix(1);
    builder_.begin(batch, 0);
    builder_.finish(batch, {}, {});
    reject_too_large(batch, ordinal_++, skipped.bytes - (skipped.ended ? 1 : 0),
                     {fmt::format("line {}", ++line_), raw});
    return {};
  }

  Result<void> fill(RowBatch& batch) {
    builder_.begin(batch, lines_.size());
    batch.keep(block_);
    ordinals_.clear();
    rows_.clear();
    bad_.clear();
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const auto ordinal = ordinal_++;
      if (lines_[i].text.size() > largest_record()) {
        bad_.push_back({i, ordinal, {}});
        continue;
      }
      auto failure = records_.read_one(lines_[i].text, ordinals_.size(), batch);
      if (failure.outcome == JsonRecords::Outcome::good) {
        ordinals_.push_back(ordinal);
        rows_.push_back(i);
        continue;
      }
      if (!lines_[i].ended && !ElementEnd(0).find(lines_[i].text)) {
        return fail_transient(ErrorCode::truncated,
                              fmt::format("the file stops in the middle of line {}", lines_[i].number));
      }
      builder_.forget_row(batch, ordinals_.size());
      bad_.push_back({i, ordinal, problem_of(failure)});
    }
    builder_.finish(batch, ordinals_, [&](std::size_t row) { return describe(rows_[row]); });
    for (auto& bad : bad_) {
      if (bad.problem.code.empty()) {
        reject_too_large(batch, bad.ordinal, lines_[bad.line].text.size(), describe(bad.line));
      } else {
        builder_.reject_record(batch, bad.ordinal, std::move(bad.problem), describe(bad.line));
      }
    }
    return {};
  }

  static Problem problem_of(const JsonRecords::Failure& failure) {
    const auto problem = [](std::string_view code, std::string message) {
      return Problem{RejectStage::decode, code, -1, std::move(message)};
    };
    switch (failure.outcome) {
      case JsonRecords::Outcome::not_an_object:
        return problem("notAnObject", "the line is not a JSON object");
      case JsonRecords::Outcome::bad_record:
        return problem(failure.code, "the line cannot be read: " + failure.message);
      default:
        return problem("badJson", "the line is not valid JSON: " + failure.message);
    }
  }

  RowBuilder::Described describe(std::size_t line) const {
    return {fmt::format("line {}", lines_[line].number), lines_[line].text};
  }

  struct Bad {
    std::size_t line;
    std::uint64_t ordinal;
    Problem problem;  // without a code: too large
  };
  JsonRecords records_;
  std::size_t at_ = 0;
  bool oversized_ = false;  // the line at the block's start does not end in it, nor would in a larger one
  std::uint64_t line_ = 0;
  std::uint64_t ordinal_ = 0;
  std::vector<Line> lines_;
  std::vector<std::uint64_t> ordinals_;
  std::vector<std::size_t> rows_;
  std::vector<Bad> bad_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> open_ndjson(const Input& input, SchemaPtr schema, OpenOptions options) {
  auto decoder = std::make_unique<NdjsonDecoder>(input, std::move(schema), std::move(options));
  SLUICE_CHECK(decoder->open(std::nullopt));
  return decoder;
}

}  // namespace sluice::decode
