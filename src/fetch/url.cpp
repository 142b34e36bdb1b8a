#include "fetch/url.h"

#include "base/secret.h"
#include "base/text.h"
#include "fetch/secret_mask.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <locale.h>

#include <memory>

namespace sluice::fetch {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, FreeUrl>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string result(text);
  curl_free(text);
  return result;
}

// libcurl takes the bytes of a host name to be in the character set of the thread's locale: UTF-8 here,
// whatever the process was started with.
class Utf8Locale {
 public:
  Utf8Locale() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
  }
  ~Utf8Locale() {
    if (utf8_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t utf8_;
  locale_t before_ = nullptr;
};

Url split_url(CURLU* url) {
  Url result;
  result.user = part(url, CURLUPART_USER, CURLU_URLDECODE);
  result.password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
  for (const auto which : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT})
    curl_url_set(url, which, nullptr, 0);
  const Utf8Locale utf8;
  result.text = part(url, CURLUPART_URL, CURLU_PUNYCODE);
  result.scheme = part(url, CURLUPART_SCHEME);
  result.host = to_lower(part(url, CURLUPART_HOST, CURLU_PUNYCODE));
  result.port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return result;
}

// "other" schemes parse too (ftp, file): refused by name, which says more than a failed transfer.
std::string scheme_problem(const Url& url) {
  if (url.scheme != "http" && url.scheme != "https")
    return fmt::format("\"{}\" URLs are not fetched, only http and https", url.scheme);
  return url.host.empty() || url.text.empty() ? "the URL names no host that DNS could know" : "";
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const CurlUrl url(curl_url());
  const std::string trimmed(trim(text));
  if (trimmed.find('\0') != std::string::npos)
    return fail(ErrorCode::invalid_definition, "the URL holds a NUL byte; take it away");
  const auto code =
      curl_url_set(url.get(), CURLUPART_URL, trimmed.c_str(), CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK)
    return fail(ErrorCode::invalid_definition,
                fmt::format("{} is not a URL: {}", printable(mask_url(trimmed)), curl_url_strerror(code)));
  Url result = split_url(url.get());
  if (const auto problem = scheme_problem(result); !problem.empty())
    return fail(ErrorCode::invalid_definition, problem);
  return result;
}

Result<Url> resolve_url(const Url& base, std::string_view location) {
  const CurlUrl url(curl_url());
  curl_url_set(url.get(), CURLUPART_URL, base.text.c_str(), 0);
  const std::string trimmed(trim(location));
  const auto code =
      curl_url_set(url.get(), CURLUPART_URL, trimmed.c_str(), CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK)
    return fail(ErrorCode::malformed, fmt::format("redirected to {}, which is not a URL: {}",
                                                  printable(mask_url(trimmed)), curl_url_strerror(code)));
  Url result = split_url(url.get());
  result.user.clear();  // a redirect may not choose whom we log in as
  result.password.clear();
  if (const auto problem = scheme_problem(result); !problem.empty())
    return fail(ErrorCode::forbidden,
                fmt::format("redirected to {}: {}", printable(mask_url(trimmed)), problem));
  return result;
}

bool same_origin(const Url& from, const Url& to) {
  if (from.host != to.host) return false;
  if (from.scheme == to.scheme) return from.port == to.port;
  return from.scheme == "http" && to.scheme == "https" && from.port == "80" && to.port == "443";
}

std::string with_query(const std::string& url, std::string_view name, std::string_view value) {
  return fmt::format("{}{}{}={}", url, url.find('?') == std::string::npos ? '?' : '&', url_encode(name),
                     url_encode(value));
}

std::vector<std::string> query_values(std::string_view url) {
  std::vector<std::string> values;
  const auto query = url.find('?');
  if (query == std::string_view::npos) return values;
  for (const auto pair : split(url.substr(query + 1), '&')) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string raw(pair.substr(equals + 1));
    int length = 0;
    if (char* decoded = curl_easy_unescape(nullptr, raw.c_str(), static_cast<int>(raw.size()), &length)) {
      values.emplace_back(decoded, static_cast<std::size_t>(length));
      curl_free(decoded);
    }
    values.push_back(raw);
  }
  return values;
}

}  // namespace sluice::fetch
