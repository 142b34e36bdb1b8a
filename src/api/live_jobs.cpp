#include "api/live_parts.h"
#include "base/text.h"
#include "jobs/who_runs.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>

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

// What the receipt can tell; whether later runs stand in the way, the undo itself finds out.
bool can_be_undone(const jobs::Job& job) {
  const auto receipt = receipt_of(job);
  if (!receipt.is_object() || receipt.value("mode", "") == "replace") return false;
  const auto wrote = [&](const char* name) { return receipt.value(name, std::int64_t{0}) > 0; };
  return wrote("inserted") || wrote("updated") || wrote("deleted") || wrote("restored");
}

std::vector<std::string> actions_for(const jobs::Job& job) {
  using jobs::JobState;
  if (job.kind == jobs::kBatchKind) {
    if (job.state == JobState::awaiting) return {"cancel"};
    return {};
  }
  switch (job.state) {
    case JobState::scheduled:
      return {"cancel", "retry"};
    case JobState::enqueued:
    case JobState::processing:
      return {"cancel"};
    case JobState::awaiting:
    case JobState::held:
      return {"cancel", "retry"};
    case JobState::failed:
    case JobState::deleted:
      return {"retry"};
    case JobState::succeeded:
      if (can_be_undone(job)) return {"undo"};
      return {};
    case JobState::skipped:
      return {};
  }
  return {};
}

// A handler is given so long to notice that its time-out is over.
constexpr std::chrono::seconds kGrace{2};

}  // namespace

Result<jobs::Job> find_job(service::Service& service, JobId id) {
  SLUICE_TRY(auto job, service.store().queries().get(id));
  if (!job) return fail(ErrorCode::not_found, fmt::format("there is no job {}", id.value()));
  return std::move(*job);
}

Result<std::int64_t> number_cursor(const std::string& after) {
  if (after.empty()) return 0;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(after.data(), after.data() + after.size(), number);
  if (code != std::errc() || end != after.data() + after.size() || number < 0) {
    return fail(ErrorCode::invalid_argument, "\"after\" is not a place in this list");
  }
  return number;
}

ListPage page_of(const Json& items, const char* key, const PageRequest& page) {
  Json shown = Json::array();
  for (const auto& item : items) {
    const auto& place = item[key].get_ref<const std::string&>();
    if (!page.after.empty() && place <= page.after) continue;
    if (static_cast<int>(shown.size()) == page.limit)
      return ListPage{dump(shown), shown.back()[key].get<std::string>()};
    shown.push_back(item);
  }
  return ListPage{dump(shown), {}};
}

jobs::JobFilter indexed(const JobFilter& filter) {
  jobs::JobFilter wanted;
  for (const auto& name : filter.states) {
    if (const auto state = jobs::parse_job_state(name)) wanted.states.push_back(*state);
  }
  wanted.subject = filter.loader;
  wanted.kind = filter.kind;
  wanted.queue = filter.queue;
  if (filter.batch) wanted.batch = *filter.batch;
  return wanted;
}

Result<ListPage> LiveJobs::jobs(const JobFilter& filter, const PageRequest& page) {
  jobs::JobFilter wanted = indexed(filter);
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
      if (matches(job, filter, lowered)) items.push_back(job_json(job, now, progress_.of(job.id)));
    }
    if (static_cast<int>(found.size()) < wanted.limit) return ListPage{dump(items), {}};
    wanted.before = found.back().id;
  }
  return ListPage{dump(items), std::to_string(wanted.before->value())};
}

Result<std::string> LiveJobs::job(JobId id) {
  SLUICE_TRY(const auto job, find_job(service_, id));
  SLUICE_TRY(const auto history, service_.store().queries().history(id));
  Json json = job_json(job, service_.clock().now(), progress_.of(id));
  json["dueAt"] = job.state == jobs::JobState::scheduled ? Json(format_utc(job.run_at)) : Json(nullptr);
  json["reason"] = text_or_null(job.reason);
  json["blockedBy"] = job.blocking_job ? Json(std::to_string(job.blocking_job.value())) : Json(nullptr);
  SLUICE_CHECK(add_relatives(json, job, service_.store()));
  SLUICE_TRY(const auto nodes, service_.store().nodes().nodes());
  json["note"] = text_or_null(jobs::nobody_runs(job, nodes));
  json["startedBy"] =
      job.started_by.empty() ? Json(std::string(jobs::to_string(job.origin))) : Json(job.started_by);
  const auto definitions = service_.definitions();
  const auto* loader = definitions->catalog->find(job.subject);
  json["timeoutMs"] = job.timeout.count() > 0 ? Json(job.timeout.count()) : Json(nullptr);
  json["overdue"] = job.state == jobs::JobState::processing && job.timeout.count() > 0 && job.started_at &&
                    service_.clock().now() > *job.started_at + job.timeout + kGrace;
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
  json["result"] = nullptr;
  if (job.kind != service::kLoadKind && job.kind != service::kPlanKind && !job.result.empty()) {
    auto result = Json::parse(job.result, nullptr, false);
    if (!result.is_discarded()) json["result"] = std::move(result);
  }
  json["plan"] = nullptr;
  if (job.kind == service::kPlanKind && !job.result.empty()) {
    auto plan = Json::parse(job.result, nullptr, false);
    if (plan.is_object()) json["plan"] = std::move(plan);
  }
  return dump(json);
}

namespace {

// A job of a definition is run by hand and after others too: its newest job, whoever asked for it.
Result<void> find_newest(jobs::Store& store, std::vector<jobs::Recurring>& all) {
  for (const auto kind : kTaskKinds) {
    jobs::RecentFilter filter;
    filter.kind = kind;
    filter.states.assign(jobs::kJobStates.begin(), jobs::kJobStates.end());
    filter.with_result = false;
    for (const auto& one : all) {
      if (one.spec.kind == kind) filter.subjects.push_back(one.spec.subject);
    }
    if (filter.subjects.empty()) continue;
    std::map<std::string, JobId, std::less<>> newest;
    SLUICE_CHECK(store.queries().recent(
        filter, [&](const jobs::RecentJob& job) { newest.emplace(job.subject, job.id); }));
    for (auto& one : all) {
      const auto found = newest.find(one.spec.subject);
      if (one.spec.kind == kind && found != newest.end()) one.last_job = found->second;
    }
  }
  return {};
}

}  // namespace

Result<ListPage> LiveJobs::recurring(const PageRequest& page) {
  SLUICE_TRY(auto all, service_.store().recurring().list(false));
  std::ranges::sort(all, {}, [](const auto& recurring) { return recurring.spec.id; });
  std::erase_if(all, [&](const auto& one) { return !page.after.empty() && one.spec.id <= page.after; });
  const bool more = all.size() > static_cast<std::size_t>(page.limit);
  if (more) all.erase(all.begin() + page.limit, all.end());
  SLUICE_CHECK(find_newest(service_.store(), all));
  std::vector<JobId> ids;
  for (const auto& recurring : all) {
    if (recurring.last_job) ids.push_back(recurring.last_job);
  }
  SLUICE_TRY(const auto jobs, service_.store().queries().get_all(ids));
  std::map<JobId, jobs::JobState> states;
  for (const auto& job : jobs) states.emplace(job.id, job.state);

  const auto definitions = service_.definitions();
  Json items = Json::array();
  for (const auto& recurring : all) {
    const auto* loader = definitions->catalog->find(recurring.spec.subject);
    const auto* task = definitions->catalog->find_task(recurring.spec.subject);
    const auto state = states.find(recurring.last_job);
    Json last = nullptr;
    if (state != states.end()) {
      last = {{"id", std::to_string(state->first.value())},
              {"state", std::string(jobs::to_string(state->second))}};
    }
    items.push_back({{"id", recurring.spec.id},
                     {"kind", recurring.spec.kind},
                     {"loader", loader != nullptr ? Json(recurring.spec.subject) : Json(nullptr)},
                     {"name", recurring.spec.name.empty() ? recurring.spec.subject : recurring.spec.name},
                     {"schedule", loader != nullptr ? schedule_json(*loader)
                                  : task != nullptr ? schedule_json(*task)
                                                    : Json(nullptr)},
                     {"paused", recurring.paused_at.has_value()},
                     {"pausedBy", text_or_null(recurring.paused_by)},
                     {"pauseReason", text_or_null(recurring.pause_reason)},
                     {"failures", recurring.failures},
                     {"nextRun", time_or_null(recurring.next_fire_at)},
                     {"lastFireAt", time_or_null(recurring.last_fire_at)},
                     {"lastJob", std::move(last)},
                     {"overlap", std::string(jobs::to_string(recurring.spec.overlap))},
                     {"missed", std::string(jobs::to_string(recurring.spec.missed))},
                     {"error", text_or_null(recurring.error)}});
  }
  return ListPage{dump(items), more ? all.back().spec.id : std::string()};
}

Result<std::optional<Timestamp>> oldest_enqueued(jobs::Store& store) {
  SLUICE_TRY(const auto first,
             store.queries().list({.states = {jobs::JobState::enqueued}, .oldest_first = true, .limit = 1}));
  return first.empty() ? std::nullopt : std::optional(first.front().created_at);
}

Result<ListPage> LiveJobs::nodes(const PageRequest& page) {
  SLUICE_TRY(auto nodes, service_.store().nodes().nodes());
  std::ranges::sort(nodes, {}, &jobs::Node::id);
  Json json = Json::array();
  for (const auto& node : nodes)
    json.push_back(node_json(node, service_.engine().node_id(), service_.clock().now()));
  return page_of(json, "id", page);
}

}  // namespace sluice::api
