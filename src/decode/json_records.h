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

  enum class Outcome : std::uint8_t {
    good,
    not_an_object,
    bad_record,  // what stands in it is at fault, not the document: it costs itself only
    bad_json,    // the syntax is broken
  };
  struct Failure {
    Outcome outcome = Outcome::good;
    std::string_view code;  // bad_record: for the reject
    std::string message;
    std::size_t at = 0;  // bad_json: where in the text, about
  };

  // Reads all elements of a JSON array text into rows 0, 1, … of the batch. When not all of them are good
  // objects nothing of it counts.
  Failure read_array(std::string_view text, RowBatch& batch);
  // Reads one record into a row. The text needs kPadding readable bytes after it.
  Failure read_one(std::string_view text, std::size_t row, RowBatch& batch);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::decode
