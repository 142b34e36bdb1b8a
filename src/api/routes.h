// The table of routes. One row is the whole truth about a route: the router matches by it, unknown query
// parameters are refused by it, and /api/v1/openapi.json is printed from it.
#pragma once

#include "api/backend.h"
#include "api/request.h"
#include "api/router.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::api {

// What a handler gets: the request, and the path's captures in order.
struct Call {
  const Request& request;
  const Backend& backend;
  const RouterOptions& options;
  std::vector<std::string> captures;

  std::string actor() const { return "api " + request.peer; }
};

struct Parameter {
  std::string_view name;
  std::string_view description;
};

using Handler = Result<Response> (*)(const Call&);

struct Route {
  std::string_view method;    // GET or POST
  std::string_view pattern;   // "/api/v1/jobs/{id}"; a last "*" matches any rest, also none
  std::string_view produces;  // content type, held against Accept
  std::string_view summary;   // for openapi; empty = not described there
  std::span<const Parameter> query;
  Handler handler;
};

std::span<const Route> job_routes();      // routes_jobs.cpp
std::span<const Route> catalog_routes();  // routes_catalog.cpp
std::span<const Route> service_routes();  // routes_service.cpp
std::span<const Route> page_routes();     // routes_page.cpp

// The captures when the path matches the pattern.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& segments);

std::string openapi_document(std::string_view version);

}  // namespace sluice::api
