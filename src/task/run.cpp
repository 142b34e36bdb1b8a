#include "task/run.h"

#include "task/kinds.h"

#include <variant>

namespace sluice::task {

Outcome run(const Request& request, const Environment& environment, const Log& log, std::stop_token stop) {
  fetch::SecretMask mask;
  for (const auto& secret : request.task.secrets) mask.add(secret.reveal());
  const Log masked = [&](Level level, std::string_view line) { log(level, mask.apply(std::string(line))); };
  const auto& work = request.task.work;
  Outcome outcome;
  if (const auto* sql = std::get_if<SqlTask>(&work)) {
    outcome = run_sql(*sql, request, masked, std::move(stop));
  } else if (const auto* http = std::get_if<HttpTask>(&work)) {
    outcome = run_http(*http, environment, masked, std::move(stop));
  } else {
    outcome = run_command(std::get<CommandTask>(work), request, mask, masked, std::move(stop));
  }
  outcome.result = mask.apply(std::move(outcome.result));
  if (outcome.error) {
    outcome.error->message = mask.apply(std::move(outcome.error->message));
    outcome.error->where = mask.apply(std::move(outcome.error->where));
  }
  return outcome;
}

}  // namespace sluice::task
