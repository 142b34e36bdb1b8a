// A JSON document of any size: the walker finds the records, whole records are cut into chunks, simdjson
// reads each.
#include "base/text.h"
#include "decode/block.h"
#include "decode/formats.h"
#include "decode/json_records.h"
#include "decode/json_walk.h"
#include "decode/text_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {
namespace {

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const Input& input, const Probe& probe, SchemaPtr schema, OpenOptions options)
      : builder_(input, std::move(schema), std::move(options)),
        records_(builder_),
        path_text_(probe.records),
        found_by_looking_(probe.records_found) {}

  Result<void> open() {
    SLUICE_TRY(auto path, parse_json_path(path_text_));
    walker_.emplace(std::move(path), true, found_by_looking_);
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
  enum class State : std::uint8_t { walking, in_array, at_object, done };

  Result<bool> next_batch(RowBatch& batch, std::stop_token stop) {
    for (;;) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while decoding");
      switch (state_) {
        case State::walking:
          SLUICE_CHECK(walk());
          break;
        case State::in_array: {
          SLUICE_TRY(const bool filled, take_from_array(batch));
          if (filled) return true;
          break;
        }
        case State::at_object: {
          SLUICE_TRY(const bool filled, take_object(batch));
          if (filled) return true;
          break;
        }
        case State::done:
          batch.reset(builder_.schema_ptr());
          batch.source = builder_.input().source;
          return false;
      }
    }
  }

  std::uint64_t position() const { return block_ ? block_->offset + at_ : 0; }

  // Loads the next block, beginning at at_ of the present one. False = the source ended before.
  Result<bool> load() {
    if (block_ && at_ == 0 && reader_->at_end()) return false;
    if (block_) SLUICE_CHECK(reader_->carry(at_));
    block_.reset();
    SLUICE_TRY(block_, reader_->next());
    at_ = 0;
    return block_ != nullptr;
  }
  Result<bool> load_more_of_record() {
    if (reader_->at_end()) return false;
    return load();
  }
  std::unexpected<Error> cut() const {
    return fail_transient(ErrorCode::truncated, "the JSON document stops in the middle");
  }

  Result<void> walk() {
    if (!block_ || at_ == block_->size) {
      SLUICE_TRY(const bool more, load());
      if (!more) return ended();
    }
    auto event = walker_->walk(block_->text(), at_);
    if (!event) return fail_within(fmt::format("byte {}", position()), std::move(event).error());
    switch (*event) {
      case JsonWalker::Event::array:
        state_ = State::in_array;
        first_element_ = true;
        ++found_;
        break;
      case JsonWalker::Event::object:
        state_ = State::at_object;
        ++found_;
        break;
      case JsonWalker::Event::scalar:
        return fail(ErrorCode::malformed,
                    fmt::format("records: {} is neither an array nor an object", path_text_));
      case JsonWalker::Event::more:
      case JsonWalker::Event::complete:
        break;
    }
    return {};
  }

  Result<void> ended() {
    if (!walker_->is_complete()) return cut();
    if (found_ == 0) {
      return fail(ErrorCode::malformed,
                  fmt::format("records: there is no {} in the document; its top level has {}", path_text_,
                              fmt::join(walker_->top_keys(), ", ")));
    }
    for (const auto& candidate : walker_->candidates()) {
      if (found_by_looking_ && !candidate.empty && candidate.path != path_text_) {
        return fail(ErrorCode::invalid_definition,
                    fmt::format("both {} and {} could be the records; state one as records:", path_text_,
                                candidate.path));
      }
    }
    state_ = State::done;
    return {};
  }

  // One chunk of records of the array. False = go on (more bytes, or the array ended).
  Result<bool> take_from_array(RowBatch& batch) {
    cut_json(block_->text().substr(at_), builder_.options().batch_rows, cut_);
    if (cut_.ends.empty() && !cut_.array_ended) {
      SLUICE_TRY(const bool more, load_more_of_record());
      if (!more) return cut();
      return false;
    }
    const std::size_t length = cut_.array_ended ? cut_.array_end : cut_.ends.back();
    char* const begin = block_->data() + at_;
    const std::string_view chunk(begin, length);
    const bool blank = chunk.find_first_not_of(" \t\r\n") == std::string_view::npos;
    bool filled = false;
    if (!blank) {
      SLUICE_TRY(filled, read_chunk(begin, length, batch));
    }
    at_ += length;
    first_element_ = false;
    if (cut_.array_ended) {
      ++at_;  // its ]
      state_ = State::walking;
    }
    return filled;
  }

  // Makes an array text of the chunk in place: the comma in front (or the byte before) becomes [, the byte
  // behind ].
  Result<bool> read_chunk(char* begin, std::size_t length, RowBatch& batch) {
    char* open = begin - 1;
    if (!first_element_) {
      open = std::find_if(begin, begin + length, [](char c) { return static_cast<unsigned char>(c) > ' '; });
      if (*open != ',') {
        return fail(ErrorCode::malformed,
                    fmt::format("this is not valid JSON: a comma is missing between two records at byte {}",
                                position()));
      }
    }
    char* const close = begin + length;
    const char open_was = std::exchange(*open, '[');
    const char close_was = std::exchange(*close, ']');
    builder_.begin(batch, cut_.ends.size());
    batch.keep(block_);
    ordinals_.clear();
    strangers_.clear();
    const auto first = ordinal_;
    const auto failure = records_.read_array({open, static_cast<std::size_t>(close + 1 - open)}, batch,
                                             [&](JsonRecords::Outcome outcome) {
                                               const auto ordinal = ordinal_++;
                                               if (outcome == JsonRecords::Outcome::good) {
                                                 ordinals_.push_back(ordinal);
                                               } else {
                                                 strangers_.push_back(ordinal);
                                               }
                                             });
    *open = open_was;
    *close = close_was;
    if (failure.outcome != JsonRecords::Outcome::good) {
      ordinal_ = first;
      SLUICE_CHECK(read_one_by_one(batch, failure));
    }
    // Elements that are no objects stand between the others; without them element i ends at cut_.ends[i].
    const bool all_objects = strangers_.empty() && ordinals_.size() == cut_.ends.size();
    builder_.finish(batch, ordinals_, [&](std::size_t row) {
      if (!all_objects) return RowBuilder::Described{fmt::format("record {}", ordinals_[row]), {}};
      return describe(row, ordinals_[row]);
    });
    for (const auto ordinal : strangers_) {
      builder_.reject_record(batch, ordinal,
                             {RejectStage::decode, "notAnObject", -1, "the record is not a JSON object"},
                             {fmt::format("record {}", ordinal), {}});
    }
    for (const auto& [element, ordinal] : broken_) {
      builder_.reject_record(batch, ordinal,
                             {RejectStage::decode, "invalidUtf8", -1, "the record is not valid UTF-8"},
                             describe(element, ordinal));
    }
    broken_.clear();
    return batch.rows() > 0 || batch.rejected > 0;
  }

  std::string_view element_text(std::size_t element) const {
    const std::size_t from = element == 0 ? 0 : cut_.ends[element - 1];
    auto text = block_->text().substr(at_ + from, cut_.ends[element] - from);
    const auto start = text.find_first_of("{[");
    return start == std::string_view::npos ? text : text.substr(start);
  }
  RowBuilder::Described describe(std::size_t element, std::uint64_t ordinal) const {
    const auto text = element_text(element);
    const auto byte = block_->offset + static_cast<std::uint64_t>(text.data() - block_->data());
    return {fmt::format("record {} (byte {})", ordinal, byte), text};
  }

  // The chunk as a whole does not parse: find the record to blame. Bad UTF-8 costs that record, bad JSON the
  // run.
  Result<void> read_one_by_one(RowBatch& batch, const JsonRecords::Failure& chunk_failure) {
    builder_.begin(batch, cut_.ends.size());
    batch.keep(block_);
    ordinals_.clear();
    strangers_.clear();
    bool any_broken = false;
    for (std::size_t element = 0; element < cut_.ends.size(); ++element) {
      const auto text = element_text(element);
      const auto failure = records_.read_one(text, ordinals_.size(), batch);
      switch (failure.outcome) {
        case JsonRecords::Outcome::good:
          ordinals_.push_back(ordinal_);
          break;
        case JsonRecords::Outcome::not_an_object:
          strangers_.push_back(ordinal_);
          break;
        case JsonRecords::Outcome::bad_utf8:
          broken_.emplace_back(element, ordinal_);
          builder_.forget_row(batch, ordinals_.size());
          any_broken = true;
          break;
        case JsonRecords::Outcome::bad_json:
          return fail(ErrorCode::malformed,
                      fmt::format("this is not valid JSON: {} in {}: {}", failure.message,
                                  describe(element, ordinal_).locator, printable(text, 200)));
      }
      ++ordinal_;
    }
    if (any_broken) return {};
    return fail(ErrorCode::malformed,
                fmt::format("this is not valid JSON: {} between the records behind byte {}",
                            chunk_failure.message, position()));
  }

  // The value at the path is one object: one record.
  Result<bool> take_object(RowBatch& batch) {
    cut_json(block_->text().substr(at_), 1, cut_);
    if (cut_.ends.empty()) {
      SLUICE_TRY(const bool more, load_more_of_record());
      if (!more) return cut();
      return false;
    }
    builder_.begin(batch, 1);
    batch.keep(block_);
    ordinals_.assign(1, ordinal_);
    const auto failure = records_.read_one(element_text(0), 0, batch);
    if (failure.outcome != JsonRecords::Outcome::good) {
      return fail(ErrorCode::malformed, fmt::format("this is not valid JSON: {} in the object at byte {}",
                                                    failure.message, position()));
    }
    builder_.finish(batch, ordinals_, [&](std::size_t) { return describe(0, ordinal_); });
    ++ordinal_;
    at_ += cut_.ends.front();
    state_ = State::walking;
    return true;
  }

  RowBuilder builder_;
  JsonRecords records_;
  std::string path_text_;
  bool found_by_looking_;
  std::optional<JsonWalker> walker_;
  std::optional<BlockReader> reader_;
  std::shared_ptr<Block> block_;
  std::size_t at_ = 0;
  State state_ = State::walking;
  bool first_element_ = false;
  std::size_t found_ = 0;
  std::uint64_t ordinal_ = 0;
  JsonCut cut_;
  std::vector<std::uint64_t> ordinals_;
  std::vector<std::uint64_t> strangers_;
  std::vector<std::pair<std::size_t, std::uint64_t>> broken_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> open_json(const Input& input, const Probe& probe, SchemaPtr schema,
                                           OpenOptions options) {
  auto decoder = std::make_unique<JsonDecoder>(input, probe, std::move(schema), std::move(options));
  if (auto opened = decoder->open(); !opened) return fail_within(input.name, std::move(opened).error());
  return decoder;
}

}  // namespace sluice::decode
