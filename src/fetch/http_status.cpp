#include "fetch/http_status.h"

#include "base/text.h"
#include "fetch/retry.h"

#include <fmt/format.h>

namespace sluice::fetch {
namespace {

// Masked before it is cut: half a secret is one too.
std::string excerpt(std::string_view bytes, const SecretMask& mask) {
  const auto text = printable(trim(mask.apply(std::string(bytes))), 200);
  return text.empty() ? std::string() : fmt::format("; it says: {}", text);
}

std::string unauthorized_advice(const Url& url, const RequestBuilder& requests) {
  if (!same_origin(requests.first(), url))
    return "credentials are not sent to another host after a redirect; name the final URL in the definition";
  if (requests.has_credentials()) return "the credentials of `auth` were refused";
  return "give credentials under `auth`";
}

}  // namespace

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error status_error(const Response& response, const Url& url, const RequestBuilder& requests, Timestamp now) {
  const int status = response.status;
  const auto said =
      excerpt(response.content_encoding.empty() ? response.excerpt : std::string(), requests.mask());
  Error error{ErrorCode::invalid_argument, false, {}, {}, {}};
  if (status == 401 || status == 403) {
    error.code = ErrorCode::unauthorized;
    error.message =
        fmt::format("{} answered {}: {}{}", url.host, status, unauthorized_advice(url, requests), said);
  } else if (status == 407) {
    error.code = ErrorCode::unauthorized;
    error.message = "the proxy wants credentials; state them in http_proxy or https_proxy";
  } else if (status == 404 || status == 410) {
    error.code = ErrorCode::not_found;
    error.message = fmt::format("{} answered {}: there is nothing at this URL{}", url.host, status, said);
  } else if (status == 429) {
    error.code = ErrorCode::rate_limited;
    error.retryable = true;
    error.message = fmt::format("{} answered 429: too many requests{}", url.host, said);
  } else if (status == 408 || status == 425 || status >= 500) {
    error.code = status == 408 || status == 504 ? ErrorCode::timeout : ErrorCode::unreachable;
    error.retryable = status != 501 && status != 505;
    error.message = fmt::format("{} answered {}{}", url.host, status, said);
  } else if (status == 202) {
    error.code = ErrorCode::unreachable;
    error.retryable = true;
    error.message = fmt::format("{} answered 202: the data is not ready yet{}", url.host, said);
  } else if (status >= 400) {
    error.message = fmt::format("{} answered {}: it does not accept the request; check url and headers{}",
                                url.host, status, said);
  } else {
    error.code = ErrorCode::malformed;
    error.message = fmt::format("{} answered {} instead of data{}", url.host, status, said);
  }
  if (error.retryable) error.retry_after = parse_retry_after(response.retry_after, now);
  return error;
}

Error web_page_error(bool login, std::string_view start, bool redirected, const SecretMask& mask) {
  Error error{login ? ErrorCode::unauthorized : ErrorCode::malformed, false, {}, {}, {}};
  error.message =
      fmt::format("got a web page instead of data{}{}{}",
                  login ? ": it looks like a login page, check `auth` and the URL" : ", check the URL",
                  redirected ? " (after a redirect)" : "", excerpt(start, mask));
  return error;
}

}  // namespace sluice::fetch
