// Arguments and results as JSON: what typed.h needs that does not depend on the type. Thread-safe, and
// nothing is thrown.
#pragma once

#include "base/error.h"
#include "jobs/job.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::jobs {

// "send-report", from the second version on "send-report@2".
std::string versioned_kind(std::string_view kind, int version);

// A type as JSON knows it.
struct JsonForm {
  // Reads the JSON into a value; gives what went wrong, or else writes the value into `again` (may be null).
  std::function<std::optional<std::string>(const nlohmann::json& json, nlohmann::json* again)> decode;
  std::function<nlohmann::json()> defaults;  // a value that nobody has set; null when it cannot be written
};

// Whether each field can be read and says the same afterwards. An error (invalid_argument) names the fields:
//   year: type must be number, but is string; it is "soon"
Result<void> check_fit(const nlohmann::json& json, const JsonForm& form);

// The text that is stored. invalid_argument: no object, text that is not UTF-8; too_large: over kMaxJobText.
Result<std::string> write_args(const nlohmann::json& json, std::string_view kind);
Result<nlohmann::json> parse_args(std::string_view text);
// not_found: the job has left no result.
Result<nlohmann::json> parse_result(const Job& job);

// Options given with a typed job say neither kind nor arguments.
Result<void> check_options(const NewJob& options, std::string_view kind);

// The job ends failed and is not tried again: arguments do not become better by waiting.
std::unexpected<Error> does_not_fit(Error error);

}  // namespace sluice::jobs
