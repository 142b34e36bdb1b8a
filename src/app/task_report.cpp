#include "app/task_report.h"

#include "api/live_json.h"
#include "base/text.h"
#include "model/task.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

Json result_of(const jobs::Job& job) {
  auto result = Json::parse(job.result, nullptr, false);
  return result.is_object() ? result : Json::object();
}

std::int64_t number(const Json& result, const char* key) {
  return result.contains(key) && result[key].is_number_integer() ? result[key].get<std::int64_t>() : 0;
}

}  // namespace

bool is_task_kind(std::string_view kind) {
  return std::find(std::begin(kTaskKinds), std::end(kTaskKinds), kind) != std::end(kTaskKinds);
}

std::string task_text(const jobs::Job& job) {
  if (!is_task_kind(job.kind) || job.result.empty()) return {};
  const auto result = result_of(job);
  if (job.kind == "sql") {
    const auto changed = number(result, "changed");
    return fmt::format("{} row{} changed", group_digits(changed), changed == 1 ? "" : "s");
  }
  if (job.kind == "http") {
    const auto status = number(result, "status");
    return status == 0 ? "no answer"
                       : fmt::format("{}, {} bytes", status, group_digits(number(result, "bytes")));
  }
  if (result.contains("signal") && result["signal"].is_number_integer())
    return fmt::format("ended by signal {}", number(result, "signal"));
  return fmt::format("exit code {}, {} lines", number(result, "exitCode"),
                     group_digits(number(result, "lines")));
}

std::string task_json(const jobs::Job& job) {
  Json json = {{"name", job.subject},
               {"kind", job.kind},
               {"job", std::to_string(job.id.value())},
               {"state", std::string(jobs::to_string(job.state))},
               {"attempt", job.attempt},
               {"startedAt", api::time_or_null(job.started_at)},
               {"durationMs", job.duration_ms ? Json(*job.duration_ms) : Json(nullptr)}};
  if (!job.result.empty()) json.update(result_of(job));
  json["error"] = api::error_json(job.error);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int exit_code_for_task(const jobs::Job& job) {
  if (job.state == jobs::JobState::succeeded) return 0;
  if (!job.error) return 1;
  constexpr std::array kEnvironment = {ErrorCode::unreachable, ErrorCode::unauthorized, ErrorCode::locked,
                                       ErrorCode::timeout};
  // What the program says, and what the server answers, are runs that failed.
  if (job.kind == "command") return 1;
  for (const auto code : kEnvironment) {
    if (to_string(code) == job.error->code) return exit_code_for(code);
  }
  if (to_string(ErrorCode::invalid_definition) == job.error->code)
    return exit_code_for(ErrorCode::invalid_definition);
  return 1;
}

std::string when_text(const ScheduleSpec& schedule, const english_cron::Translation& translation,
                      const definition::After& after) {
  std::string text;
  if (!schedule.manual) text = fmt::format("{} ({})", translation.english, translation.zone);
  if (!after.names.empty()) {
    if (!text.empty()) text += ", and ";
    text +=
        fmt::format("after {}{}",
                    after.on == definition::After::On::failure  ? "a failure of "
                    : after.on == definition::After::On::always ? "any end of "
                                                                : "",
                    fmt::join(after.names, after.wait == definition::After::Wait::all ? " and " : " or "));
  }
  return text.empty() ? "by hand only" : text;
}

}  // namespace sluice::app
