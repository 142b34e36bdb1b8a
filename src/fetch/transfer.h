// One HTTP request at a time over libcurl, without redirects and retries, which are judged above. Holds
// handles of the pool while it lives: connections, DNS answers and TLS sessions are reused between requests.
#pragma once

#include "base/error.h"
#include "fetch/connection_pool.h"
#include "fetch/fetch.h"
#include "fetch/spool.h"
#include "fetch/url.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::fetch {

struct Request {
  Url url;
  std::string address;               // what is asked for: url.text, perhaps with a key in the query
  std::vector<std::string> headers;  // "Name: value"
  std::string user, password;        // basic; "" = none
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds total_timeout{0};  // 0 = none
  // For send(); get() asks with GET, and sends nothing.
  std::string method = "GET";
  std::optional<std::string> body;
};

struct Response {
  int status = 0;
  std::string etag, last_modified, date, content_type, content_encoding, location, retry_after;
  std::optional<std::uint64_t> content_length;
  std::string excerpt;         // start of a body that is not data; of any body after send()
  std::uint64_t received = 0;  // body bytes as sent

  bool is_data() const { return status == 200 || status == 203; }
};

class Transfer {
 public:
  using Progress = std::function<void(std::uint64_t, std::optional<std::uint64_t>)>;

  // `progress`: called with every piece of a data body. An empty `pool` = handles of its own.
  Transfer(const Policy& policy, Progress progress, std::shared_ptr<ConnectionPool> pool = {});
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // A response of any status is a value; its body goes to the spool when it is data. Time-outs are measured
  // in real time, as libcurl does: they are waits of the network, not ours. An error's `retryable` says that
  // trying again may help. Errors: unreachable, timeout, truncated, malformed, forbidden (address),
  // too_large, cancelled, io.
  Result<Response> get(const Request& request, Spool& spool, std::stop_token stop);
  // Any method. Of the answer, whatever its status, at most kMostExcerpt bytes are kept and twice as many
  // read.
  Result<Response> send(const Request& request, std::stop_token stop);
  static constexpr std::size_t kMostExcerpt = 64u << 10;

 private:
  struct State;
  Result<Response> perform(const Request& request, Spool* spool, std::stop_token stop);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::fetch
