#include "jobs/job_json.h"

#include "base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <utility>
#include <vector>

namespace sluice::jobs {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kShown = 60;        // bytes of a value in a message
constexpr std::size_t kMostProblems = 5;  // told of one set of arguments
constexpr double kSameFloat = 1e-6;       // a float field gives 0.1 back as 0.10000000149

std::string shown(const Json& value) {
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), kShown);
}

std::string joined(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// "[json.exception.type_error.302] type must be number, but is string" without the part for programmers.
std::string plain(std::string_view what) {
  if (const auto end = what.find("] "); what.starts_with("[json.exception") && end != std::string_view::npos)
    what.remove_prefix(end + 2);
  return printable(what, 300);
}

bool same_number(const Json& given, const Json& again) {
  if (given.is_number_float() || again.is_number_float()) {
    const double a = given.get<double>(), b = again.get<double>();
    // A fraction that an integer field has cut off is far apart by this measure.
    return a == b ||
           (again.is_number_float() && std::abs(a - b) <= kSameFloat * std::max(std::abs(a), std::abs(b)));
  }
  const bool below_zero =
      given.is_number_integer() && !given.is_number_unsigned() && given.get<std::int64_t>() < 0;
  return below_zero == (!again.is_number_unsigned() && again.get<std::int64_t>() < 0) && given == again;
}

// Where what was read says something else than what was given.
void compare(const Json& given, const Json& again, const std::string& path,
             std::vector<std::string>& problems) {
  if (problems.size() >= kMostProblems) return;
  if (given.is_object() && again.is_object()) {
    for (const auto& [key, value] : given.items()) {
      const std::string name = joined(path, printable(key, kShown));
      if (const auto found = again.find(key); found != again.end()) {
        compare(value, *found, name, problems);
      } else if (!value.is_null()) {
        problems.push_back(fmt::format("{}: there is no such field", name));
      }
    }
    return;
  }
  if (given.is_array() && again.is_array() && given.size() == again.size()) {
    for (std::size_t i = 0; i < given.size(); ++i)
      compare(given[i], again[i], fmt::format("{}[{}]", path, i), problems);
    return;
  }
  const bool same = given.is_number() && again.is_number() ? same_number(given, again) : given == again;
  if (!same) {
    problems.push_back(fmt::format("{}: {} cannot be kept as it is; it would become {}",
                                   path.empty() ? "the value" : path, shown(given), shown(again)));
  }
}

// Each field alone among the default values: which of them cannot be read. `at` is the object looked into,
// both inside the whole of the arguments and inside the whole of the defaults.
void find_unreadable(const Json& given, const Json& defaults, const Json::json_pointer& at,
                     const std::string& path, const JsonForm& form, std::vector<std::string>& problems) {
  for (const auto& [key, fallback] : defaults.at(at).items()) {
    if (problems.size() >= kMostProblems) return;
    const std::string name = joined(path, key);
    Json trial = defaults;
    const Json::json_pointer here = at / key;
    if (!given.contains(here)) {
      trial.at(at).erase(key);
      if (form.decode(trial, nullptr)) problems.push_back(fmt::format("{}: is missing", name));
      continue;
    }
    trial[here] = given.at(here);
    const auto wrong = form.decode(trial, nullptr);
    if (!wrong) continue;
    const std::size_t before = problems.size();
    if (fallback.is_object() && given.at(here).is_object())
      find_unreadable(given, defaults, here, name, form, problems);
    if (problems.size() == before)
      problems.push_back(fmt::format("{}: {}; it is {}", name, plain(*wrong), shown(given.at(here))));
  }
}

}  // namespace

std::string versioned_kind(std::string_view kind, int version) {
  return version == 1 ? std::string(kind) : fmt::format("{}@{}", kind, version);
}

Result<void> check_fit(const Json& json, const JsonForm& form) {
  std::vector<std::string> problems;
  Json again;
  if (const auto wrong = form.decode(json, &again)) {
    const Json defaults = form.defaults();
    if (json.is_object() && defaults.is_object() && !form.decode(defaults, nullptr))
      find_unreadable(json, defaults, Json::json_pointer(), {}, form, problems);
    // It is no single field: they do not go together, say.
    if (problems.empty()) problems.push_back(plain(*wrong));
  } else {
    compare(json, again, {}, problems);
  }
  if (problems.empty()) return {};
  return fail(ErrorCode::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
}

Result<std::string> write_args(const Json& json, std::string_view kind) {
  const auto refuse = [&](ErrorCode code, std::string message) {
    return fail(code, std::move(message), fmt::format("job {}", kind));
  };
  if (!json.is_object()) return refuse(ErrorCode::invalid_argument, "the arguments must be a JSON object");
  std::string text;
  try {
    text = json.dump();
  } catch (const Json::exception& exception) {
    for (const auto& [key, value] : json.items()) {
      try {
        (void)value.dump();
      } catch (const Json::exception&) {
        return refuse(ErrorCode::invalid_argument,
                      fmt::format("{}: is not UTF-8 text: {}", key, shown(value)));
      }
    }
    return refuse(ErrorCode::invalid_argument, plain(exception.what()));
  }
  if (text.size() > kMaxJobText) {
    return refuse(
        ErrorCode::too_large,
        fmt::format("the arguments are {} bytes long; at most {} are kept: put the data in a file or "
                    "table and pass its name",
                    text.size(), kMaxJobText));
  }
  return text;
}

Result<Json> parse_args(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::invalid_argument, "the arguments are not a JSON object");
  return json;
}

Result<Json> parse_result(const Job& job) {
  const std::string where = fmt::format("result of job {}", job.id.value());
  if (job.result.empty()) return fail(ErrorCode::not_found, "the job has left no result", where);
  auto json = Json::parse(job.result, nullptr, false);
  if (json.is_discarded()) return fail(ErrorCode::malformed, "the result is not JSON", where);
  return json;
}

Result<void> check_options(const NewJob& options, std::string_view kind) {
  if (options.kind.empty() && options.args == NewJob().args) return {};
  return fail(ErrorCode::invalid_argument,
              "kind and arguments of a typed job are those of its type; leave them out of the options",
              fmt::format("job {}", kind));
}

std::unexpected<Error> does_not_fit(Error error) {
  error.retryable = false;
  error.message = fmt::format("the arguments do not fit: {}", error.message);
  return std::unexpected(std::move(error));
}

}  // namespace sluice::jobs
