#include "api/live_parts.h"
#include "api/receipt_counts.h"
#include "base/secret.h"
#include "base/text.h"
#include "service/loader_schedule.h"
#include "service/schedule_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace sluice::api {
namespace {

constexpr int kReceiptsShown = 30;
constexpr int kNextShown = 5;

using RecurringBySubject = std::map<std::string, jobs::Recurring>;

Result<RecurringBySubject> recurring_loads(service::Service& service) {
  SLUICE_TRY(auto all, service.store().recurring().list(false));
  RecurringBySubject result;
  for (auto& recurring : all) {
    if (recurring.spec.kind == service::kLoadKind)
      result.emplace(recurring.spec.subject, std::move(recurring));
  }
  return result;
}

Json source_json(const SourceSpec& source) {
  const bool http = source.kind == SourceSpec::Kind::http;
  return {{"name", text_or_null(source.name)},
          {"kind", http ? "http" : "file"},
          {"location", http ? mask_url(source.url) : source.file.string()},
          {"format", std::string(to_string(source.decode.format))}};
}

Json receipt_bar(const jobs::RecentJob& job) {
  const auto counts = receipt_counts(job.result);
  return {{"job", std::to_string(job.id.value())},
          {"state", std::string(jobs::to_string(job.state))},
          {"finishedAt", time_or_null(job.finished_at)},
          {"durationMs", job.duration_ms ? Json(*job.duration_ms) : Json(nullptr)},
          {"read", counts.read},
          {"inserted", counts.inserted},
          {"updated", counts.updated},
          {"deleted", counts.deleted},
          {"restored", counts.restored},
          {"unchanged", counts.unchanged},
          {"rejected", counts.rejected},
          {"notModified", counts.not_modified}};
}

std::string first_error(const definition::FileReport& report) {
  for (const auto& problem : report.problems) {
    if (problem.severity == definition::Problem::Severity::error) return definition::render(problem);
  }
  return {};
}

std::string guard_text(const std::optional<Limit>& limit) { return limit ? to_string(*limit) : "off"; }

Json guards_json(const LoaderSpec& loader) {
  const auto minimum = loader.guards.minimum_expected_records.value_or(
      loader.mode == LoadMode::sync || loader.mode == LoadMode::replace ? 1 : 0);
  return Json::array({{{"name", "minimumExpectedRecords"}, {"limit", std::to_string(minimum)}},
                      {{"name", "maxDeletes"}, {"limit", guard_text(loader.guards.max_deletes)}},
                      {{"name", "maxShrink"}, {"limit", guard_text(loader.guards.max_shrink)}},
                      {{"name", "maxRejects"}, {"limit", guard_text(loader.guards.max_rejects)}}});
}

// What the job store knows of some loaders, gathered in a fixed number of queries.
struct Known {
  RecurringBySubject recurring;
  std::map<std::string, std::string> running;                // loader -> job id
  std::map<std::string, std::vector<jobs::RecentJob>> runs;  // oldest first
  std::map<JobId, jobs::Job> last;
};

Result<std::map<std::string, std::string>> running_loads(service::Service& service) {
  // There are no more of them than workers.
  SLUICE_TRY(const auto jobs, service.store().queries().list({.states = {jobs::JobState::processing},
                                                              .kind = std::string(service::kLoadKind),
                                                              .limit = 1000}));
  std::map<std::string, std::string> running;
  for (const auto& job : jobs) running.emplace(job.subject, std::to_string(job.id.value()));
  return running;
}

Result<Known> known_of(service::Service& service,
                       std::span<const definition::LoaderDefinition* const> loaders) {
  Known known;
  if (loaders.empty()) return known;
  SLUICE_TRY(known.recurring, recurring_loads(service));
  SLUICE_TRY(known.running, running_loads(service));
  std::vector<std::string> names;
  for (const auto* loader : loaders) names.push_back(loader->spec.name);
  SLUICE_TRY(auto runs, recent_runs(service, std::move(names), kReceiptsShown, true));
  for (auto& run : runs) known.runs[run.subject].push_back(std::move(run));
  std::vector<JobId> newest;
  for (auto& [name, list] : known.runs) {
    newest.push_back(list.front().id);
    std::ranges::reverse(list);
  }
  SLUICE_TRY(auto last, service.store().queries().get_all(newest));
  for (auto& job : last) known.last.emplace(job.id, std::move(job));
  return known;
}

Json loader_json(const Known& known, const std::map<std::string_view, const service::FileState*>& files,
                 const definition::LoaderDefinition& loader, Timestamp now) {
  const auto& spec = loader.spec;
  const auto recurring = known.recurring.find(spec.name);
  const auto running = known.running.find(spec.name);
  const auto runs = known.runs.find(spec.name);
  Json json;
  json["name"] = spec.name;
  json["description"] = text_or_null(spec.description);
  json["tags"] = spec.tags;
  json["enabled"] = spec.enabled;
  json["paused"] = recurring != known.recurring.end() && recurring->second.paused_at.has_value();
  json["schedule"] = schedule_json(loader);
  json["nextRun"] =
      recurring == known.recurring.end() ? Json(nullptr) : time_or_null(recurring->second.next_fire_at);
  json["lastRun"] = nullptr;
  json["running"] = running == known.running.end() ? Json(nullptr) : Json(running->second);
  json["receipts"] = Json::array();
  if (runs != known.runs.end()) {
    for (const auto& run : runs->second) json["receipts"].push_back(receipt_bar(run));
    const auto last = known.last.find(runs->second.back().id);
    if (last != known.last.end()) json["lastRun"] = job_json(last->second, now);
  }

  const auto file = files.find(loader.file);
  const bool valid = file == files.end() || file->second->report.valid;
  json["definition"] = {{"file", loader.file},
                        {"line", spec.place.line},
                        {"hash", loader.hash},
                        {"valid", valid},
                        {"usingStored", file != files.end() && file->second->using_stored},
                        {"error", valid ? Json(nullptr) : Json(first_error(file->second->report))}};
  json["sources"] = Json::array();
  for (const auto& source : spec.sources) json["sources"].push_back(source_json(source));
  json["table"] = spec.target.table;
  json["mode"] = std::string(to_string(spec.mode));
  json["vanished"] = std::string(to_string(spec.vanished));
  json["key"] = spec.target.key;
  return json;
}

bool has_text(const LoaderSpec& loader, const std::string& lowered) {
  const auto has = [&](const std::string& text) { return to_lower(text).find(lowered) != std::string::npos; };
  return has(loader.name) || has(loader.target.table) || has(loader.description) ||
         std::ranges::any_of(loader.tags, has);
}

using Loaders = std::vector<const definition::LoaderDefinition*>;

// Those in the state asked for; each state is one query at the most.
Result<void> keep_state(service::Service& service, const service::Definitions& definitions,
                        const std::string& state, Loaders& loaders) {
  std::set<std::string> wanted;
  if (state == "running") {
    SLUICE_TRY(const auto running, running_loads(service));
    for (const auto& [name, job] : running) wanted.insert(name);
  } else if (state == "failing") {
    SLUICE_TRY(const auto failing, failing_loaders(service, definitions));
    for (const auto& [name, job] : failing) wanted.insert(name);
  } else if (state == "paused") {
    SLUICE_TRY(const auto recurring, recurring_loads(service));
    for (const auto& [name, one] : recurring) {
      if (one.paused_at) wanted.insert(name);
    }
  } else if (state == "off") {
    for (const auto* loader : loaders) {
      if (!loader->spec.enabled) wanted.insert(loader->spec.name);
    }
  } else {
    std::set<std::string_view> broken;
    for (const auto& file : definitions.files) {
      if (!file.report.valid) broken.insert(file.report.file);
    }
    for (const auto* loader : loaders) {
      if (broken.contains(loader->file)) wanted.insert(loader->spec.name);
    }
  }
  std::erase_if(loaders, [&](const auto* loader) { return !wanted.contains(loader->spec.name); });
  return {};
}

}  // namespace

Result<std::vector<jobs::RecentJob>> recent_runs(service::Service& service, std::vector<std::string> loaders,
                                                 int how_many, bool with_result) {
  return service.store().queries().recent(
      {.kind = std::string(service::kLoadKind),
       .subjects = std::move(loaders),
       .states = {jobs::JobState::succeeded, jobs::JobState::failed, jobs::JobState::held},
       .per_subject = how_many,
       .with_result = with_result});
}

Result<std::map<std::string, JobId>> failing_loaders(service::Service& service,
                                                     const service::Definitions& definitions) {
  std::vector<std::string> names;
  for (const auto& loader : definitions.catalog->loaders) names.push_back(loader.spec.name);
  SLUICE_TRY(const auto newest, recent_runs(service, std::move(names), 1, false));
  std::map<std::string, JobId> failing;
  for (const auto& run : newest) {
    if (run.state == jobs::JobState::failed) failing.emplace(run.subject, run.id);
  }
  return failing;
}

Result<Json> loaders_json(service::Service& service, const service::Definitions& definitions,
                          std::span<const definition::LoaderDefinition* const> loaders) {
  SLUICE_TRY(const auto known, known_of(service, loaders));
  std::map<std::string_view, const service::FileState*> files;
  for (const auto& file : definitions.files) files.emplace(file.report.file, &file);
  const auto now = service.clock().now();
  Json json = Json::array();
  for (const auto* loader : loaders) json.push_back(loader_json(known, files, *loader, now));
  return json;
}

Result<ListPage> LiveCatalog::loaders(const LoaderFilter& filter, const PageRequest& page) {
  const auto definitions = service_.definitions();
  const auto lowered = to_lower(filter.text);
  Loaders chosen;  // by name, as the catalog is
  for (const auto& loader : definitions->catalog->loaders) {
    if (!page.after.empty() && loader.spec.name <= page.after) continue;
    if (lowered.empty() || has_text(loader.spec, lowered)) chosen.push_back(&loader);
  }
  if (!filter.state.empty()) SLUICE_CHECK(keep_state(service_, *definitions, filter.state, chosen));
  const bool more = chosen.size() > static_cast<std::size_t>(page.limit);
  if (more) chosen.resize(static_cast<std::size_t>(page.limit));
  SLUICE_TRY(const auto items, loaders_json(service_, *definitions, chosen));
  return ListPage{dump(items), more ? chosen.back()->spec.name : std::string()};
}

Result<std::string> LiveCatalog::loader(const std::string& name) {
  const auto definitions = service_.definitions();
  const auto* loader = definitions->catalog->find(name);
  if (loader == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
  SLUICE_TRY(auto one, loaders_json(service_, *definitions, std::span(&loader, 1)));
  Json json = std::move(one.front());

  json["next"] = Json::array();
  for (const auto time : service::next_times(*loader, service_.clock().now(), kNextShown))
    json["next"].push_back(format_utc(time));
  json["guards"] = guards_json(loader->spec);
  json["columns"] = Json::array();
  for (const auto& column : loader->spec.target.columns) {
    const auto& key = loader->spec.target.key;
    json["columns"].push_back(
        {{"name", column.name},
         {"type", column.type ? Json(std::string(to_string(*column.type))) : Json(nullptr)},
         {"from", text_or_null(column.from)},
         {"key", std::find(key.begin(), key.end(), column.name) != key.end()},
         {"required", column.required}});
  }
  const auto receipt = json["lastRun"].is_object() ? json["lastRun"]["receipt"] : Json(nullptr);
  json["rows"] = receipt.is_object() && receipt.contains("rowsAfter") ? receipt["rowsAfter"] : Json(nullptr);
  json["retry"] = {{"limit", loader->spec.schedule.retry.limit},
                   {"delayMs", loader->spec.schedule.retry.delay.count()}};
  return dump(json);
}

}  // namespace sluice::api
