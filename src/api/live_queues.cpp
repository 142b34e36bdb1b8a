// Queues: what waits and runs in them, and who paused them.
#include "api/live_parts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::api {
namespace {

Result<Json> queues_json(service::Service& service) {
  SLUICE_TRY(auto queues, service.store().queues().list());
  SLUICE_TRY(const auto counts, service.store().queries().counts());
  SLUICE_TRY(const auto nodes, service.store().nodes().nodes());
  int workers = 0;
  for (const auto& node : nodes) workers += node.expired ? 0 : node.workers;
  // Most jobs are of the one queue: what the others do not hold is its own.
  std::int64_t others = 0;
  bool exact = true;  // as long as no other queue is counted up to the limit only
  for (const auto& queue : queues) {
    if (queue.name == "default") continue;
    others += queue.waiting;
    exact = exact && queue.waiting < jobs::kMostCounted;
  }
  const auto all = counts[static_cast<std::size_t>(jobs::JobState::enqueued)];
  Json json = Json::array();
  for (const auto& queue : queues) {
    const auto waiting = queue.name == "default" && queue.waiting >= jobs::kMostCounted && exact
                             ? std::max(queue.waiting, all - others)
                             : queue.waiting;
    json.push_back({{"name", queue.name},
                    {"enqueued", waiting},
                    {"enqueuedAtLeast", waiting == jobs::kMostCounted},
                    {"scheduled", queue.scheduled},
                    {"processing", queue.running},
                    {"oldestEnqueuedAt", time_or_null(queue.oldest_waiting)},
                    {"paused", queue.paused_at.has_value()},
                    {"pausedAt", time_or_null(queue.paused_at)},
                    {"pausedBy", text_or_null(queue.paused_by)},
                    {"pauseReason", text_or_null(queue.pause_reason)},
                    {"maxRunning", queue.max_running ? Json(*queue.max_running) : Json(nullptr)},
                    {"workers", workers}});
  }
  return json;
}

Result<std::string> queue_after(service::Service& service, const std::string& name) {
  SLUICE_TRY(const Json all, queues_json(service));
  for (const Json& queue : all) {
    if (queue.at("name") == name) return dump(queue);
  }
  return fail(ErrorCode::not_found, fmt::format("there is no queue \"{}\"", name));
}

}  // namespace

Result<ListPage> LiveJobs::queues(const PageRequest& page) {
  SLUICE_TRY(const Json json, queues_json(service_));
  return page_of(json, "name", page);
}

Result<std::string> LiveQueueActions::pause_queue(const std::string& name, const std::string& actor) {
  SLUICE_CHECK(service_.engine().pause_queue(name, actor, "paused on the page"));
  return queue_after(service_, name);
}

Result<std::string> LiveQueueActions::resume_queue(const std::string& name, const std::string& /*actor*/) {
  SLUICE_CHECK(service_.engine().resume_queue(name));
  return queue_after(service_, name);
}

}  // namespace sluice::api
