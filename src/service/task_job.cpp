#include "service/task_job.h"

#include "service/load_job.h"

#include <fmt/format.h>

namespace sluice::service {
namespace {

// Where its statements go: --database replaces the service's database, never one that the job names itself.
Result<void> choose_database(const TaskSetting& setting, const Definitions& definitions, const jobs::Job& job,
                             task::Request& request) {
  const auto* sql = std::get_if<SqlTask>(&request.task.work);
  if (sql == nullptr) return {};
  if (!sql->database.empty()) {
    request.database = sql->database;
    return {};
  }
  SLUICE_TRY(request.database, setting.databases.url_for({}, definitions.catalog->service));
  request.create_database = true;
  return check_database(job, request.database);
}

}  // namespace

std::string task_args(const std::string& name, const std::string& database) {
  return named_args("job", name, database);
}

jobs::Handler task_handler(TaskSetting setting) {
  return [setting](jobs::JobContext& context, std::stop_token stop) -> Result<jobs::JobOutcome> {
    const auto& job = context.job();
    const auto definitions = setting.keeper.current();
    const auto* definition = definitions->catalog->find_task(job.subject);
    if (definition == nullptr || kind_of(definition->spec) != job.kind)
      return fail(ErrorCode::not_found,
                  fmt::format("there is no job \"{}\" of kind {} any more", job.subject, job.kind));
    task::Request request{.task = definition->spec, .job = job.id.value(), .attempt = context.attempt()};
    SLUICE_CHECK(choose_database(setting, *definitions, job, request));
    const task::Log log = [&](task::Level level, std::string_view line) {
      context.log(level == task::Level::error     ? jobs::LogLevel::error
                  : level == task::Level::warning ? jobs::LogLevel::warning
                                                  : jobs::LogLevel::info,
                  line);
    };
    auto outcome = task::run(request, setting.environment, log, std::move(stop));
    context.set_result(outcome.result);
    if (outcome.error) return std::unexpected(std::move(*outcome.error));
    return jobs::JobOutcome{.amount = outcome.changed};
  };
}

}  // namespace sluice::service
