// The dashboard: one page for /jobs and everything below it, and its hashed files.
#include "api/inflate.h"
#include "api/routes.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::api {
namespace {

bool takes_gzip(const Request& request) {
  const std::string* accepted = request.header("accept-encoding");
  if (!accepted) return false;
  for (const std::string_view part : split(*accepted, ',')) {
    const auto pieces = split(part, ';');
    const std::string coding = to_lower(trim(pieces.front()));
    if (coding != "gzip" && coding != "*") continue;
    const std::string quality = pieces.size() > 1 ? to_lower(trim(pieces[1])) : std::string();
    return quality != "q=0" && quality != "q=0.0" && quality != "q=0.00" && quality != "q=0.000";
  }
  return false;
}

Result<Response> asset_response(const Call& call, std::string_view name, std::string_view cache) {
  const auto found = std::ranges::find(call.options.assets, name, &Asset::name);
  if (found == call.options.assets.end()) return fail(ErrorCode::not_found, "there is no such page file");
  Response response;
  response.content_type = std::string(found->content_type);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("Cache-Control", std::string(cache));
  if (!found->gzip) {
    response.body = std::string(found->bytes);
    return response;
  }
  if (takes_gzip(call.request)) {
    response.body = std::string(found->bytes);
    response.headers.emplace_back("Content-Encoding", "gzip");
    return response;
  }
  SLUICE_TRY(response.body, inflate_gzip(found->bytes));
  return response;
}

Result<Response> to_page(const Call&) {
  Response response;
  response.status = 307;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "The page is at /jobs\n";
  response.headers.emplace_back("Location", "/jobs");
  return response;
}

Result<Response> page(const Call& call) { return asset_response(call, "index.html", "no-cache"); }

Result<Response> asset(const Call& call) {
  return asset_response(call, call.captures[0], "public, max-age=31536000, immutable");
}

Result<Response> favicon(const Call& call) {
  return asset_response(call, "favicon.svg", "public, max-age=86400");
}

constexpr std::string_view kAny = "*/*";
constexpr Route kRoutes[] = {
    {"GET", "/", kAny, "", {}, to_page},
    {"GET", "/jobs/*", kAny, "", {}, page},
    {"GET", "/assets/{name}", kAny, "", {}, asset},
    {"GET", "/favicon.ico", kAny, "", {}, favicon},
};

}  // namespace

std::span<const Route> page_routes() { return kRoutes; }

}  // namespace sluice::api
