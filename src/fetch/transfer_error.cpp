#include "fetch/transfer_error.h"

#include "base/file.h"

#include <curl/curl.h>
#include <fmt/format.h>

namespace sluice::fetch {
namespace {

Error make(ErrorCode code, bool retryable, std::string message) {
  return Error{code, retryable, {}, std::move(message), {}};
}

// The proxy would not open a tunnel.
Error proxy_error(const TransferFailure& failure) {
  const long status = failure.proxy_status;
  if (status == 407)
    return make(ErrorCode::unauthorized, false,
                "the proxy wants credentials (407); state them in http_proxy or https_proxy");
  const bool later = status >= 500 || status == 408 || status == 429;
  return make(later ? ErrorCode::unreachable : ErrorCode::unauthorized, later,
              fmt::format("the proxy does not connect to {}: it answered {}", failure.host, status));
}

}  // namespace

Error transfer_error(const TransferFailure& failure) {
  const auto& host = failure.host;
  const std::string detail = failure.detail.empty()
                                 ? std::string(curl_easy_strerror(static_cast<CURLcode>(failure.code)))
                                 : failure.detail;
  if (failure.proxy_status >= 400) return proxy_error(failure);
  const std::string reason = failure.os_error != 0 ? os_message(static_cast<int>(failure.os_error)) : detail;
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return make(ErrorCode::unreachable, true, fmt::format("no address is known for {}", host));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return make(
          ErrorCode::unreachable, true,
          fmt::format("no address is known for the proxy ({}); check http_proxy and https_proxy", detail));
    case CURLE_COULDNT_CONNECT:
      return make(ErrorCode::unreachable, true, fmt::format("cannot connect to {}: {}", host, reason));
    case CURLE_OPERATION_TIMEDOUT:
      return make(ErrorCode::timeout, true,
                  failure.connected ? fmt::format("{} did not finish within the total time-out", host)
                                    : fmt::format("no connection to {} within the connect time-out", host));
    case CURLE_PARTIAL_FILE:
      return make(ErrorCode::truncated, true, fmt::format("the body stops in the middle: {}", detail));
    case CURLE_GOT_NOTHING:
      return make(ErrorCode::unreachable, true,
                  fmt::format("{} closed the connection without an answer", host));
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return make(ErrorCode::unreachable, true, fmt::format("the connection to {} broke: {}", host, detail));
    case CURLE_PEER_FAILED_VERIFICATION:
      return make(
          ErrorCode::unreachable, false,
          fmt::format("the TLS certificate of {} is not trusted: {}; a private authority's certificate "
                      "can be named by CURL_CA_BUNDLE or SSL_CERT_FILE",
                      host, detail));
    case CURLE_SSL_CACERT_BADFILE:
      return make(
          ErrorCode::unreachable, false,
          fmt::format("the system's TLS certificates cannot be read; install ca-certificates, or check "
                      "SSL_CERT_FILE ({})",
                      detail));
    case CURLE_SSL_CONNECT_ERROR:
      return make(ErrorCode::unreachable, true, fmt::format("no TLS connection to {}: {}", host, detail));
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP_RETURNED_ERROR:
      return make(ErrorCode::malformed, false,
                  fmt::format("{} does not answer as HTTP should: {}", host, detail));
    case CURLE_OUT_OF_MEMORY:
      return make(ErrorCode::internal, true, "out of memory while fetching");
    default:
      return make(ErrorCode::unreachable, false, fmt::format("cannot fetch from {}: {}", host, detail));
  }
}

}  // namespace sluice::fetch
