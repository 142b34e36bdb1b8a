#include "api/router.h"

#include "api/protection.h"
#include "api/routes.h"
#include "base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace sluice::api {
namespace {

std::array<std::span<const Route>, 4> all_routes() {
  return {service_routes(), catalog_routes(), job_routes(), page_routes()};
}

// True when the Accept header takes the type: `type/sub`, `type/*` or `*/*`, none of them with q=0.
// Parameters of the type itself are ignored.
bool accepts(const Request& request, std::string_view type) {
  const std::string* accept = request.header("accept");
  if (!accept || trim(*accept).empty() || type == "*/*") return true;
  const std::string_view family = type.substr(0, type.find('/'));
  return std::ranges::any_of(split(*accept, ','), [&](std::string_view range) {
    const auto pieces = split(range, ';');
    const std::string media = to_lower(trim(pieces.front()));
    if (media != "*/*" && media != type && media != fmt::format("{}/*", family) &&
        !(media == "application/json" && type.ends_with("+json"))) {
      return false;
    }
    return std::ranges::none_of(pieces, [](std::string_view piece) {
      const std::string quality = to_lower(trim(piece));
      return quality.starts_with("q=0") && quality.find_first_not_of("0.", 2) == std::string::npos;
    });
  });
}

// Actions take no fields yet: an empty body or {}. Anything else is a caller who expects more than happens.
Result<void> check_body(const Request& request) {
  if (trim(request.body).empty()) return {};
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) return fail(ErrorCode::invalid_argument, "the body must be a JSON object, or empty");
  if (!body.empty()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("unknown field '{}': this request takes none", printable(body.begin().key())));
  }
  return {};
}

Result<void> check_query(const Request& request, const Route& route) {
  std::vector<std::string_view> known;
  for (const Parameter& parameter : route.query) known.push_back(parameter.name);
  for (auto given = request.target.query.begin(); given != request.target.query.end(); ++given) {
    const std::string& name = given->first;
    if (std::ranges::find(known, name) == known.end()) {
      const std::string_view near = name.size() > 40 ? std::string_view() : nearest(name, known);
      return fail(ErrorCode::invalid_argument,
                  fmt::format("unknown parameter '{}'{}", printable(name),
                              near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near)));
    }
    const auto same = [&](const auto& earlier) { return earlier.first == name; };
    if (name != "state" && std::any_of(request.target.query.begin(), given, same)) {
      return fail(ErrorCode::invalid_argument, fmt::format("parameter '{}' is given twice", name));
    }
  }
  return {};
}

// Lets a polling client ask "still the same?" at the cost of a few bytes. The tag need only hold while this
// process lives, so the standard hash does.
void make_conditional(const Request& request, Response& response) {
  const std::string tag = fmt::format("W/\"{:016x}\"", std::hash<std::string>()(response.body));
  response.headers.emplace_back("ETag", tag);
  const std::string* known = request.header("if-none-match");
  if (known && *known == tag) {
    response.status = 304;
    response.body.clear();
  }
}

Response method_refused(const std::string& allowed) {
  Response response =
      error_response(405, "methodNotAllowed", fmt::format("this address takes {} only", allowed));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace

std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& segments) {
  std::vector<std::string> captures;
  std::size_t used = 0;
  const std::string_view rest = pattern.substr(1);
  if (!rest.empty()) {
    for (const std::string_view part : split(rest, '/')) {
      if (part == "*") return captures;
      if (used == segments.size()) return std::nullopt;
      const std::string& segment = segments[used++];
      if (part.starts_with('{')) {
        if (segment.empty()) return std::nullopt;
        captures.push_back(segment);
      } else if (part != segment) {
        return std::nullopt;
      }
    }
  }
  if (used != segments.size()) return std::nullopt;
  return captures;
}

Router::Router(Backend backend, RouterOptions options) : backend_(backend), options_(std::move(options)) {}

Response Router::handle(const Request& request) const {
  Response response = dispatch(request);
  if (request.method != "POST" && response.status == 200 && response.content_type == "application/json") {
    make_conditional(request, response);
  }
  add_protective_headers(response);
  return response;
}

bool Router::is_at_hand(const Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") return false;
  const auto matches = [&](const Route& route) {
    return match(route.pattern, request.target.segments).has_value();
  };
  return request.target.path == "/healthz" || std::ranges::any_of(page_routes(), matches);
}

Response Router::dispatch(const Request& request) const {
  if (auto refused = check_host(request, options_.listen_host, options_.allowed_hosts))
    return *std::move(refused);
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  if (method != "GET" && method != "POST") {
    Response response = error_response(405, "methodNotAllowed", "only GET, HEAD and POST are known here");
    response.headers.emplace_back("Allow", "GET, HEAD, POST");
    return response;
  }
  std::string allowed;
  for (const auto routes : all_routes()) {
    for (const Route& route : routes) {
      auto captures = match(route.pattern, request.target.segments);
      if (!captures) continue;
      if (route.method != method) {
        allowed = route.method == "GET" ? "GET, HEAD" : "POST";
        continue;
      }
      if (method == "POST") {
        if (auto refused = check_origin(request)) return *std::move(refused);
        if (auto body = check_body(request); !body) return error_response(body.error());
      }
      if (!accepts(request, route.produces)) {
        return error_response(406, "notAcceptable",
                              fmt::format("this address answers with {}", route.produces));
      }
      const bool page = route.produces == "*/*";  // the page reads its own query, in the browser
      if (!page) {
        if (auto query = check_query(request, route); !query) return error_response(query.error());
      }
      auto response = route.handler(Call{request, backend_, options_, *std::move(captures)});
      return response ? *std::move(response) : error_response(response.error());
    }
  }
  if (!allowed.empty()) return method_refused(allowed);
  return error_response(404, "notFound",
                        fmt::format("there is nothing at {}", printable(request.target.path)));
}

}  // namespace sluice::api
