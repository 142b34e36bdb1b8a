#include "base/secret.h"
#include "base/text.h"
#include "fetch/address_policy.h"
#include "fetch/http_request.h"
#include "fetch/http_status.h"
#include "task/kinds.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::task {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostRedirects = 10;
constexpr int kMostLines = 1000;

bool stated(const SourceSpec& source, std::string_view header) {
  return std::any_of(source.headers.begin(), source.headers.end(),
                     [&](const auto& one) { return iequals(one.first, header); });
}

bool expected(const HttpTask& http, int status) {
  if (http.expect.empty()) return status >= 200 && status <= 299;
  return std::find(http.expect.begin(), http.expect.end(), status) != http.expect.end();
}

class Sender {
 public:
  Sender(const HttpTask& http, SourceSpec source, const Environment& environment, const Log& log)
      : http_(http), source_(std::move(source)), environment_(environment), log_(log) {}

  Outcome run(const std::stop_token& stop) {
    Outcome outcome;
    auto done = send(stop);
    if (!done) outcome.error = std::move(done).error();
    if (outcome.error) outcome.error->message = mask_.apply(std::move(outcome.error->message));
    Json result = {{"status", status_ == 0 ? Json(nullptr) : Json(status_)},
                   {"method", http_.method},
                   {"url", mask_.apply(mask_url(source_.url))},
                   {"bytes", bytes_},
                   {"requests", requests_}};
    outcome.result = result.dump(-1, ' ', false, Json::error_handler_t::replace);
    return outcome;
  }

 private:
  Result<void> send(const std::stop_token& stop) {
    SLUICE_TRY(const auto requests, fetch::RequestBuilder::create(source_, environment_.user_agent));
    mask_.add(requests.mask());
    const auto what = fmt::format("{} {}", http_.method, mask_.apply(mask_url(requests.first().text)));
    auto answered = follow(requests, stop);
    if (!answered) return fail_within(what, std::move(answered).error());
    const auto& [response, url] = *answered;
    show_body(response);
    if (expected(http_, response.status)) return {};
    Error error = fetch::status_error(response, url, requests, environment_.clock.now());
    if (response.status < 400) {
      error.code = ErrorCode::malformed;
      error.message =
          fmt::format("{} answered {}, and expected is {}", url.host, response.status,
                      http_.expect.empty() ? "200 to 299" : fmt::format("{}", fmt::join(http_.expect, ", ")));
    }
    return fail_within(what, std::move(error));
  }

  // The request, and the redirects that follow from one that only reads.
  Result<std::pair<fetch::Response, fetch::Url>> follow(const fetch::RequestBuilder& requests,
                                                        const std::stop_token& stop) {
    const bool reads = http_.method == "GET" || http_.method == "HEAD";
    fetch::Transfer transfer(environment_.policy, {}, environment_.connections);
    fetch::Url url = requests.first();
    for (int redirects = 0;; ++redirects) {
      SLUICE_CHECK(fetch::check_host(url.host, environment_.policy));
      auto request = requests.build(url, redirects > 0, nullptr);
      request.method = http_.method;
      request.body = http_.body;
      request.total_timeout = source_.timeouts.total;
      request.headers.emplace_back("Expect:");  // or libcurl asks first whether a large body is wanted
      if (http_.body && !stated(source_, "Content-Type")) request.headers.emplace_back("Content-Type:");
      ++requests_;
      SLUICE_TRY(auto response, transfer.send(request, stop));
      status_ = response.status;
      bytes_ += static_cast<std::int64_t>(response.received);
      log_(Level::info, mask_.apply(fmt::format("{} {}: {}, {} bytes", http_.method, mask_url(url.text),
                                                response.status, response.received)));
      if (!fetch::is_redirect(response.status) || expected(http_, response.status) ||
          response.location.empty())
        return std::pair(std::move(response), std::move(url));
      SLUICE_TRY(auto next, fetch::resolve_url(url, response.location));
      if (!reads)
        return fail(ErrorCode::malformed,
                    fmt::format("{} answered {}: the address is {} now; a {} is not sent anew, so name it in "
                                "the definition",
                                url.host, response.status, printable(mask_url(next.text)), http_.method));
      if (redirects == kMostRedirects)
        return fail(ErrorCode::malformed, fmt::format("redirected more than {} times", kMostRedirects));
      url = std::move(next);
    }
  }

  void show_body(const fetch::Response& response) const {
    if (!response.content_encoding.empty() && !iequals(response.content_encoding, "identity")) return;
    const auto text = mask_.apply(response.excerpt);
    int lines = 0;
    for (const auto line : split(text, '\n')) {
      if (trim(line).empty()) continue;
      if (++lines > kMostLines) break;
      log_(Level::info, printable(line, line.size() + 1));
    }
    if (response.received > response.excerpt.size() || lines > kMostLines)
      log_(Level::info, "… the answer is longer");
  }

  const HttpTask& http_;
  const SourceSpec source_;
  const Environment& environment_;
  const Log& log_;
  fetch::SecretMask mask_;
  int status_ = 0;
  int requests_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace

Outcome run_http(const HttpTask& http, const Environment& environment, const Log& log, std::stop_token stop) {
  auto source = http.request;
  // What is shown of the answer is shown as it came.
  if (!stated(source, "Accept-Encoding")) source.headers.emplace_back("Accept-Encoding", "identity");
  return Sender(http, std::move(source), environment, log).run(stop);
}

}  // namespace sluice::task
