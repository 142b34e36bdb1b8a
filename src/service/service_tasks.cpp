// The running service's jobs that are no loads: what *.job.yaml defines, and what follows others.
#include "service/load_job.h"
#include "service/loader_schedule.h"
#include "service/service.h"
#include "service/task_job.h"

#include <spdlog/spdlog.h>

namespace sluice::service {

void Service::register_tasks() {
  const TaskSetting setting{*keeper_, databases_, task_environment_};
  const auto followers = std::make_shared<Followers>(*keeper_, *engine_);
  engine_->add_filter(followers, std::string(kLoadKind));
  for (const auto kind : kTaskKinds) {
    // Where programs may not be started, their jobs are left to the nodes that may.
    if (kind == "command" && !options_.allow_commands) continue;
    engine_->register_handler(std::string(kind), task_handler(setting));
    engine_->add_filter(followers, std::string(kind));
  }
  engine_->register_handler(
      std::string(kAfterKind),
      [followers](jobs::JobContext& context, const std::stop_token&) { return followers->look(context); });
}

jobs::NewJob Service::task_job(const definition::TaskDefinition& task, jobs::Origin origin,
                               std::string started_by) const {
  const auto& spec = task.spec;
  auto job = new_job(spec.name, spec.schedule, task_recurring_id(spec.name), origin, std::move(started_by));
  job.kind = kind_of(spec);
  const auto* sql = std::get_if<SqlTask>(&spec.work);
  const bool own_database =
      sql != nullptr && sql->database.empty() && !options_.serving && !databases_.jobs_only();
  job.args = task_args(spec.name, own_database ? options_.database : std::string());
  return job;
}

Result<void> Service::run_tasks_at_startup(const Definitions& definitions) {
  std::vector<jobs::NewJob> wanted;
  for (const auto& task : definitions.catalog->tasks) {
    if (task.spec.schedule.run_on_startup == RunOnStartup::never) continue;
    jobs::JobFilter filter;
    filter.subject = task.spec.name;
    filter.kind = kind_of(task.spec);
    filter.states = {jobs::JobState::succeeded, jobs::JobState::failed};
    filter.limit = 1;
    SLUICE_TRY(const auto newest, store_->queries().list(filter));
    const auto last = newest.empty() ? std::nullopt : newest.front().finished_at;
    if (runs_now(task, last, clock_.now())) wanted.push_back(task_job(task, jobs::Origin::startup, {}));
  }
  if (wanted.empty()) return {};
  SLUICE_TRY(const auto made, engine_->enqueue_all(wanted));
  for (std::size_t i = 0; i < made.size(); ++i)
    spdlog::info("{} runs now (job {})", wanted[i].subject, made[i].id.value());
  return {};
}

}  // namespace sluice::service
