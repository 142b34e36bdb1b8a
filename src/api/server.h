// The HTTP server: owns the socket, the connections, one thread that does all input and output, and a few
// that call the backend, so that a slow database read holds up neither events nor other requests.
#pragma once

#include "api/backend.h"
#include "api/router.h"
#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace sluice::api {

// All limits per connection unless said. They are what keeps slow or greedy clients harmless.
struct ServerLimits {
  int connections = 256;                          // in all; one more is answered 503 and closed
  int event_streams = 128;                        // of them
  std::uint32_t header_bytes = 16 * 1024;         // 431 past it
  std::uint64_t body_bytes = 64 * 1024;           // 413 past it
  std::chrono::milliseconds request{10'000};      // from a request's first byte to its last; cut off past it
  std::chrono::milliseconds idle{60'000};         // between requests; closed in silence
  std::chrono::milliseconds write{20'000};        // a reader that takes nothing for this long is dropped
  std::chrono::milliseconds event_interval{500};  // at most one event in this time
  std::chrono::milliseconds event_ping{15'000};   // a comment line when nothing happens
  std::chrono::milliseconds stop_grace{3'000};    // what running requests get at stop()
  int handler_threads = 8;                        // requests that may wait for the store at once
};

class HttpServer {
 public:
  // The parts of the backend must outlive the server.
  HttpServer(Backend backend, RouterOptions options, ServerLimits limits = {});
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on an IP literal or "localhost"; port 0 takes a free one. Returns the port. Errors:
  // invalid_argument (not a loopback address: check_listen_address, or not an address), locked (port in use),
  // io.
  Result<std::uint16_t> start(const std::string& host, std::uint16_t port);

  // Closes the socket, ends event streams and idle connections, lets running requests finish within the
  // grace, and joins. Harmless when not started, or twice. Not from one of the server's own threads.
  void stop();

 private:
  class Running;
  Backend backend_;
  RouterOptions options_;
  ServerLimits limits_;
  std::unique_ptr<Running> running_;
};

}  // namespace sluice::api
