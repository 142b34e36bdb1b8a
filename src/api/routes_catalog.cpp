// Loaders, definitions and schedules.
#include "api/query.h"
#include "api/routes.h"

namespace sluice::api {
namespace {

constexpr Parameter kLoaders[] = {
    {"limit", "Items per page, 1 to 500 (50)"},
    {"after", "Where the page before ended; taken from its \"next\""},
    {"text", "Part of the name, the table, the description or a tag, any case"},
    {"state", "running, failing, paused, off or broken"},
};
constexpr Parameter kPaging[] = {
    {"limit", "Items per page, 1 to 500 (50)"},
    {"after", "Where the page before ended; taken from its \"next\""},
};
constexpr Parameter kSchedule[] = {
    {"phrase", "An English phrase or a cron expression; required"},
    {"zone", "IANA time zone (the service's)"},
    {"from", "Times after this one (now)"},
    {"count", "How many next times, 1 to 100 (5)"},
};

using Action = Result<std::string> (Actions::*)(const std::string&, const std::string&);

Result<Response> loaders(const Call& call) {
  SLUICE_TRY(const LoaderFilter filter, parse_loader_filter(call.request.target));
  SLUICE_TRY(const PageRequest page, parse_page(call.request.target));
  SLUICE_TRY(const ListPage items, call.backend.catalog.loaders(filter, page));
  return json_response(list_document(items, call.request.target));
}

Result<Response> loader(const Call& call) {
  SLUICE_TRY(std::string document, call.backend.catalog.loader(call.captures[0]));
  return json_response(std::move(document));
}

template <Action action, int status>
Result<Response> act_on_loader(const Call& call) {
  SLUICE_TRY(std::string answer, (call.backend.actions.*action)(call.captures[0], call.actor()));
  return json_response(std::move(answer), status);
}

Result<Response> definitions(const Call& call) {
  SLUICE_TRY(const PageRequest page, parse_page(call.request.target));
  SLUICE_TRY(const ListPage items, call.backend.catalog.definitions(page));
  return json_response(list_document(items, call.request.target));
}

Result<Response> schedule(const Call& call) {
  const Target& target = call.request.target;
  const std::string* phrase = target.parameter("phrase");
  if (!phrase)
    return fail(ErrorCode::invalid_argument, "phrase: give a phrase, such as ?phrase=every+2+minutes");
  if (phrase->size() > 1000) return fail(ErrorCode::too_large, "phrase: longer than 1,000 bytes");
  const std::string* zone = target.parameter("zone");
  SLUICE_TRY(const auto from, parse_time_parameter(target, "from"));
  SLUICE_TRY(const int count, parse_count(target, "count", 5, 1, 100));
  SLUICE_TRY(std::string document,
             call.backend.catalog.schedule(*phrase, zone ? *zone : std::string(), from, count));
  return json_response(std::move(document));
}

constexpr std::string_view kJson = "application/json";
constexpr Route kRoutes[] = {
    {"GET", "/api/v1/loaders", kJson, "Loaders, by name", kLoaders, loaders},
    {"GET", "/api/v1/loaders/{name}", kJson, "One loader", {}, loader},
    {"POST",
     "/api/v1/loaders/{name}/run",
     kJson,
     "Run a loader now",
     {},
     act_on_loader<&Actions::run_loader, 202>},
    {"POST",
     "/api/v1/loaders/{name}/plan",
     kJson,
     "Fetch and compare, write nothing",
     {},
     act_on_loader<&Actions::plan_loader, 202>},
    {"POST",
     "/api/v1/loaders/{name}/pause",
     kJson,
     "Stop following a loader's schedule",
     {},
     act_on_loader<&Actions::pause_loader, 200>},
    {"POST",
     "/api/v1/loaders/{name}/resume",
     kJson,
     "Follow a loader's schedule again",
     {},
     act_on_loader<&Actions::resume_loader, 200>},
    {"GET", "/api/v1/definitions", kJson, "Definition files and their errors", kPaging, definitions},
    {"GET", "/api/v1/schedule", kJson, "What a phrase means and when it fires next", kSchedule, schedule},
};

}  // namespace

std::span<const Route> catalog_routes() { return kRoutes; }

}  // namespace sluice::api
