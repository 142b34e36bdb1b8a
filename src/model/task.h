// What a *.job.yaml says, as plain values: `definition` fills them, `task` carries them out.
#pragma once

#include "base/secret.h"
#include "model/spec.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

// Statements of one database, in their order.
struct SqlTask {
  std::vector<std::string> statements;  // one each, without semicolon; never empty
  std::string database;                 // "" = the service's
  bool transaction = true;              // all in one; false: each by itself
};

// One HTTP request; redirects of GET and HEAD are followed.
struct HttpTask {
  SourceSpec request;  // url, headers, auth, timeouts; its other members say nothing
  std::string method = "GET";
  std::optional<std::string> body;
  std::vector<int> expect;  // statuses that are success; empty = 200 to 299
};

// A program with its arguments, started directly: there is no shell that could read more into them.
struct CommandTask {
  std::vector<std::string> arguments;                            // the program first; never empty
  std::filesystem::path directory;                               // absolute
  std::vector<std::pair<std::string, std::string>> environment;  // besides what every command gets
  std::vector<int> retry_exit_codes;                             // failures that will pass
  std::chrono::milliseconds grace{5'000};                        // from SIGTERM to SIGKILL
};

struct TaskSpec {
  using Work = std::variant<SqlTask, HttpTask, CommandTask>;
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  bool enabled = true;
  ScheduleSpec schedule;  // manual: only by hand, or after others
  Work work;
  std::vector<Secret> secrets;  // what ${…} brought into the work: shown nowhere
  Place place;
};

// "sql" "http" "command": also the kind of its jobs.
constexpr std::string_view kind_of(const TaskSpec& task) {
  constexpr std::string_view kKinds[] = {"sql", "http", "command"};
  return kKinds[task.work.index()];
}
inline constexpr std::string_view kTaskKinds[] = {"sql", "http", "command"};

}  // namespace sluice
