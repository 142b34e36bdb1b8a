// Carries out what a *.job.yaml says, once: statements, a request or a command. Knows nothing of jobs and
// schedules; whether a failure is tried again is for the caller, by the error's `retryable`.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "fetch/fetch.h"
#include "model/task.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace sluice::task {

// What every run of a process shares. Outlives the runs.
struct Environment {
  Clock& clock;
  fetch::Policy policy;
  std::string user_agent;
  std::shared_ptr<fetch::ConnectionPool> connections;  // kept open between runs; null = none are
};

struct Request {
  const TaskSpec& task;
  std::string database;          // SQL: sqlite:PATH or postgres://…
  bool create_database = false;  // a SQLite file that is not there is made
  std::int64_t job = 0;          // what a command is told in SLUICE_JOB
  int attempt = 1;
  // SQL: rows and files that others hold are waited for so long; then the job's own retry has its turn.
  std::chrono::milliseconds lock_timeout{5'000};
};

enum class Level { info, warning, error };
// Called from the thread that runs the task; the line holds no secret of the task.
using Log = std::function<void(Level, std::string_view line)>;

struct Outcome {
  // A JSON object, of a failure too as far as it got. No secret of the task is in it.
  //   sql      {"changed":n,"statements":[{"statement":"delete from
  //   …","changed":n,"rows":n,"durationMs":n}…]} http
  //   {"status":200,"method":"GET","url":"https://…","bytes":n,"requests":n} command
  //   {"exitCode":0|null,"signal":9|null,"lines":n,"bytes":n}
  std::string result = "{}";
  std::int64_t changed = 0;  // rows, as SQL counts them
  std::optional<Error> error;
};

// Errors beside those of the database or the server: invalid_definition (SQL that the database refuses),
// cancelled (stop was requested), not_found, forbidden, io.
Outcome run(const Request& request, const Environment& environment, const Log& log, std::stop_token stop);

}  // namespace sluice::task
