// Definition files with their problems, and phrases.
#include "api/live_parts.h"
#include "english_cron/translation.h"
#include "service/schedule_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::api {
namespace {

// Broken files first, then by name.
std::string place_of(const service::FileState& file) {
  return (file.report.valid ? "valid/" : "broken/") + file.report.file;
}

}  // namespace

Result<ListPage> LiveCatalog::definitions(const PageRequest& page) {
  const auto definitions = service_.definitions();
  std::vector<const service::FileState*> files;
  for (const auto& file : definitions->files) {
    if (page.after.empty() || place_of(file) > page.after) files.push_back(&file);
  }
  std::ranges::sort(files, {}, [](const auto* file) { return place_of(*file); });
  const bool more = files.size() > static_cast<std::size_t>(page.limit);
  if (more) files.resize(static_cast<std::size_t>(page.limit));
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
                        {"excerpt", text_or_null(problem.excerpt)},
                        {"caret", problem.caret > 0 ? Json(problem.caret) : Json(nullptr)}});
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
  return ListPage{dump(json), more ? place_of(*files.back()) : std::string()};
}

Result<std::string> LiveCatalog::schedule(const std::string& phrase, const std::string& zone,
                                          std::optional<Timestamp> from, int count) {
  service::ScheduleQuestion question;
  question.phrase = phrase;
  question.zone = zone.empty() ? service_.definitions()->catalog->service.timezone : zone;
  if (!english_cron::is_known_zone(question.zone))
    return fail(ErrorCode::invalid_argument, fmt::format("unknown time zone \"{}\"", question.zone));
  question.from = from.value_or(service_.clock().now());
  question.count = count;
  return service::answer(question).json;
}

}  // namespace sluice::api
