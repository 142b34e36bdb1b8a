#include "fetch/transfer.h"

#include "fetch/address_policy.h"
#include "fetch/curl_handles.h"
#include "fetch/exchange.h"
#include "fetch/transfer_error.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace sluice::fetch {
namespace {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* exchange) noexcept {
  return static_cast<Exchange*>(exchange)->header({bytes, size * count}) ? size * count : 0;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* exchange) noexcept {
  if (size * count == 0) return 0;
  return static_cast<Exchange*>(exchange)->body({bytes, size * count}) ? size * count : 0;
}

curl_socket_t on_open_socket(void* exchange, curlsocktype, curl_sockaddr* address) noexcept {
  auto& self = *static_cast<Exchange*>(exchange);
  if (!address_allowed(&address->addr, self.request.url.host, self.policy)) {
    self.address_refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int on_connected(void* exchange, char*, char*, int, int) noexcept {
  auto& self = *static_cast<Exchange*>(exchange);
  self.connected = true;
  self.last_sign = std::chrono::steady_clock::now();
  return CURL_PREREQFUNC_OK;
}

void set_method(CURL* easy, const Request& request) {
  if (request.method == "GET") {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  // libcurl sends what it is given as a POST under another name; without a body, one of no bytes.
  if (request.body || request.method != "DELETE") {
    const std::string_view body = request.body ? std::string_view(*request.body) : std::string_view();
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data() == nullptr ? "" : body.data());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_options(CURL* easy, Exchange& exchange, curl_slist* headers, char* error_buffer) {
  const Request& request = exchange.request;
  curl_easy_setopt(easy, CURLOPT_URL, request.address.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set_method(easy, request);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A transfer that is given up leaves a resolver that hangs to end on its own, instead of waiting for it.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);  // see content_decoder.h
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_buffer);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  if (!request.user.empty() || !request.password.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request.password.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &exchange);
}

// Private certificate authorities, by the variables that the curl command and OpenSSL know. libcurl itself
// reads neither.
void set_certificates(CURL* easy) {
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* file = std::getenv(name);
    if (!file || !*file) continue;
    curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    return;
  }
  // libcurl keeps parsed certificates between requests only when they come from a file alone.
  if (curl_version_info(CURLVERSION_NOW)->cainfo) curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

// The handles outlive the request: nothing of it, secrets least of all, stays in them.
class InFlight {
 public:
  InFlight(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) { curl_multi_add_handle(multi, easy); }
  ~InFlight() {
    curl_multi_remove_handle(multi_, easy_);
    curl_easy_reset(easy_);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  CURLM* multi_;
  CURL* easy_;
};

HeaderList header_list(const std::vector<std::string>& headers) {
  HeaderList list;
  for (const auto& header : headers) {
    if (curl_slist* longer = curl_slist_append(list.get(), header.c_str())) {
      list.release();
      list.reset(longer);
    }
  }
  return list;
}

}  // namespace

struct Transfer::State {
  const Policy& policy;
  Transfer::Progress progress;
  std::shared_ptr<ConnectionPool> pool;
  std::unique_ptr<ConnectionPool::Handles> handles = pool->take();

  ~State() { pool->give_back(std::move(handles)); }
  Result<int> drive(const Exchange& exchange, const std::stop_token& stop);
};

Transfer::Transfer(const Policy& policy, Progress progress, std::shared_ptr<ConnectionPool> pool)
    : state_(new State{policy, std::move(progress),
                       pool ? std::move(pool) : std::make_shared<ConnectionPool>()}) {}
Transfer::~Transfer() = default;

// Runs the transfer to its end; the CURLcode, or why it was given up.
Result<int> Transfer::State::drive(const Exchange& exchange, const std::stop_token& stop) {
  CURLM* const multi = handles->multi.get();
  const auto idle = exchange.request.idle_timeout;
  for (;;) {
    int running = 0;
    if (const auto code = curl_multi_perform(multi, &running); code != CURLM_OK)
      return fail(ErrorCode::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left))
      if (message->msg == CURLMSG_DONE) return static_cast<int>(message->data.result);
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while fetching");
    auto wait = std::chrono::milliseconds(60'000);
    if (exchange.connected && idle.count() > 0) {
      const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - exchange.last_sign);
      if (silent >= idle)
        return fail_transient(
            ErrorCode::timeout,
            fmt::format("{} sent {} for {} ms (timeouts.idle)", exchange.request.url.host,
                        exchange.since_sign == 0 ? "nothing" : "next to nothing", idle.count()));
      wait = std::min(wait, idle - silent + std::chrono::milliseconds(1));
    }
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

Result<Response> Transfer::get(const Request& request, Spool& spool, std::stop_token stop) {
  return perform(request, &spool, std::move(stop));
}

Result<Response> Transfer::send(const Request& request, std::stop_token stop) {
  return perform(request, nullptr, std::move(stop));
}

Result<Response> Transfer::perform(const Request& request, Spool* spool, std::stop_token stop) {
  auto& self = *state_;
  CURL* const easy = self.handles->easy.get();
  CURLM* const multi = self.handles->multi.get();
  if (!easy || !multi) return fail(ErrorCode::internal, "libcurl cannot be set up");
  Exchange exchange{self.policy, self.progress, request, spool, {}, {}};
  std::array<char, CURL_ERROR_SIZE> error_buffer{};
  const HeaderList headers = header_list(request.headers);
  curl_easy_reset(easy);
  set_options(easy, exchange, headers.get(), error_buffer.data());
  set_certificates(easy);

  const InFlight in_flight(multi, easy);
  Result<int> code = [&] {
    const std::stop_callback wake(stop, [&] { curl_multi_wakeup(multi); });
    return self.drive(exchange, stop);
  }();

  if (exchange.own_error) return std::unexpected(std::move(*exchange.own_error));
  if (!code) return std::unexpected(std::move(code).error());
  if (*code == CURLE_OK || exchange.enough) {
    // libcurl takes a connection that ends among the headers for an empty body.
    if (!exchange.head_complete)
      return fail_transient(ErrorCode::truncated, "the answer stops in the middle of its headers");
    if (spool != nullptr && exchange.response.is_data() && !exchange.body_began)
      SLUICE_CHECK(spool->start("", exchange.response.content_length));
    return std::move(exchange.response);
  }
  const std::string host = request.url.host + ":" + request.url.port;
  if (exchange.address_refused)
    return fail(
        ErrorCode::forbidden,
        fmt::format("{} resolves to a link-local or cloud metadata address, which definitions may not "
                    "reach; start with --allow-address {} to allow it",
                    host, request.url.host));
  long os_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  long proxy_status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  return std::unexpected(
      transfer_error({*code, os_error, proxy_status, error_buffer.data(), host, exchange.connected}));
}

}  // namespace sluice::fetch
