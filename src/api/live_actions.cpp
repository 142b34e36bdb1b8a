#include "api/live_parts.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::api {
namespace {

Result<std::string> loader_after(service::Service& service, const std::string& name) {
  const auto definitions = service.definitions();
  const auto* loader = definitions->catalog->find(name);
  if (loader == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
  SLUICE_TRY(auto texts, loader_texts(service, *definitions, std::span(&loader, 1)));
  return std::move(texts.front());
}

Result<void> check_loader(service::Service& service, const std::string& name) {
  if (service.definitions()->catalog->find(name) != nullptr) return {};
  return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
}

Result<std::string> job_after(service::Service& service, JobId id) {
  SLUICE_TRY(const auto job, service.store().queries().get(id));
  if (!job) return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
  return dump(job_json(*job, service.clock().now()));
}

std::string job_answer(JobId id) { return dump(Json{{"job", std::to_string(id.value())}}); }

}  // namespace

Result<std::string> LiveActions::run_loader(const std::string& name, const std::string& actor) {
  SLUICE_TRY(const auto id, service_.run_loader(name, jobs::Origin::api, actor));
  return job_answer(id);
}

Result<std::string> LiveActions::plan_loader(const std::string& name, const std::string& actor) {
  SLUICE_TRY(const auto id, service_.plan_loader(name, jobs::Origin::api, actor));
  return job_answer(id);
}

Result<std::string> LiveActions::pause_loader(const std::string& name, const std::string& actor) {
  SLUICE_CHECK(check_loader(service_, name));
  SLUICE_CHECK(service_.engine().pause_recurring(service::recurring_id(name), actor, "paused on the page"));
  return loader_after(service_, name);
}

Result<std::string> LiveActions::resume_loader(const std::string& name, const std::string& /*actor*/) {
  SLUICE_CHECK(check_loader(service_, name));
  SLUICE_CHECK(service_.engine().resume_recurring(service::recurring_id(name)));
  return loader_after(service_, name);
}

Result<std::string> LiveActions::cancel_job(JobId id, const std::string& actor) {
  SLUICE_TRY(const auto outcome, service_.engine().cancel(id, "cancelled by " + actor));
  if (outcome == jobs::Cancelled::too_late) {
    return fail(ErrorCode::conflict, fmt::format("job {} has ended already", id.value()));
  }
  return job_after(service_, id);
}

Result<std::string> LiveActions::retry_job(JobId id, const std::string& actor) {
  SLUICE_CHECK(service_.engine().requeue(id, "run again by " + actor));
  return job_after(service_, id);
}

Result<std::string> LiveActions::undo_job(JobId, const std::string&) {
  return fail(ErrorCode::unsupported, "undo is not available yet");
}

Result<std::string> LiveActions::approve_job(JobId, const std::string&) {
  return fail(ErrorCode::unsupported, "approving held runs is not available yet");
}

}  // namespace sluice::api
