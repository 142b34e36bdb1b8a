// Reading the change log's JSON back, value by value. Values stay the text they were written as: a number's
// digits, a json document's bytes.
#pragma once

#include "base/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::history {

// JSON texts as history::append_json wrote them: 1.50, "DE", null.
struct LoggedValue {
  std::string name;  // column
  std::string json;
};
struct LoggedCell {
  std::string name;  // column
  std::optional<std::string> before;
  std::optional<std::string> after;
};

// The key and the cells of an entry (history/query.h). Error malformed: the log was changed by hand.
Result<std::vector<LoggedValue>> logged_key(std::string_view key);
Result<std::vector<LoggedCell>> logged_cells(std::string_view cells);

// The text that a JSON string stands for; nothing when it is none.
std::optional<std::string> string_of(std::string_view json);

}  // namespace sluice::history
