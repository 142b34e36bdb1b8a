// Batches, and the relatives of a job.
#include "api/live_parts.h"

#include <nlohmann/json.hpp>

namespace sluice::api {
namespace {

constexpr int kMostChildren = 100;

Json id_or_null(JobId id) { return id ? Json(std::to_string(id.value())) : Json(nullptr); }

}  // namespace

Json batch_json(const jobs::Batch& batch) {
  return {{"id", std::to_string(batch.id.value())},
          {"name", batch.name},
          {"state", std::string(jobs::to_string(batch.state))},
          {"startedBy", text_or_null(batch.started_by)},
          {"createdAt", format_utc(batch.created_at)},
          {"finishedAt", time_or_null(batch.finished_at)},
          {"batch", id_or_null(batch.batch)},
          {"total", batch.total},
          {"pending", batch.pending()},
          {"succeeded", batch.succeeded},
          {"failed", batch.failed},
          {"deleted", batch.deleted}};
}

Result<void> add_relatives(Json& json, const jobs::Job& job, jobs::Store& store) {
  json["parent"] = id_or_null(job.parent);
  json["follows"] = job.parent ? Json(std::string(jobs::to_string(job.follows))) : Json(nullptr);
  json["children"] = Json::array();
  SLUICE_TRY(const auto children, store.flow().children(job.id, {}, kMostChildren));
  for (const jobs::Job& child : children) {
    json["children"].push_back({{"id", std::to_string(child.id.value())},
                                {"name", child.name},
                                {"state", std::string(jobs::to_string(child.state))}});
  }
  json["batch"] = id_or_null(job.batch);
  json["members"] = nullptr;
  if (job.kind == jobs::kBatchKind) {
    SLUICE_TRY(const auto batch, store.flow().batch(job.id));
    if (batch) json["members"] = batch_json(*batch);
  }
  return {};
}

Result<ListPage> LiveJobs::batches(const PageRequest& page) {
  SLUICE_TRY(const auto after, number_cursor(page.after));
  SLUICE_TRY(const auto found, service_.store().flow().batches(
                                   after > 0 ? std::optional(JobId(after)) : std::nullopt, page.limit + 1));
  Json items = Json::array();
  for (const jobs::Batch& batch : found) {
    if (static_cast<int>(items.size()) == page.limit)
      return ListPage{dump(items), items.back()["id"].get<std::string>()};
    items.push_back(batch_json(batch));
  }
  return ListPage{dump(items), {}};
}

}  // namespace sluice::api
