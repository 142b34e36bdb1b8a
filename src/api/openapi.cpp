// OpenAPI 3.1, printed from the route tables, so that it cannot fall behind them.
#include "api/routes.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

namespace sluice::api {
namespace {

using Json = nlohmann::ordered_json;

Json parameters_of(const Route& route) {
  Json parameters = Json::array();
  for (const std::string_view part : split(route.pattern, '/')) {
    if (!part.starts_with('{')) continue;
    parameters.push_back({{"name", part.substr(1, part.size() - 2)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
  for (const Parameter& parameter : route.query) {
    parameters.push_back({{"name", parameter.name},
                          {"in", "query"},
                          {"description", parameter.description},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

Json operation_of(const Route& route) {
  const bool json = route.produces == "application/json";
  Json content;
  content[std::string(route.produces)] = {{"schema", {{"type", json ? "object" : "string"}}}};
  Json operation = {{"summary", route.summary}, {"parameters", parameters_of(route)}};
  if (route.method == "POST") {
    operation["requestBody"] = {{"required", false},
                                {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
  }
  operation["responses"]["2XX"] = {{"description", "Done"}, {"content", content}};
  operation["responses"]["default"] = {{"$ref", "#/components/responses/Error"}};
  return operation;
}

}  // namespace

std::string openapi_document(std::string_view version) {
  Json document = {{"openapi", "3.1.0"},
                   {"info",
                    {{"title", "Sluice"},
                     {"version", version},
                     {"description",
                      "Loaders, jobs and runs. Lists are {items, next}; ids are strings; a request "
                      "that changes something needs Content-Type: application/json."}}}};
  for (const auto routes : {service_routes(), catalog_routes(), job_routes()}) {
    for (const Route& route : routes) {
      document["paths"][std::string(route.pattern)][to_lower(route.method)] = operation_of(route);
    }
  }
  const Json text = {{"type", "string"}};
  document["components"]["responses"]["Error"] = {
      {"description", "What went wrong and what to do"},
      {"content",
       {{"application/json",
         {{"schema",
           {{"type", "object"},
            {"required", Json::array({"error"})},
            {"properties",
             {{"error",
               {{"type", "object"},
                {"required", Json::array({"code", "message"})},
                {"properties", {{"code", text}, {"message", text}}}}}}}}}}}}}};
  return document.dump(2);
}

}  // namespace sluice::api
