#include "api/protection.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::api {
namespace {

// Only literals and "localhost": a name that resolves to loopback today may not tomorrow.
bool is_loopback(std::string_view name) {
  if (name == "localhost" || name == "::1") return true;
  if (!name.starts_with("127.")) return false;
  const auto parts = split(name, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part.size() <= 3 &&
                  std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
         });
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_brackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) return host.substr(1, host.size() - 2);
  return host;
}

std::string authority_of(const Request& request) {
  if (!request.target.authority.empty()) return request.target.authority;
  const std::string* host = request.header("host");
  return host ? *host : std::string();
}

}  // namespace

Result<void> check_listen_address(std::string_view host) {
  if (is_loopback(to_lower(without_brackets(host)))) return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("cannot listen on {}: there are no accounts, so anyone who reaches it could run and stop "
                  "loaders. Listen on 127.0.0.1 (the default) and reach the page from elsewhere through "
                  "`ssh -L 8080:127.0.0.1:8080 HOST` or a proxy on this machine that asks who it is",
                  printable(host)));
}

std::string host_name_of(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
    return to_lower(text.substr(1, end - 1));
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return {};
  if (name.empty() || name.find_first_of(" \t/@\\?#") != std::string_view::npos) return {};
  return to_lower(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
}

std::optional<Response> check_host(const Request& request, std::string_view listen_host,
                                   const std::vector<std::string>& allowed_hosts) {
  if (request.header_count("host") > 1) {
    return error_response(400, "invalidArgument", "the request has more than one Host");
  }
  const std::string name = host_name_of(authority_of(request));
  if (name.empty()) return error_response(400, "invalidArgument", "the request has no valid Host");
  if (is_loopback(name) || name == to_lower(without_brackets(listen_host))) return std::nullopt;
  if (std::ranges::any_of(allowed_hosts,
                          [&](const std::string& allowed) { return host_name_of(allowed) == name; })) {
    return std::nullopt;
  }
  return error_response(
      421, "misdirected",
      fmt::format("this service does not answer for the host '{}'; a name it may have goes into allowedHosts",
                  printable(name)));
}

std::optional<Response> check_origin(const Request& request) {
  const std::string* type = request.header("content-type");
  const std::string media = type ? to_lower(trim(split(*type, ';').front())) : std::string();
  if (media != "application/json") {
    return error_response(415, "unsupportedMediaType",
                          "a changing request needs Content-Type: application/json");
  }
  constexpr std::string_view kForeign =
      "a request that changes something must come from this service's own page";
  if (const std::string* site = request.header("sec-fetch-site")) {
    if (*site == "same-origin" || *site == "none") return std::nullopt;
    return error_response(403, "forbidden", kForeign);
  }
  const std::string* origin = request.header("origin");
  if (!origin) return std::nullopt;
  const std::string authority = to_lower(authority_of(request));
  const std::string given = to_lower(*origin);
  if (given == "http://" + authority || given == "https://" + authority) return std::nullopt;
  return error_response(403, "forbidden", kForeign);
}

void add_protective_headers(Response& response) {
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
                                "data:; font-src 'self'; connect-src "
                                "'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
                                "require-trusted-types-for 'script'");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Referrer-Policy", "same-origin");
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.emplace_back("Permissions-Policy",
                                "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  if (!response.header("Cache-Control")) response.headers.emplace_back("Cache-Control", "no-store");
}

}  // namespace sluice::api
