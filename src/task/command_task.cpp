#include "base/text.h"
#include "task/kinds.h"
#include "task/output_lines.h"
#include "task/process.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace sluice::task {
namespace {

using Json = nlohmann::ordered_json;

// What a command is given of our own environment: enough to run, and nothing that may be a secret.
bool passed_on(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {"PATH", "HOME",     "USER", "LOGNAME", "SHELL",
                                                      "LANG", "LANGUAGE", "TZ",   "TMPDIR"};
  return name.starts_with("LC_") || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void set(std::vector<std::pair<std::string, std::string>>& environment, std::string name, std::string value) {
  std::erase_if(environment, [&](const auto& other) { return other.first == name; });
  environment.emplace_back(std::move(name), std::move(value));
}

std::vector<std::pair<std::string, std::string>> environment_of(const CommandTask& command,
                                                                const Request& request) {
  std::vector<std::pair<std::string, std::string>> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos && passed_on(text.substr(0, equals)))
      set(environment, std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
  }
  set(environment, "SLUICE_JOB", std::to_string(request.job));
  set(environment, "SLUICE_NAME", request.task.name);
  set(environment, "SLUICE_ATTEMPT", std::to_string(request.attempt));
  for (const auto& [name, value] : command.environment) set(environment, name, value);
  return environment;
}

std::string said(const OutputLines& lines) {
  return lines.last_line().empty() ? std::string() : "; it says: " + printable(lines.last_line(), 200);
}

std::optional<Error> error_of(const CommandTask& command, const ProcessEnd& end, const OutputLines& lines,
                              bool stopped) {
  Error error{ErrorCode::invalid_argument, false, command.arguments.front(), {}, {}};
  if (stopped) {
    error.code = ErrorCode::cancelled;
    error.message =
        end.signal == SIGKILL ? "stopped by force: it did not end when it was asked to" : "stopped";
  } else if (end.signal != 0) {
    error.code = ErrorCode::io;
    error.message =
        fmt::format("was ended by signal {} ({}){}", end.signal, ::strsignal(end.signal), said(lines));
  } else if (end.exit_code != 0) {
    const auto& codes = command.retry_exit_codes;
    error.retryable = std::find(codes.begin(), codes.end(), end.exit_code) != codes.end();
    error.code = error.retryable ? ErrorCode::unreachable : ErrorCode::io;
    error.message = fmt::format("ended with exit code {}{}", end.exit_code, said(lines));
  } else {
    return std::nullopt;
  }
  return error;
}

}  // namespace

Outcome run_command(const CommandTask& command, const Request& request, const fetch::SecretMask& mask,
                    const Log& log, std::stop_token stop) {
  Outcome outcome;
  if (stop.stop_requested()) {
    outcome.error = Error{ErrorCode::cancelled, false, command.arguments.front(), "stopped", {}};
    return outcome;
  }
  auto process = Process::start({command.arguments, command.directory, environment_of(command, request)});
  if (!process) {
    outcome.error = std::move(process).error();
    return outcome;
  }
  OutputLines lines(mask, log);
  const auto end = process->wait([&](bool errors, std::string_view bytes) { lines.add(errors, bytes); },
                                 command.grace, stop);
  lines.finish();
  if (!end) {
    outcome.error = end.error();
    return outcome;
  }
  outcome.error = error_of(command, *end, lines, stop.stop_requested());
  if (stop.stop_requested() && end->signal == 0 && end->exit_code == 0) outcome.error.reset();  // it was done
  outcome.result = Json{
      {"exitCode", end->signal == 0 ? Json(end->exit_code) : Json(nullptr)},
      {"signal", end->signal == 0 ? Json(nullptr) : Json(end->signal)},
      {"lines", lines.lines()},
      {"bytes",
       lines.bytes()}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  return outcome;
}

}  // namespace sluice::task
