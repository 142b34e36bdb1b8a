#include "api/live_parts.h"
#include "base/secret.h"
#include "english_cron/schedule.h"
#include "service/loader_schedule.h"
#include "service/schedule_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace sluice::api {
namespace {

constexpr int kReceiptsShown = 30;

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

Json receipt_bar(const jobs::Job& job) {
  const auto receipt = receipt_of(job);
  Json json = {{"job", std::to_string(job.id.value())},
               {"state", std::string(jobs::to_string(job.state))},
               {"finishedAt", time_or_null(job.finished_at)},
               {"durationMs", job.duration_ms ? Json(*job.duration_ms) : Json(nullptr)}};
  for (const auto* key :
       {"read", "inserted", "updated", "deleted", "restored", "unchanged", "rejected", "notModified"}) {
    json[key] = receipt_count(receipt, key);
  }
  return json;
}

const service::FileState* file_state(const service::Definitions& definitions, const std::string& file) {
  const auto found = std::find_if(definitions.files.begin(), definitions.files.end(),
                                  [&](const auto& state) { return state.report.file == file; });
  return found == definitions.files.end() ? nullptr : &*found;
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

}  // namespace

Result<std::vector<jobs::Job>> recent_runs(service::Service& service, const std::string& loader, int limit) {
  jobs::JobFilter filter;
  filter.states = {jobs::JobState::succeeded, jobs::JobState::failed, jobs::JobState::held};
  filter.subject = loader;
  filter.kind = service::kLoadKind;
  filter.limit = limit;
  SLUICE_TRY(auto runs, service.store().queries().list(filter));
  std::reverse(runs.begin(), runs.end());
  return runs;
}

Result<Json> loader_json(service::Service& service, const service::Definitions& definitions,
                         const definition::LoaderDefinition& loader,
                         const std::optional<jobs::Recurring>& recurring) {
  const auto now = service.clock().now();
  const auto& spec = loader.spec;
  SLUICE_TRY(const auto runs, recent_runs(service, spec.name, kReceiptsShown));
  jobs::JobFilter running;
  running.states = {jobs::JobState::processing};
  running.subject = spec.name;
  running.kind = service::kLoadKind;
  running.limit = 1;
  SLUICE_TRY(const auto active, service.store().queries().list(running));

  Json json;
  json["name"] = spec.name;
  json["description"] = text_or_null(spec.description);
  json["tags"] = spec.tags;
  json["enabled"] = spec.enabled;
  json["paused"] = recurring && recurring->paused_at.has_value();
  json["schedule"] = schedule_json(loader);
  json["nextRun"] = recurring ? time_or_null(recurring->next_fire_at) : Json(nullptr);
  json["lastRun"] = runs.empty() ? Json(nullptr) : job_json(runs.back(), now);
  json["running"] = active.empty() ? Json(nullptr) : Json(std::to_string(active.front().id.value()));
  json["receipts"] = Json::array();
  for (const auto& run : runs) json["receipts"].push_back(receipt_bar(run));

  const auto* file = file_state(definitions, loader.file);
  const bool valid = file == nullptr || file->report.valid;
  json["definition"] = {{"file", loader.file},
                        {"line", spec.place.line},
                        {"hash", loader.hash},
                        {"valid", valid},
                        {"usingStored", file != nullptr && file->using_stored},
                        {"error", valid ? Json(nullptr) : Json(first_error(file->report))}};
  json["sources"] = Json::array();
  for (const auto& source : spec.sources) json["sources"].push_back(source_json(source));
  json["table"] = spec.target.table;
  json["mode"] = std::string(to_string(spec.mode));
  json["vanished"] = std::string(to_string(spec.vanished));
  json["key"] = spec.target.key;
  return json;
}

Result<std::string> LiveCatalog::loaders() {
  const auto definitions = service_.definitions();
  SLUICE_TRY(const auto recurring, recurring_loads(service_));
  Json json = Json::array();
  for (const auto& loader : definitions->catalog->loaders) {
    const auto found = recurring.find(loader.spec.name);
    const auto its = found == recurring.end() ? std::nullopt : std::optional(found->second);
    SLUICE_TRY(auto one, loader_json(service_, *definitions, loader, its));
    json.push_back(std::move(one));
  }
  return dump(json);
}

Result<std::string> LiveCatalog::loader(const std::string& name) {
  const auto definitions = service_.definitions();
  const auto* loader = definitions->catalog->find(name);
  if (loader == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
  SLUICE_TRY(const auto recurring, service_.store().recurring().get(service::recurring_id(name)));
  SLUICE_TRY(auto json, loader_json(service_, *definitions, *loader, recurring));

  json["next"] = Json::array();
  const auto schedule = english_cron::Schedule::compile(loader->schedule);
  Timestamp from = service_.clock().now();
  for (int i = 0; schedule && !loader->spec.schedule.manual && i < 5; ++i) {
    const auto next = schedule->next(from);
    if (!next) break;
    json["next"].push_back(format_utc(*next));
    from = *next;
  }
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

Result<std::string> LiveCatalog::definitions() {
  const auto definitions = service_.definitions();
  std::vector<const service::FileState*> files;
  for (const auto& file : definitions->files) files.push_back(&file);
  std::sort(files.begin(), files.end(), [](const auto* a, const auto* b) {
    return std::pair(a->report.valid, a->report.file) < std::pair(b->report.valid, b->report.file);
  });
  Json json = Json::array();
  for (const auto* file : files) {
    Json errors = Json::array();
    for (const auto& problem : file->report.problems) {
      const bool error = problem.severity == definition::Problem::Severity::error;
      errors.push_back({{"severity", error ? "error" : "warning"},
                        {"line", problem.place.line > 0 ? Json(problem.place.line) : Json(nullptr)},
                        {"column", problem.place.column > 0 ? Json(problem.place.column) : Json(nullptr)},
                        {"message", problem.message},
                        {"suggestion", text_or_null(problem.suggestion)},
                        {"excerpt", nullptr}});
    }
    json.push_back({{"file", file->report.file},
                    {"kind", std::string(definition::to_string(file->report.kind))},
                    {"name", text_or_null(file->report.name)},
                    {"valid", file->report.valid},
                    {"usingStored", file->using_stored},
                    {"hash", text_or_null(file->report.hash)},
                    {"acceptedAt", time_or_null(file->accepted_at)},
                    {"errors", std::move(errors)}});
  }
  return dump(json);
}

Result<std::string> LiveCatalog::schedule(const std::string& phrase, const std::string& zone,
                                          std::optional<Timestamp> from, int count) {
  service::ScheduleQuestion question;
  question.phrase = phrase;
  question.zone = zone.empty() ? service_.definitions()->catalog->service.timezone : zone;
  question.from = from.value_or(service_.clock().now());
  question.count = count;
  return service::answer(question).json;
}

}  // namespace sluice::api
