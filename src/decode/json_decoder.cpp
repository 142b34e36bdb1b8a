// A JSON document of any size: the walker finds the records, whole records are cut into chunks, simdjson
// reads each.
#include "base/text.h"
#include "decode/block_decoder.h"
#include "decode/formats.h"
#include "decode/json_cut.h"
#include "decode/json_gap.h"
#include "decode/json_look.h"
#include "decode/json_records.h"
#include "decode/json_walk.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {
namespace {

class JsonDecoder final : public BlockDecoder {
 public:
  JsonDecoder(const Input& input, const Probe& probe, SchemaPtr schema, OpenOptions options)
      : BlockDecoder(input, std::move(schema), std::move(options)),
        records_(builder_),
        stated_path_(probe.records),
        found_by_looking_(probe.records_found) {}

 private:
  enum class State : std::uint8_t { walking, in_array, at_object, done };

  Result<void> prepare() override {
    SLUICE_TRY(path_, parse_json_path(stated_path_));
    walker_.emplace(path_, true, found_by_looking_);
    return {};
  }

  Result<bool> next_batch(RowBatch& batch, std::stop_token stop) override {
    for (;;) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while decoding");
      switch (state_) {
        case State::walking:
          SLUICE_CHECK(walk(stop));
          break;
        case State::in_array: {
          SLUICE_TRY(const bool filled, take_from_array(batch, stop));
          if (filled) return true;
          break;
        }
        case State::at_object: {
          SLUICE_TRY(const bool filled, take_object(batch));
          if (filled) return true;
          break;
        }
        case State::done:
          return false;
      }
    }
  }

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
  // Broken syntax, `at` in the present block.
  std::unexpected<Error> broken(std::string_view reason, std::size_t at) const {
    return broken_at(builder_.input(), broken_json(reason), block_->text(), at, block_->offset);
  }
  static Error broken_json(std::string_view reason) {
    return fail(ErrorCode::malformed, fmt::format("this is not valid JSON: {}", reason)).error();
  }

  Result<void> walk(const std::stop_token& stop) {
    if (!block_ || at_ == block_->size) {
      SLUICE_TRY(const bool more, load());
      if (!more) return ended(stop);
    }
    auto event = walker_->walk(block_->text(), at_);
    if (!event) {
      return broken_at(builder_.input(), std::move(event).error(), block_->text(), at_, block_->offset);
    }
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
        return fail(
            ErrorCode::malformed,
            fmt::format("records: {} is {}, neither an array nor an object{}", path_text(path_, path_.size()),
                        kind_of_json(block_->text()[at_]), arrays_hint(builder_.input(), stop)));
      case JsonWalker::Event::more:
      case JsonWalker::Event::complete:
        break;
    }
    return {};
  }

  Result<void> ended(const std::stop_token& stop) {
    if (!walker_->is_complete()) return cut();
    if (found_ == 0) return nothing_at_path(stop);
    for (const auto& candidate : walker_->candidates()) {
      if (found_by_looking_ && !candidate.empty && candidate.path != stated_path_) {
        return fail(ErrorCode::invalid_definition,
                    fmt::format("both {} and {} could be the records; state one as records:", stated_path_,
                                candidate.path));
      }
    }
    state_ = State::done;
    return {};
  }

  // How far the path leads, what is there, and where records may be.
  std::unexpected<Error> nothing_at_path(const std::stop_token& stop) const {
    const auto& reached = walker_->reached();
    std::string there = fmt::format("{} is {}", path_text(path_, reached.steps), kind_of_json(reached.first));
    if (reached.first == '{') {
      there +=
          reached.keys.empty() ? " without fields" : fmt::format(" with {}", fmt::join(reached.keys, ", "));
    } else if (reached.first == '[') {
      const bool named = path_[reached.steps].kind == PathStep::Kind::name;
      there += named ? "; write [*] for each of its elements" : " with fewer elements";
    }
    return fail(ErrorCode::malformed,
                fmt::format("records: there is no {} in the document: {}{}", path_text(path_, path_.size()),
                            printable(there, 400), arrays_hint(builder_.input(), stop)));
  }

  // One chunk of records of the array. False = go on (more bytes, or the array ended).
  Result<bool> take_from_array(RowBatch& batch, const std::stop_token& stop) {
    if (!block_) {
      SLUICE_TRY(const bool more, load());
      if (!more) return cut();
    }
    cut_json(block_->text().substr(at_), builder_.options().batch_rows, cut_);
    if (cut_.ends.empty() && !cut_.array_ended) {
      if (at_ == 0 && reader_->full()) return skip_element(batch, stop);
      SLUICE_TRY(const bool more, load_more_of_record());
      if (!more) return cut();
      return false;
    }
    const std::size_t length = cut_.array_ended ? cut_.array_end : cut_.ends.back();
    const bool blank =
        block_->text().substr(at_, length).find_first_not_of(" \t\r\n") == std::string_view::npos;
    bool filled = false;
    if (!blank) {
      SLUICE_TRY(filled, read_chunk(length, batch));
    }
    at_ += length;
    first_element_ = false;
    if (cut_.array_ended) {
      ++at_;  // its ]
      state_ = State::walking;
    }
    return filled;
  }

  // The fast way: all at once. Where that fails, or not every element is an object, one by one.
  Result<bool> read_chunk(std::size_t length, RowBatch& batch) {
    builder_.begin(batch, cut_.ends.size());
    batch.keep(block_);
    ordinals_.clear();
    rows_.clear();
    odd_.clear();
    if (any_too_large() || !read_at_once(length, batch)) {
      SLUICE_CHECK(read_one_by_one(length, batch));
    }
    builder_.finish(batch, ordinals_, [&](std::size_t row) {
      const Element element = rows_.empty() ? cut_element(row) : rows_[row];
      return describe(element, ordinals_[row]);
    });
    for (auto& odd : odd_)
      builder_.reject_record(batch, odd.ordinal, std::move(odd.problem), describe(odd.element, odd.ordinal));
    return batch.rows() > 0 || batch.rejected > 0;
  }

  // Makes an array text of the chunk in place: the comma in front (or the byte before) becomes [, the byte
  // behind ].
  bool read_at_once(std::size_t length, RowBatch& batch) {
    char* const begin = block_->data() + at_;
    char* open = begin - 1;
    if (cut_.ends.empty()) return false;
    if (!first_element_) {
      open = std::find_if(begin, begin + length, [](char c) { return static_cast<unsigned char>(c) > ' '; });
      if (*open != ',') return false;
    }
    char* const close = begin + length;
    const char open_was = std::exchange(*open, '[');
    const char close_was = std::exchange(*close, ']');
    const auto failure = records_.read_array({open, static_cast<std::size_t>(close + 1 - open)}, batch);
    *open = open_was;
    *close = close_was;
    if (failure.outcome != JsonRecords::Outcome::good) return false;
    for (std::size_t i = 0; i < cut_.ends.size(); ++i) ordinals_.push_back(ordinal_++);
    return true;
  }

  // An element of the array, relative to at_.
  struct Element {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  // An element that became no row.
  struct Odd {
    Element element;
    std::uint64_t ordinal;
    Problem problem;
  };

  // With nothing but objects and commas in the chunk.
  Element cut_element(std::size_t i) const {
    const std::size_t from = i == 0 ? 0 : cut_.ends[i - 1];
    const auto text = block_->text().substr(at_ + from, cut_.ends[i] - from);
    return {from + std::min(text.find_first_of("{["), text.size()), cut_.ends[i]};
  }
  // People count records from 1, bytes from 0, as editors and `dd` do.
  RowBuilder::Described describe(Element element, std::uint64_t ordinal) const {
    const auto text = block_->text().substr(at_ + element.begin, element.end - element.begin);
    return {fmt::format("record {} (byte {})", ordinal + 1, block_->offset + at_ + element.begin), text};
  }

  // What is in front of a record counts too: else it would depend on the blocks what is too large.
  bool too_large(std::size_t i) const {
    return cut_.ends[i] - (i == 0 ? 0 : cut_.ends[i - 1]) > largest_record() + 1;
  }
  bool any_too_large() const {
    if (block_->size <= largest_record() + 1) return false;
    for (std::size_t i = 0; i < cut_.ends.size(); ++i) {
      if (too_large(i)) return true;
    }
    return false;
  }

  void set_aside(Element element, std::string_view code, std::string message) {
    odd_.push_back({element, ordinal_++, {RejectStage::decode, code, -1, std::move(message)}});
  }
  // The scalars in front of an element (or of the array's end); gives the position behind them.
  Result<std::size_t> read_gap_at(std::size_t from, std::size_t to, bool closed) {
    const auto gap =
        read_gap(block_->text().substr(at_ + from, to - from), first_element_ && from == 0, closed);
    if (!gap.wrong.empty()) return broken(gap.wrong, at_ + from + gap.end);
    for (const auto& scalar : gap.scalars)
      set_aside({from + scalar.begin, from + scalar.end}, "notAnObject", "the record is not a JSON object");
    return from + gap.end;
  }

  Result<void> read_one_by_one(std::size_t length, RowBatch& batch) {
    builder_.begin(batch, cut_.ends.size());
    batch.keep(block_);
    std::size_t from = 0;
    for (std::size_t i = 0; i < cut_.ends.size(); ++i) {
      SLUICE_TRY(const std::size_t begin, read_gap_at(from, cut_.ends[i], false));
      const Element element{begin, cut_.ends[i]};
      from = element.end;
      if (too_large(i)) {
        set_aside(element, "recordTooLarge",
                  fmt::format("the record has {} bytes, the most are {}", element.end - element.begin,
                              largest_record()));
        continue;
      }
      const auto text = block_->text().substr(at_ + element.begin, element.end - element.begin);
      auto failure = records_.read_one(text, ordinals_.size(), batch);
      if (failure.outcome == JsonRecords::Outcome::good) {
        rows_.push_back(element);
        ordinals_.push_back(ordinal_++);
        continue;
      }
      if (failure.outcome == JsonRecords::Outcome::bad_json) {
        return broken(fmt::format("{} in record {}", failure.message, ordinal_),
                      at_ + element.begin + failure.at);
      }
      builder_.forget_row(batch, ordinals_.size());
      if (failure.outcome == JsonRecords::Outcome::not_an_object) {
        set_aside(element, "notAnObject", "the record is not a JSON object");
      } else {
        set_aside(element, failure.code, "the record cannot be read: " + failure.message);
      }
    }
    if (cut_.array_ended) {
      SLUICE_TRY(const std::size_t end, read_gap_at(from, length, true));
      static_cast<void>(end);
    }
    return {};
  }

  // An element that fills a whole block and goes on.
  Result<bool> skip_element(RowBatch& batch, const std::stop_token& stop) {
    const auto begin = read_gap(block_->text(), first_element_, false).end;
    if (begin == block_->size || (block_->text()[begin] != '{' && block_->text()[begin] != '[')) {
      return fail(ErrorCode::too_large,
                  fmt::format("no record begins within {} bytes behind byte {}; are these values no objects?",
                              block_->size, block_->offset));
    }
    odd_.clear();
    ordinals_.clear();
    SLUICE_TRY(const std::size_t from, read_gap_at(0, block_->size, false));
    builder_.begin(batch, 0);
    builder_.finish(batch, ordinals_, {});
    for (auto& odd : odd_)
      builder_.reject_record(batch, odd.ordinal, std::move(odd.problem), describe(odd.element, odd.ordinal));
    const auto ordinal = ordinal_++;
    const auto locator = describe({from, from}, ordinal).locator;
    ElementEnd end(from);
    SLUICE_TRY(const auto skipped, skip_record([&](std::string_view text) { return end.find(text); }, stop));
    if (!skipped.ended) return cut();
    at_ = 0;
    first_element_ = false;
    const std::string_view start(skipped.start);
    reject_too_large(batch, ordinal, skipped.bytes - from,
                     {locator, start.substr(std::min(from, start.size()))});
    return true;
  }

  // The value at the path is one object: one record.
  Result<bool> take_object(RowBatch& batch) {
    cut_json(block_->text().substr(at_), 1, cut_);
    if (cut_.ends.empty()) {
      SLUICE_TRY(const bool more, load_more_of_record());
      if (!more) return cut();
      return false;
    }
    if (cut_.ends.front() > largest_record() + 1) {
      return fail(ErrorCode::too_large,
                  fmt::format("the one record is an object of more than {} bytes; state where in it the "
                              "records are as records:",
                              largest_record()));
    }
    builder_.begin(batch, 1);
    batch.keep(block_);
    ordinals_.clear();
    const Element element{0, cut_.ends.front()};
    const auto ordinal = ordinal_++;
    auto failure = records_.read_one(block_->text().substr(at_, element.end), 0, batch);
    if (failure.outcome == JsonRecords::Outcome::bad_json) return broken(failure.message, at_ + failure.at);
    if (failure.outcome == JsonRecords::Outcome::good) {
      ordinals_.push_back(ordinal);
    } else {
      builder_.forget_row(batch, 0);
    }
    builder_.finish(batch, ordinals_, [&](std::size_t) { return describe(element, ordinal); });
    if (ordinals_.empty()) {
      builder_.reject_record(
          batch, ordinal,
          {RejectStage::decode, failure.code, -1, "the record cannot be read: " + failure.message},
          describe(element, ordinal));
    }
    at_ += element.end;
    state_ = State::walking;
    return true;
  }

  JsonRecords records_;
  std::string stated_path_;
  std::vector<PathStep> path_;
  bool found_by_looking_;
  std::optional<JsonWalker> walker_;
  std::size_t at_ = 0;  // in the present block: what is done with
  State state_ = State::walking;
  bool first_element_ = false;
  std::size_t found_ = 0;  // values at the path
  std::uint64_t ordinal_ = 0;
  JsonCut cut_;
  std::vector<std::uint64_t> ordinals_;
  std::vector<Element> rows_;  // of a chunk read one by one: the element of each row
  std::vector<Odd> odd_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> open_json(const Input& input, const Probe& probe, SchemaPtr schema,
                                           OpenOptions options) {
  auto decoder = std::make_unique<JsonDecoder>(input, probe, std::move(schema), std::move(options));
  SLUICE_CHECK(decoder->open(std::nullopt));
  return decoder;
}

}  // namespace sluice::decode
