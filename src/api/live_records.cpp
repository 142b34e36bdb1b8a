// What one run left behind: its changes and rejects in the target, its log in the job store.
#include "api/change_json.h"
#include "api/live_parts.h"
#include "api/reject_json.h"
#include "history/query.h"
#include "history/run_key.h"

#include <nlohmann/json.hpp>

namespace sluice::api {
namespace {

// A read connection to the database that a job's loader writes to; null when there is none yet.
Result<std::unique_ptr<sql::Connection>> target_of(service::Service& service, const jobs::Job& job) {
  const auto definitions = service.definitions();
  const auto* loader = definitions->catalog->find(job.subject);
  if (loader == nullptr) return std::unique_ptr<sql::Connection>();
  SLUICE_TRY(const auto url, service.databases().url_for(loader->spec, definitions->catalog->service));
  return service.databases().open_for_reading(url);
}

}  // namespace

Result<ListPage> LiveJobs::job_changes(JobId id, const PageRequest& page) {
  SLUICE_TRY(const auto job, find_job(service_, id));
  SLUICE_TRY(const auto after, number_cursor(page.after));
  SLUICE_TRY(const auto connection, target_of(service_, job));
  if (!connection) return ListPage{};
  SLUICE_TRY(const auto run, history::find_run_key(*connection, service_.store().identity(), id));
  if (!run) return ListPage{};
  SLUICE_TRY(const auto changes, history::changes(*connection, *run, after, page.limit + 1));
  Json items = Json::array();
  std::string next;
  for (const auto& change : changes) {
    if (static_cast<int>(items.size()) == page.limit) {
      next = std::to_string(changes[items.size() - 1].seq);
      break;
    }
    items.push_back(change_json(change));
  }
  return ListPage{dump(items), next};
}

Result<ListPage> LiveJobs::job_rejects(JobId id, const PageRequest& page) {
  SLUICE_TRY(const auto job, find_job(service_, id));
  SLUICE_TRY(const auto after, number_cursor(page.after));
  SLUICE_TRY(const auto connection, target_of(service_, job));
  if (!connection) return ListPage{};
  SLUICE_TRY(const auto run, history::find_run_key(*connection, service_.store().identity(), id));
  if (!run) return ListPage{};
  SLUICE_TRY(
      const auto rejects,
      history::rejects(
          *connection,
          {.loader = {}, .job = *run, .open_only = false, .after_id = after, .limit = page.limit + 1}));
  Json items = Json::array();
  std::string next;
  for (const auto& reject : rejects) {
    if (static_cast<int>(items.size()) == page.limit) {
      next = std::to_string(rejects[items.size() - 1].id);
      break;
    }
    items.push_back(reject_json(reject));
  }
  return ListPage{dump(items), next};
}

Result<ListPage> LiveJobs::job_log(JobId id, const PageRequest& page) {
  SLUICE_TRY(const auto job, find_job(service_, id));
  SLUICE_TRY(const auto after, number_cursor(page.after));
  SLUICE_TRY(const auto lines, service_.store().queries().log(job.id, after, page.limit + 1));
  Json items = Json::array();
  std::string next;
  for (const auto& line : lines) {
    if (static_cast<int>(items.size()) == page.limit) {
      next = std::to_string(lines[items.size() - 1].seq);
      break;
    }
    items.push_back(log_json(line));
  }
  return ListPage{dump(items), next};
}

}  // namespace sluice::api
