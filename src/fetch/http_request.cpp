#include "fetch/http_request.h"

#include "base/text.h"
#include "fetch/content_decoder.h"
#include "fetch/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace sluice::fetch {
namespace {

constexpr std::array<std::string_view, 3> kHarmlessHeaders = {"Accept", "Accept-Language", "User-Agent"};

bool is_harmless(std::string_view name) {
  return std::any_of(kHarmlessHeaders.begin(), kHarmlessHeaders.end(),
                     [&](std::string_view known) { return iequals(known, name); });
}

// RFC 9110, 5.1 and 5.5: a line break in either would let a value write further headers.
Result<void> check_header(std::string_view name, std::string_view value) {
  const bool name_ok = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
  if (!name_ok)
    return fail(ErrorCode::invalid_definition,
                fmt::format("\"{}\" is not a header name", printable(name, 60)));
  const bool value_ok =
      std::none_of(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  if (!value_ok)
    return fail(ErrorCode::invalid_definition,
                fmt::format("the value of header {} holds a line break; if it comes from a file or the "
                            "environment, take the last line end away",
                            name));
  return {};
}

// RFC 7617, 2.
Result<void> check_basic(std::string_view user, std::string_view password) {
  if (user.find(':') != std::string_view::npos)
    return fail(ErrorCode::invalid_definition,
                "a user with a colon cannot be sent: the password would begin there");
  for (const auto part : {user, password})
    for (const char c : part)
      if (c == '\r' || c == '\n' || c == '\0')
        return fail(
            ErrorCode::invalid_definition,
            "user or password hold a line break or a NUL byte; if they come from a file or the environment, "
            "take the last line end away");
  return {};
}

// Passwords of proxies, which libcurl reads from the environment, and repeats when it cannot use them.
void add_proxy_secrets(SecretMask& mask) {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    if (value == nullptr) continue;
    std::string_view proxy = value;
    const auto at = proxy.rfind('@');
    if (at == std::string_view::npos) continue;
    proxy = proxy.substr(0, at);
    if (const auto scheme = proxy.find("://"); scheme != std::string_view::npos)
      proxy.remove_prefix(scheme + 3);
    mask.add(proxy);
    if (const auto colon = proxy.find(':'); colon != std::string_view::npos)
      mask.add(proxy.substr(colon + 1));
  }
}

// libcurl takes "Name:" for "leave it out" and "Name;" for an empty value.
std::string header_line(std::string_view name, std::string_view value) {
  return value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value);
}

}  // namespace

Result<RequestBuilder> RequestBuilder::create(const SourceSpec& source, std::string user_agent) {
  RequestBuilder builder(source);
  builder.user_agent_ = std::move(user_agent);
  SLUICE_TRY(builder.first_, parse_url(source.url));
  for (const auto& [name, value] : source.headers) SLUICE_CHECK(check_header(name, value));
  const AuthSpec& auth = source.auth;
  if (auth.kind == AuthSpec::Kind::bearer) SLUICE_CHECK(check_header("Authorization", auth.token.reveal()));
  if (auth.kind == AuthSpec::Kind::api_key && !auth.in_query)
    SLUICE_CHECK(check_header(auth.name, auth.key.reveal()));
  if (auth.kind == AuthSpec::Kind::basic) {
    builder.user_ = auth.user;
    builder.password_ = auth.password.reveal();
  } else if (auth.kind == AuthSpec::Kind::none) {
    builder.user_ = builder.first_.user;
    builder.password_ = builder.first_.password;
  }
  SLUICE_CHECK(check_basic(builder.user_, builder.password_));
  builder.collect_secrets();
  return builder;
}

void RequestBuilder::collect_secrets() {
  const AuthSpec& auth = source_->auth;
  BodyHash client;
  const auto add = [&](std::string_view name, std::string_view value) {
    client.update(fmt::format("{}:{}:{}{};", name.size(), value.size(), name, value));
  };
  if (!user_.empty() || !password_.empty()) {
    add(user_, password_);
    mask_.add(password_);
    mask_.add(user_ + ":" + password_);
    has_credentials_ = true;
  }
  mask_.add(first_.password);
  for (const auto& secret : source_->url_secrets) mask_.add(secret.reveal());
  for (const Secret* secret : {&auth.token, &auth.key}) {
    if (secret->empty()) continue;
    add(auth.name, secret->reveal());
    mask_.add(secret->reveal());
    has_credentials_ = true;
  }
  for (const auto& [name, value] : source_->headers) {
    add(name, value);
    if (!is_harmless(name) && !iequals(name, "Accept-Encoding")) mask_.add(value);
  }
  // Short values are page numbers and dates rather than keys; masking them would blur every message.
  for (const auto& value : query_values(first_.text))
    if (value.size() >= 12) mask_.add(value);
  add_proxy_secrets(mask_);
  client_ = client.low64();
}

bool RequestBuilder::states_header(std::string_view name) const {
  return std::any_of(source_->headers.begin(), source_->headers.end(),
                     [&](const auto& header) { return iequals(header.first, name); });
}

Request RequestBuilder::build(const Url& url, bool redirected, const Validators* conditional) const {
  const AuthSpec& auth = source_->auth;
  const bool trusted = same_origin(first_, url);
  Request request;
  request.url = url;
  request.address = url.text;
  request.connect_timeout = source_->timeouts.connect;
  request.idle_timeout = source_->timeouts.idle;
  for (const auto& [name, value] : source_->headers)
    if (trusted || is_harmless(name)) request.headers.push_back(header_line(name, value));
  if (!states_header("User-Agent") && !user_agent_.empty())
    request.headers.push_back("User-Agent: " + user_agent_);
  if (!trusted || !states_header("Accept-Encoding"))
    request.headers.push_back(fmt::format("Accept-Encoding: {}", kAcceptEncoding));
  if (trusted) {
    request.user = user_;
    request.password = password_;
    if (auth.kind == AuthSpec::Kind::bearer)
      request.headers.push_back("Authorization: Bearer " + auth.token.reveal());
    if (auth.kind == AuthSpec::Kind::api_key && !auth.in_query)
      request.headers.push_back(header_line(auth.name, auth.key.reveal()));
    // A redirect's Location is complete: whoever wants the key there has put it in.
    if (auth.kind == AuthSpec::Kind::api_key && auth.in_query && !redirected)
      request.address = with_query(request.address, auth.name, auth.key.reveal());
  }
  if (conditional && !conditional->etag.empty())
    request.headers.push_back("If-None-Match: " + conditional->etag);
  else if (conditional && !conditional->last_modified.empty())
    request.headers.push_back("If-Modified-Since: " + conditional->last_modified);
  return request;
}

std::string RequestBuilder::location(const Url& url) const {
  BodyHash hash;
  hash.update(url.text);
  const std::uint64_t client = same_origin(first_, url) ? client_ : 0;
  return fmt::format("{}#{:016x}{:04x}", mask_.apply(mask_url(url.text)), hash.low64(), client & 0xffff);
}

SecretMask mask_of(const SourceSpec& source) {
  if (source.kind != SourceSpec::Kind::http) return {};
  const auto requests = RequestBuilder::create(source, {});
  return requests ? requests->mask() : SecretMask();
}

}  // namespace sluice::fetch
