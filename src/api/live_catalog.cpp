#include "api/live_parts.h"
#include "api/receipt_counts.h"
#include "base/secret.h"
#include "base/text.h"
#include "service/loader_schedule.h"
#include "service/schedule_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace sluice::api {
namespace {

constexpr int kReceiptsShown = 30;
constexpr int kNextShown = 5;

struct Schedule {
  bool paused = false;
  std::optional<Timestamp> next;
};

Result<std::map<std::string, Schedule>> schedules(service::Service& service) {
  SLUICE_TRY(const auto all, service.store().recurring().list(false));
  std::map<std::string, Schedule> result;
  for (const auto& recurring : all) {
    if (recurring.spec.kind == service::kLoadKind)
      result.emplace(recurring.spec.subject,
                     Schedule{recurring.paused_at.has_value(), recurring.next_fire_at});
  }
  return result;
}

Json source_json(const SourceSpec& source) {
  const bool http = source.kind == SourceSpec::Kind::http;
  return {{"name", text_or_null(source.name)},
          {"kind", http ? "http" : "file"},
          {"location", http ? shown_url(source) : source.file.string()},
          {"format", std::string(to_string(source.decode.format))}};
}

// Written as text: a page has up to 15,000 of them.
std::string receipt_bar(const jobs::RecentJob& job) {
  const auto counts = receipt_counts(job.result);
  return fmt::format(
      R"({{"job":"{}","state":"{}","finishedAt":{},"durationMs":{},"read":{},"inserted":{},"updated":{},)"
      R"("deleted":{},"restored":{},"unchanged":{},"rejected":{},"notModified":{}}})",
      job.id.value(), jobs::to_string(job.state),
      job.finished_at ? fmt::format("\"{}\"", format_utc(*job.finished_at)) : "null",
      job.duration_ms ? std::to_string(*job.duration_ms) : "null", counts.read, counts.inserted,
      counts.updated, counts.deleted, counts.restored, counts.unchanged, counts.rejected,
      counts.not_modified);
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
// One object with the keys of two; neither is empty.
std::string joined(std::string first, std::string_view second) {
  first.back() = ',';
  first += second.substr(1);
  return first;
}

struct Runs {
  JobId newest;
  std::vector<std::string> bars;  // newest first
};
struct Known {
  std::map<std::string, Schedule> schedules;
  std::map<std::string, std::string> running;  // loader -> job id
  std::map<std::string, Runs> runs;
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
  SLUICE_TRY(known.schedules, schedules(service));
  SLUICE_TRY(known.running, running_loads(service));
  std::vector<std::string> names;
  for (const auto* loader : loaders) names.push_back(loader->spec.name);
  SLUICE_CHECK(each_recent_run(service, std::move(names), kReceiptsShown, true, [&](const auto& run) {
    auto& runs = known.runs[run.subject];
    if (!runs.newest) runs.newest = run.id;
    runs.bars.push_back(receipt_bar(run));
  }));
  std::vector<JobId> newest;
  for (const auto& [name, runs] : known.runs) newest.push_back(runs.newest);
  SLUICE_TRY(auto last, service.store().queries().get_all(newest));
  for (auto& job : last) known.last.emplace(job.id, std::move(job));
  return known;
}

std::string loader_text(const Known& known,
                        const std::map<std::string_view, const service::FileState*>& files,
                        const definition::LoaderDefinition& loader, Timestamp now) {
  const auto& spec = loader.spec;
  const auto schedule = known.schedules.find(spec.name);
  const auto running = known.running.find(spec.name);
  const auto runs = known.runs.find(spec.name);
  const auto file = files.find(loader.file);
  const bool valid = file == files.end() || file->second->report.valid;
  Json json;
  json["name"] = spec.name;
  json["description"] = text_or_null(spec.description);
  json["tags"] = spec.tags;
  json["enabled"] = spec.enabled;
  json["paused"] = schedule != known.schedules.end() && schedule->second.paused;
  json["schedule"] = schedule_json(loader);
  json["nextRun"] = schedule == known.schedules.end() ? Json(nullptr) : time_or_null(schedule->second.next);
  json["lastRun"] = nullptr;
  json["running"] = running == known.running.end() ? Json(nullptr) : Json(running->second);
  if (runs != known.runs.end()) {
    const auto last = known.last.find(runs->second.newest);
    if (last != known.last.end()) json["lastRun"] = job_json(last->second, now);
  }
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
  std::string bars;
  if (runs != known.runs.end()) {
    for (auto bar = runs->second.bars.rbegin(); bar != runs->second.bars.rend(); ++bar) {
      if (!bars.empty()) bars += ',';
      bars += *bar;
    }
  }
  return joined(dump(json), fmt::format(R"({{"receipts":[{}]}})", bars));
}

// Rows of the loader's table as of its last run; null when it has not run.
Result<Json> rows_of(service::Service& service, const std::string& loader) {
  Json rows;
  SLUICE_CHECK(each_recent_run(service, {loader}, 1, true, [&](const auto& run) {
    const auto receipt = Json::parse(run.result, nullptr, false);
    if (receipt.is_object() && receipt.contains("rowsAfter")) rows = receipt["rowsAfter"];
  }));
  return rows;
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
    SLUICE_TRY(const auto all, schedules(service));
    for (const auto& [name, schedule] : all) {
      if (schedule.paused) wanted.insert(name);
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

Result<void> each_recent_run(service::Service& service, std::vector<std::string> loaders, int how_many,
                             bool with_result, const jobs::JobQueries::OnRecent& visit) {
  return service.store().queries().recent(
      {.kind = std::string(service::kLoadKind),
       .subjects = std::move(loaders),
       .states = {jobs::JobState::succeeded, jobs::JobState::failed, jobs::JobState::held},
       .per_subject = how_many,
       .with_result = with_result},
      visit);
}

Result<std::map<std::string, JobId>> failing_loaders(service::Service& service,
                                                     const service::Definitions& definitions) {
  std::vector<std::string> names;
  for (const auto& loader : definitions.catalog->loaders) names.push_back(loader.spec.name);
  std::map<std::string, JobId> failing;
  SLUICE_CHECK(each_recent_run(service, std::move(names), 1, false, [&](const auto& run) {
    if (run.state == jobs::JobState::failed) failing.emplace(run.subject, run.id);
  }));
  return failing;
}

Result<std::vector<std::string>> loader_texts(service::Service& service,
                                              const service::Definitions& definitions,
                                              std::span<const definition::LoaderDefinition* const> loaders) {
  SLUICE_TRY(const auto known, known_of(service, loaders));
  std::map<std::string_view, const service::FileState*> files;
  for (const auto& file : definitions.files) files.emplace(file.report.file, &file);
  const auto now = service.clock().now();
  std::vector<std::string> texts;
  for (const auto* loader : loaders) texts.push_back(loader_text(known, files, *loader, now));
  return texts;
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
  SLUICE_TRY(const auto items, loader_texts(service_, *definitions, chosen));
  return ListPage{fmt::format("[{}]", fmt::join(items, ",")),
                  more ? chosen.back()->spec.name : std::string()};
}

Result<std::string> LiveCatalog::loader(const std::string& name) {
  const auto definitions = service_.definitions();
  const auto* loader = definitions->catalog->find(name);
  if (loader == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
  SLUICE_TRY(auto texts, loader_texts(service_, *definitions, std::span(&loader, 1)));
  Json json;

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
  SLUICE_TRY(json["rows"], rows_of(service_, name));
  json["retry"] = {{"limit", loader->spec.schedule.retry.limit},
                   {"delayMs", loader->spec.schedule.retry.delay.count()}};
  return joined(std::move(texts.front()), dump(json));
}

}  // namespace sluice::api
