#include "api/live_parts.h"
#include "base/text.h"
#include "history/query.h"
#include "history/run_key.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace sluice::api {
namespace {

constexpr int kScanPage = 200;
// A filter that the store has no index for looks at this many jobs at the most; the page then offers to go
// on.
constexpr int kScanLimit = 5000;

bool contains_text(const jobs::Job& job, const std::string& lowered) {
  if (lowered.empty()) return true;
  const auto has = [&](const std::string& text) { return to_lower(text).find(lowered) != std::string::npos; };
  return has(job.name) || has(job.subject) || has(job.kind) || (job.error && has(job.error->message));
}

bool matches(const jobs::Job& job, const JobFilter& filter, const std::string& lowered) {
  if (!filter.node.empty() && job.node != filter.node) return false;
  if (filter.retrying && (job.state != jobs::JobState::scheduled || job.attempt == 0)) return false;
  if (filter.from && job.created_at < *filter.from) return false;
  if (filter.to && job.created_at >= *filter.to) return false;
  return contains_text(job, lowered);
}

std::vector<std::string> actions_for(const jobs::Job& job) {
  using jobs::JobState;
  switch (job.state) {
    case JobState::scheduled:
    case JobState::enqueued:
    case JobState::awaiting:
      return {"cancel", "retry"};
    case JobState::processing:
      return {"cancel"};
    case JobState::held:
      return {"cancel", "retry"};
    case JobState::failed:
    case JobState::deleted:
      return {"retry"};
    case JobState::succeeded:
    case JobState::skipped:
      return {};
  }
  return {};
}

Result<jobs::Job> find_job(service::Service& service, JobId id) {
  SLUICE_TRY(auto job, service.store().queries().get(id));
  if (!job) return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
  return std::move(*job);
}

// A read connection to the database that a job's loader writes to; null when there is none yet.
Result<std::unique_ptr<sql::Connection>> target_of(service::Service& service, const jobs::Job& job) {
  const auto definitions = service.definitions();
  const auto* loader = definitions->catalog->find(job.subject);
  if (loader == nullptr) return std::unique_ptr<sql::Connection>();
  SLUICE_TRY(const auto url, service.databases().url_for(loader->spec, definitions->catalog->service));
  return service.databases().open_for_reading(url);
}

}  // namespace

Result<std::int64_t> number_cursor(const std::string& after) {
  if (after.empty()) return 0;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(after.data(), after.data() + after.size(), number);
  if (code != std::errc() || end != after.data() + after.size() || number < 0) {
    return fail(ErrorCode::invalid_argument, "\"after\" is not a place in this list");
  }
  return number;
}

Result<ListPage> LiveJobs::jobs(const JobFilter& filter, const PageRequest& page) {
  jobs::JobFilter wanted;
  for (const auto& name : filter.states) {
    if (const auto state = jobs::parse_job_state(name)) wanted.states.push_back(*state);
  }
  wanted.subject = filter.loader;
  wanted.kind = filter.kind;
  wanted.queue = filter.queue;
  if (filter.retrying && wanted.states.empty()) wanted.states = {jobs::JobState::scheduled};
  SLUICE_TRY(const auto after, number_cursor(page.after));
  if (after > 0) wanted.before = JobId(after);
  const auto lowered = to_lower(filter.text);
  const bool scans =
      !filter.node.empty() || filter.retrying || filter.from || filter.to || !filter.text.empty();
  wanted.limit = scans ? kScanPage : page.limit + 1;

  Json items = Json::array();
  std::string next;
  const auto now = service_.clock().now();
  for (int scanned = 0; scanned < kScanLimit;) {
    SLUICE_TRY(const auto found, service_.store().queries().list(wanted));
    for (const auto& job : found) {
      ++scanned;
      if (static_cast<int>(items.size()) == page.limit) {
        next = items.back()["id"].get<std::string>();
        return ListPage{dump(items), next};
      }
      if (matches(job, filter, lowered)) items.push_back(job_json(job, now));
    }
    if (static_cast<int>(found.size()) < wanted.limit) return ListPage{dump(items), {}};
    wanted.before = found.back().id;
  }
  return ListPage{dump(items), std::to_string(wanted.before->value())};
}

Result<std::string> LiveJobs::job(JobId id) {
  SLUICE_TRY(const auto job, find_job(service_, id));
  SLUICE_TRY(const auto history, service_.store().queries().history(id));
  Json json = job_json(job, service_.clock().now());
  json["dueAt"] = job.state == jobs::JobState::scheduled ? Json(format_utc(job.run_at)) : Json(nullptr);
  json["reason"] = text_or_null(job.reason);
  json["blockedBy"] = job.blocking_job ? Json(std::to_string(job.blocking_job.value())) : Json(nullptr);
  json["parent"] = nullptr;
  json["startedBy"] =
      job.started_by.empty() ? Json(std::string(jobs::to_string(job.origin))) : Json(job.started_by);
  const auto definitions = service_.definitions();
  const auto* loader = definitions->catalog->find(job.subject);
  json["definitionHash"] = nullptr;
  if (json["receipt"].is_object() && json["receipt"].contains("catalogHash")) {
    json["definitionHash"] = json["receipt"]["catalogHash"];
  }
  json["table"] = loader != nullptr ? Json(loader->spec.target.table) : Json(nullptr);
  json["states"] = Json::array();
  for (const auto& change : history) {
    const bool failed_attempt = change.state == jobs::JobState::failed ||
                                (change.state == jobs::JobState::scheduled && change.attempt > 0);
    json["states"].push_back(
        {{"state", std::string(jobs::to_string(change.state))},
         {"at", format_utc(change.at)},
         {"attempt", change.attempt},
         {"node", text_or_null(change.node)},
         {"reason", text_or_null(change.reason)},
         {"error", failed_attempt && &change == &history.back() ? json["error"] : Json(nullptr)}});
  }
  json["actions"] = actions_for(job);
  json["plan"] = nullptr;
  if (job.kind == service::kPlanKind && !job.result.empty()) {
    auto plan = Json::parse(job.result, nullptr, false);
    if (plan.is_object()) json["plan"] = std::move(plan);
  }
  return dump(json);
}

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
    const auto key = Json::parse(change.key.empty() ? "{}" : change.key, nullptr, false);
    auto columns = Json::parse(change.cells.empty() ? "[]" : change.cells, nullptr, false);
    Json key_list = Json::array();
    if (key.is_object()) {
      for (const auto& [name, value] : key.items()) key_list.push_back({{"name", name}, {"value", value}});
    }
    Json column_list = Json::array();
    if (columns.is_array()) {
      for (const auto& cell : columns) {
        column_list.push_back({{"name", cell.value("name", "")},
                               {"before", cell.contains("before") ? cell["before"] : Json(nullptr)},
                               {"after", cell.contains("after") ? cell["after"] : Json(nullptr)}});
      }
    } else if (columns.is_object() && columns.contains("rows")) {
      column_list.push_back({{"name", "rows"}, {"before", nullptr}, {"after", columns["rows"]}});
    }
    items.push_back({{"op", change.op}, {"key", std::move(key_list)}, {"columns", std::move(column_list)}});
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
    items.push_back({{"ordinal", reject.id},
                     {"source", text_or_null(reject.source)},
                     {"line", nullptr},
                     {"locator", text_or_null(reject.locator)},
                     {"column", text_or_null(reject.column)},
                     {"code", reject.code},
                     {"message", reject.message},
                     {"count", reject.count},
                     {"raw", text_or_null(reject.raw)}});
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
    const auto level = line.level == jobs::LogLevel::warning ? std::string("warn")
                                                             : std::string(jobs::to_string(line.level));
    items.push_back(
        {{"at", format_utc(line.at)}, {"level", level}, {"attempt", line.attempt}, {"message", line.text}});
  }
  return ListPage{dump(items), next};
}

Result<ListPage> LiveJobs::recurring(const PageRequest& page) {
  SLUICE_TRY(auto all, service_.store().recurring().list(false));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.spec.id < b.spec.id; });
  const auto definitions = service_.definitions();
  Json items = Json::array();
  std::string next;
  for (const auto& recurring : all) {
    if (!page.after.empty() && recurring.spec.id <= page.after) continue;
    if (static_cast<int>(items.size()) == page.limit) {
      next = items.back()["id"].get<std::string>();
      break;
    }
    const auto* loader = definitions->catalog->find(recurring.spec.subject);
    Json last = nullptr;
    if (recurring.last_job) {
      SLUICE_TRY(const auto job, service_.store().queries().get(recurring.last_job));
      if (job)
        last = {{"id", std::to_string(job->id.value())}, {"state", std::string(jobs::to_string(job->state))}};
    }
    items.push_back({{"id", recurring.spec.id},
                     {"kind", recurring.spec.kind},
                     {"loader", loader != nullptr ? Json(recurring.spec.subject) : Json(nullptr)},
                     {"schedule", loader != nullptr ? schedule_json(*loader) : Json(nullptr)},
                     {"paused", recurring.paused_at.has_value()},
                     {"nextRun", time_or_null(recurring.next_fire_at)},
                     {"lastFireAt", time_or_null(recurring.last_fire_at)},
                     {"lastJob", std::move(last)},
                     {"overlap", std::string(jobs::to_string(recurring.spec.overlap))},
                     {"missed", std::string(jobs::to_string(recurring.spec.missed))},
                     {"error", text_or_null(recurring.error)}});
  }
  return ListPage{dump(items), next};
}

Result<std::string> LiveJobs::queues() {
  SLUICE_TRY(const auto counts, service_.store().queries().counts());
  SLUICE_TRY(const auto nodes, service_.store().nodes().nodes());
  SLUICE_TRY(const auto waiting,
             service_.store().queries().list({.states = {jobs::JobState::enqueued}, .limit = 1000}));
  const auto count = [&](jobs::JobState state) { return counts[static_cast<std::size_t>(state)]; };
  int workers = 0;
  for (const auto& node : nodes) workers += node.workers;
  std::optional<Timestamp> oldest;
  for (const auto& job : waiting) oldest = oldest ? std::min(*oldest, job.created_at) : job.created_at;
  Json json = Json::array();
  json.push_back({{"name", "default"},
                  {"enqueued", count(jobs::JobState::enqueued)},
                  {"scheduled", count(jobs::JobState::scheduled)},
                  {"processing", count(jobs::JobState::processing)},
                  {"oldestEnqueuedAt", time_or_null(oldest)},
                  {"paused", false},
                  {"workers", workers}});
  return dump(json);
}

Result<std::string> LiveJobs::nodes() {
  SLUICE_TRY(const auto nodes, service_.store().nodes().nodes());
  Json json = Json::array();
  for (const auto& node : nodes)
    json.push_back(node_json(node, service_.engine().node_id(), service_.clock().now()));
  return dump(json);
}

}  // namespace sluice::api
