// JSON record objects -> rows, through simdjson (kept out of this header).
#pragma once

#include "decode/row_builder.h"

#include <memory>
#include <optional>
#include <string>

namespace sluice::decode {

class JsonRecords {
 public:
  explicit JsonRecords(RowBuilder& builder);
  ~JsonRecords();

  enum class Outcome : std::uint8_t { good, not_an_object, bad_utf8, bad_json };
  struct Failure {
    Outcome outcome = Outcome::good;
    std::string message;
  };

  // Reads all elements of a JSON array text into rows 0, 1, … of the batch; `on_element` hears each one's
  // outcome (good or not_an_object) in order. The result is not good when the text as a whole is not: nothing
  // of it counts.
  Failure read_array(std::string_view text, RowBatch& batch, const std::function<void(Outcome)>& on_element);
  // Reads one record into a row. The text needs kPadding readable bytes after it.
  Failure read_one(std::string_view text, std::size_t row, RowBatch& batch);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::decode
