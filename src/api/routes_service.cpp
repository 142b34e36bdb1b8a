// The service as a whole: overview, events, health, metrics, descriptions for machines.
#include "api/metrics.h"
#include "api/routes.h"
#include "base/text.h"

#include <fmt/format.h>

#include <chrono>

namespace sluice::api {
namespace {

using namespace std::chrono_literals;

constexpr Parameter kOverview[] = {{"window", "Length of the throughput chart: 1h, 24h or 7d (1h)"}};
// Event sources cannot set headers, so a reconnecting proxy may carry the id here.
constexpr Parameter kEvents[] = {{"lastEventId", "Tolerated; every connection starts with a hello event"}};

Result<Response> overview(const Call& call) {
  const std::string* window = call.request.target.parameter("window");
  std::chrono::seconds length = 1h, bucket = 60s;
  if (window && *window == "24h") {
    length = 24h, bucket = 900s;
  } else if (window && *window == "7d") {
    length = 168h, bucket = 7200s;
  } else if (window && *window != "1h") {
    return fail(ErrorCode::invalid_argument,
                fmt::format("window={}: must be 1h, 24h or 7d", printable(*window)));
  }
  SLUICE_TRY(std::string document, call.backend.service.overview(length, bucket));
  return json_response(std::move(document));
}

Result<Response> events(const Call&) {
  Response response;
  response.content_type = "text/event-stream";
  response.event_stream = true;
  return response;
}

Result<Response> openapi(const Call& call) { return json_response(openapi_document(call.options.version)); }

Result<Response> loader_schema(const Call& call) {
  Response response = json_response(call.options.loader_schema);
  response.content_type = "application/schema+json";
  return response;
}

Result<Response> job_schema(const Call& call) {
  Response response = json_response(call.options.job_schema);
  response.content_type = "application/schema+json";
  return response;
}

Result<Response> metrics(const Call& call) {
  SLUICE_TRY(const MetricsSnapshot snapshot, call.backend.service.metrics());
  Response response = json_response(metrics_text(snapshot, call.options.version));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

Response plain(std::string text, int status = 200) {
  Response response = json_response(std::move(text), status);
  response.content_type = "text/plain; charset=utf-8";
  return response;
}

Result<Response> healthz(const Call&) { return plain("ok\n"); }

Result<Response> readyz(const Call& call) {
  const Result<void> ready = call.backend.service.ready();
  return ready ? plain("ready\n") : plain("not ready: " + ready.error().describe() + "\n", 503);
}

constexpr std::string_view kJson = "application/json";
constexpr Route kRoutes[] = {
    {"GET", "/api/v1/overview", kJson, "Counts, throughput, what runs, what comes next, what needs attention",
     kOverview, overview},
    {"GET", "/api/v1/events", "text/event-stream", "Says what changed, at most twice a second", kEvents,
     events},
    {"GET", "/api/v1/openapi.json", kJson, "This document", {}, openapi},
    {"GET",
     "/schema/loader.json",
     "application/schema+json",
     "JSON Schema of loader definitions, for editors",
     {},
     loader_schema},
    {"GET",
     "/schema/job.json",
     "application/schema+json",
     "JSON Schema of job definitions, for editors",
     {},
     job_schema},
    {"GET", "/metrics", "text/plain", "Figures for Prometheus", {}, metrics},
    {"GET", "/healthz", "text/plain", "The process answers", {}, healthz},
    {"GET", "/readyz", "text/plain", "Loads can run", {}, readyz},
};

}  // namespace

std::span<const Route> service_routes() { return kRoutes; }

}  // namespace sluice::api
