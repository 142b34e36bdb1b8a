// One JSON object a line. A bad line costs itself; a last line that was cut costs the run.
#include "decode/block.h"
#include "decode/formats.h"
#include "decode/json_records.h"
#include "decode/text_source.h"

#include <fmt/format.h>

#include <cstring>

namespace sluice::decode {
namespace {

class NdjsonDecoder final : public Decoder {
 public:
  NdjsonDecoder(const Input& input, SchemaPtr schema, OpenOptions options)
      : builder_(input, std::move(schema), std::move(options)), records_(builder_) {}

  Result<void> open() {
    SLUICE_TRY(auto text, open_text(builder_.input(), std::nullopt));
    const auto& options = builder_.options();
    reader_.emplace(std::move(text.bytes), options.block_bytes, options.max_record_bytes);
    return {};
  }

  Result<bool> next(RowBatch& batch, std::stop_token stop) override {
    auto more = next_batch(batch, stop);
    if (!more) return fail_within(builder_.input().name, std::move(more).error());
    return more;
  }
  const Findings& findings() const override { return builder_.findings(); }
  std::uint64_t bytes_read() const override { return reader_ ? reader_->consumed() : 0; }

 private:
  struct Line {
    std::string_view text;
    std::uint64_t number = 0;
    bool ended = true;  // by a line end
  };

  Result<bool> next_batch(RowBatch& batch, std::stop_token stop) {
    for (;;) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while decoding");
      SLUICE_TRY(const bool more, collect());
      if (!more) {
        batch.reset(builder_.schema_ptr());
        batch.source = builder_.input().source;
        return false;
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
          SLUICE_CHECK(reader_->carry(at_));
          block_.reset();
          return true;
        }
        end = text.size();
      }
      const auto line = text.substr(at_, end - at_);
      at_ = end + (ended ? 1 : 0);
      ++line_;
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) lines_.push_back({line, line_, ended});
    }
    return true;
  }

  Result<void> fill(RowBatch& batch) {
    builder_.begin(batch, lines_.size());
    batch.keep(block_);
    ordinals_.clear();
    rows_.clear();
    bad_.clear();
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const auto ordinal = ordinal_++;
      const auto failure = records_.read_one(lines_[i].text, ordinals_.size(), batch);
      if (failure.outcome == JsonRecords::Outcome::good) {
        ordinals_.push_back(ordinal);
        rows_.push_back(i);
        continue;
      }
      if (!lines_[i].ended) {
        return fail_transient(ErrorCode::truncated,
                              fmt::format("the file stops in the middle of line {}", lines_[i].number));
      }
      builder_.forget_row(batch, ordinals_.size());
      bad_.push_back({i, ordinal, failure});
    }
    builder_.finish(batch, ordinals_, [&](std::size_t row) { return describe(rows_[row]); });
    for (const auto& bad : bad_) {
      const bool stranger = bad.failure.outcome == JsonRecords::Outcome::not_an_object;
      const bool utf8 = bad.failure.outcome == JsonRecords::Outcome::bad_utf8;
      builder_.reject_record(batch, bad.ordinal,
                             {RejectStage::decode,
                              stranger ? "notAnObject"
                              : utf8   ? "invalidUtf8"
                                       : "badJson",
                              -1,
                              stranger ? "the line is not a JSON object"
                              : utf8   ? "the line is not valid UTF-8"
                                       : "the line is not valid JSON: " + bad.failure.message},
                             describe(bad.line));
    }
    return {};
  }

  RowBuilder::Described describe(std::size_t line) const {
    return {fmt::format("line {}", lines_[line].number), lines_[line].text};
  }

  struct Bad {
    std::size_t line;
    std::uint64_t ordinal;
    JsonRecords::Failure failure;
  };
  RowBuilder builder_;
  JsonRecords records_;
  std::optional<BlockReader> reader_;
  std::shared_ptr<Block> block_;
  std::size_t at_ = 0;
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
  if (auto opened = decoder->open(); !opened) return fail_within(input.name, std::move(opened).error());
  return decoder;
}

}  // namespace sluice::decode
