#include "api/live_parts.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::api {
namespace {

Result<std::string> loader_after(service::Service& service, const std::string& name) {
  const auto definitions = service.definitions();
  const auto* loader = definitions->catalog->find(name);
  // A job has no page of its own: its schedule is what was changed.
  if (const auto* task = definitions->catalog->find_task(name)) {
    SLUICE_TRY(const auto recurring, service.store().recurring().get(service::task_recurring_id(name)));
    return dump(Json{{"name", name},
                     {"kind", std::string(kind_of(task->spec))},
                     {"paused", recurring && recurring->paused_at.has_value()},
                     {"schedule", schedule_json(*task)}});
  }
  if (loader == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
  SLUICE_TRY(auto texts, loader_texts(service, *definitions, std::span(&loader, 1)));
  return std::move(texts.front());
}

// The schedule of the loader or job.
Result<std::string> schedule_id(service::Service& service, const std::string& name) {
  if (const auto found = service.definitions()->catalog->find_runnable(name))
    return service::recurring_id(found);
  return fail(ErrorCode::not_found, fmt::format("there is no loader or job \"{}\"", name));
}

Result<std::string> job_after(service::Service& service, JobId id) {
  SLUICE_TRY(const auto job, service.store().queries().get(id));
  if (!job) return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
  return dump(job_json(*job, service.clock().now()));
}

jobs::StateRequest request(jobs::JobState to, const JobAsk& ask, std::string reason) {
  return {.to = to,
          .run_at = ask.at,
          .expected = jobs::parse_job_state(ask.expected),
          .reason = std::move(reason)};
}

std::string job_answer(JobId id) { return dump(Json{{"job", std::to_string(id.value())}}); }

}  // namespace

Result<std::string> LiveActions::run_loader(const std::string& name, const std::string& actor) {
  SLUICE_TRY(const auto id, service_.run(name, jobs::Origin::api, actor));
  return job_answer(id);
}

Result<std::string> LiveActions::plan_loader(const std::string& name, const std::string& actor) {
  SLUICE_TRY(const auto id, service_.plan_loader(name, jobs::Origin::api, actor));
  return job_answer(id);
}

Result<std::string> LiveActions::pause_loader(const std::string& name, const std::string& actor) {
  SLUICE_TRY(const auto id, schedule_id(service_, name));
  SLUICE_CHECK(service_.engine().pause_recurring(id, actor, "paused on the page"));
  return loader_after(service_, name);
}

Result<std::string> LiveActions::resume_loader(const std::string& name, const std::string& /*actor*/) {
  SLUICE_TRY(const auto id, schedule_id(service_, name));
  SLUICE_CHECK(service_.engine().resume_recurring(id));
  return loader_after(service_, name);
}

Result<std::string> LiveActions::cancel_job(JobId id, const JobAsk& ask) {
  const std::string reason = "cancelled by " + ask.actor;
  SLUICE_TRY(const auto job, find_job(service_, id));
  if (job.kind == jobs::kBatchKind) {
    SLUICE_TRY(const int cancelled, service_.engine().cancel_batch(id, reason));
    static_cast<void>(cancelled);
    return job_after(service_, id);
  }
  if (!ask.expected.empty()) {
    SLUICE_CHECK(service_.engine().change(id, request(jobs::JobState::deleted, ask, reason)));
    return job_after(service_, id);
  }
  SLUICE_TRY(const auto outcome, service_.engine().cancel(id, reason));
  if (outcome == jobs::Cancelled::too_late) {
    return fail(ErrorCode::conflict, fmt::format("job {} has ended already", id.value()));
  }
  return job_after(service_, id);
}

Result<std::string> LiveActions::retry_job(JobId id, const JobAsk& ask) {
  SLUICE_CHECK(
      service_.engine().change(id, request(jobs::JobState::enqueued, ask, "run again by " + ask.actor)));
  return job_after(service_, id);
}

Result<std::string> LiveActions::reschedule_job(JobId id, const JobAsk& ask) {
  SLUICE_CHECK(
      service_.engine().change(id, request(jobs::JobState::scheduled, ask, "put off by " + ask.actor)));
  return job_after(service_, id);
}

Result<std::string> LiveActions::retry_jobs(const JobFilter& filter, const PageRequest& page,
                                            const std::string& actor) {
  jobs::JobFilter wanted = indexed(filter);
  SLUICE_TRY(const auto after, number_cursor(page.after));
  if (after > 0) wanted.before = JobId(after);
  wanted.limit = page.limit;
  SLUICE_TRY(const auto done, service_.engine().change_all(
                                  wanted, request(jobs::JobState::enqueued, {}, "run again by " + actor)));
  return dump(Json{{"changed", done.changed},
                   {"refused", done.refused},
                   {"next", done.next ? Json(std::to_string(done.next->value())) : Json(nullptr)}});
}

Result<std::string> LiveActions::undo_job(JobId id, const std::string& actor) {
  SLUICE_TRY(const auto undo, service_.undo_job(id, false, jobs::Origin::api, actor));
  return job_answer(undo);
}

Result<std::string> LiveActions::approve_job(JobId, const std::string&) {
  return fail(ErrorCode::unsupported, "approving held runs is not available yet");
}

}  // namespace sluice::api
