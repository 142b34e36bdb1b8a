#include "fetch/http_source.h"

#include "base/secret.h"
#include "base/text.h"
#include "fetch/address_policy.h"
#include "fetch/html_page.h"
#include "fetch/http_request.h"
#include "fetch/http_status.h"
#include "fetch/retry.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>

namespace sluice::fetch {
namespace {

constexpr int kMostRedirects = 10;
constexpr std::chrono::milliseconds kProgressInterval{100};

std::function<double()> machine_random() {
  auto engine = std::make_shared<std::minstd_rand>(std::random_device{}());
  return [engine] { return std::generate_canonical<double, 32>(*engine); };
}

// A Last-Modified within a second of the answer may still be shared by a later version (RFC 9110, 8.8.2.2).
std::string trusted_last_modified(const Response& response) {
  const std::time_t modified = curl_getdate(response.last_modified.c_str(), nullptr);
  const std::time_t answered = curl_getdate(response.date.c_str(), nullptr);
  if (modified == -1 || (answered != -1 && modified + 1 > answered - 1)) return {};
  return response.last_modified;
}

// As it was sent, unless it could not be sent back: "*" and lists would match more than this answer, and
// servers refuse requests with giant headers.
std::string trusted_etag(const std::string& etag) {
  constexpr std::size_t longest = 1024;
  std::string_view opaque = etag;
  if (opaque.starts_with("W/")) opaque.remove_prefix(2);
  const bool quoted = opaque.size() >= 2 && opaque.front() == '"' && opaque.back() == '"';
  if (quoted) opaque = opaque.substr(1, opaque.size() - 2);
  const bool one = opaque.find_first_of(quoted ? "\"" : "\"*, \t") == std::string_view::npos;
  return one && etag.size() <= longest ? etag : std::string();
}

class HttpFetch {
 public:
  HttpFetch(const SourceSpec& source, const std::vector<Validators>& previous, Context& context,
            RequestBuilder requests)
      : source_(source),
        previous_(previous.size() == 1 ? &previous.front() : nullptr),
        context_(context),
        requests_(std::move(requests)),
        transfer_(
            context.policy,
            [this](std::uint64_t bytes, std::optional<std::uint64_t> total) { report(bytes, total); },
            context.connections) {}

  Result<Fetched> run(std::stop_token stop);

 private:
  Result<Fetched> attempt(std::stop_token stop);
  Result<Fetched> accept(const Response& response, Spool& spool, const Url& url, bool redirected);
  void report(std::uint64_t bytes, std::optional<std::uint64_t> total);
  void log(std::string line) const {
    if (context_.log) context_.log(requests_.mask().apply(std::move(line)));
  }
  bool may_retry(const Error& error) const;

  const SourceSpec& source_;
  const Validators* previous_;  // of the only item of the last run, if any
  Context& context_;
  RequestBuilder requests_;
  Transfer transfer_;
  std::int64_t requests_sent_ = 0;
  std::int64_t received_ = 0;
  int last_status_ = 0;  // of the attempt that failed; 0 = no answer
  std::optional<std::chrono::steady_clock::time_point> reported_;
};

void HttpFetch::report(std::uint64_t bytes, std::optional<std::uint64_t> total) {
  if (!context_.progress) return;
  const auto now = context_.clock.steady();
  const bool last = total && bytes == *total;
  if (reported_ && !last && now - *reported_ < kProgressInterval) return;
  reported_ = now;
  context_.progress(bytes, total);
}

// Whether this fetch may try again; Error::retryable says whether a later run may.
bool HttpFetch::may_retry(const Error& error) const {
  if (!error.retryable || error.code == ErrorCode::io)
    return false;  // a full disk does not empty in a moment
  if (last_status_ == 0 || error.code == ErrorCode::truncated) return true;
  const auto& statuses = source_.retry.statuses;
  return std::find(statuses.begin(), statuses.end(), last_status_) != statuses.end();
}

Result<Fetched> HttpFetch::run(std::stop_token stop) {
  RetryBudget budget(source_.retry, context_.random ? context_.random : machine_random());
  const std::string what = requests_.mask().apply(mask_url(requests_.first().text));
  for (;;) {
    auto fetched = attempt(stop);
    if (fetched) {
      fetched->requests = requests_sent_;
      fetched->retries = budget.used();
      fetched->bytes = received_;
      return fetched;
    }
    Error error = std::move(fetched).error();
    error.message = requests_.mask().apply(std::move(error.message));
    if (error.code == ErrorCode::cancelled || !may_retry(error))
      return fail_within("fetch " + what, std::move(error));
    if (error.retry_after && *error.retry_after > source_.retry.max_wait) {
      error.code = ErrorCode::rate_limited;
      error.message += fmt::format("; it asks to wait {} s, longer than retry.maxWait",
                                   std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count());
      return fail_within("fetch " + what, std::move(error));
    }
    if (!budget.left()) {
      if (budget.used() > 0) error.message += fmt::format(" (tried {} times)", budget.used() + 1);
      return fail_within("fetch " + what, std::move(error));
    }
    const auto wait = budget.spend(error.retry_after);
    log(fmt::format("{}: {}; trying again in {} ms ({} of {})", what, error.message, wait.count(),
                    budget.used(), source_.retry.limit));
    if (!context_.clock.sleep_for(wait, stop))
      return fail(ErrorCode::cancelled, "stopped while waiting to try again", "fetch " + what);
  }
}

// One try: the request and the redirects that follow from it.
Result<Fetched> HttpFetch::attempt(std::stop_token stop) {
  const auto began = std::chrono::steady_clock::now();  // real time, as all time-outs of the network
  Url url = requests_.first();
  for (int redirects = 0;; ++redirects) {
    last_status_ = 0;
    SLUICE_CHECK(check_host(url.host, context_.policy));
    const bool known = previous_ && previous_->location == requests_.location(url);
    Request request = requests_.build(url, redirects > 0, known ? previous_ : nullptr);
    if (const auto total = source_.timeouts.total; total.count() > 0) {
      const auto left = total - std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::steady_clock::now() - began);
      request.total_timeout = std::max(left, std::chrono::milliseconds(1));
    }
    Spool spool(context_.spool_directory, source_.max_bytes);
    ++requests_sent_;
    if (context_.traffic != nullptr) ++context_.traffic->requests;
    SLUICE_TRY(const Response response, transfer_.get(request, spool, stop));
    received_ += static_cast<std::int64_t>(response.received);
    if (context_.traffic != nullptr) context_.traffic->bytes += static_cast<std::int64_t>(response.received);
    last_status_ = response.status;
    log(fmt::format("GET {}: {}, {} bytes", mask_url(url.text), response.status, response.received));

    if (response.is_data()) return accept(response, spool, url, redirects > 0);
    if (response.status == 304) {
      if (!known)
        return fail(ErrorCode::malformed,
                    "the server answered 304 (not modified) to a request without a condition");
      Fetched fetched;
      fetched.not_modified = true;
      return fetched;
    }
    if (!is_redirect(response.status))
      return std::unexpected(status_error(response, url, requests_, context_.clock.now()));
    if (response.location.empty())
      return fail(ErrorCode::malformed,
                  fmt::format("{} answered {} without saying where to", url.host, response.status));
    if (redirects == kMostRedirects)
      return fail(ErrorCode::malformed, fmt::format("redirected more than {} times, lastly to {}",
                                                    kMostRedirects, printable(mask_url(response.location))));
    SLUICE_TRY(url, resolve_url(url, response.location));
  }
}

Result<Fetched> HttpFetch::accept(const Response& response, Spool& spool, const Url& url, bool redirected) {
  SLUICE_TRY(SpooledBody body, spool.finish());
  if (const auto kind = web_page_kind(response.content_type, body.start); kind != PageKind::none)
    return std::unexpected(web_page_error(kind == PageKind::login, body.start, redirected, requests_.mask()));
  Item item;
  item.file = std::move(body.file);
  item.name = requests_.mask().apply(mask_url(url.text));
  item.content_type = response.content_type;
  item.validators = {.location = requests_.location(url),
                     .etag = trusted_etag(response.etag),
                     .last_modified = trusted_last_modified(response),
                     .body_hash = std::move(body.hash),
                     .content_type = response.content_type,
                     .length = body.length};
  Fetched fetched;
  fetched.not_modified = previous_ && previous_->body_hash == item.validators.body_hash &&
                         previous_->length == item.validators.length &&
                         previous_->content_type == item.validators.content_type;
  fetched.items.push_back(std::move(item));
  return fetched;
}

}  // namespace

Result<Fetched> fetch_http(const SourceSpec& source, const std::vector<Validators>& previous,
                           Context& context, std::stop_token stop) {
  auto requests = RequestBuilder::create(source, context.user_agent);
  if (!requests) return fail_within("fetch " + printable(shown_url(source)), std::move(requests).error());
  return HttpFetch(source, previous, context, std::move(*requests)).run(std::move(stop));
}

}  // namespace sluice::fetch
