// One HTTP request to a service on this machine, for tests that drive it from outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::test {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Nothing when the other side is gone, as after a kill.
std::optional<HttpAnswer> http_get(std::uint16_t port, const std::string& path);
std::optional<HttpAnswer> http_post(std::uint16_t port, const std::string& path);  // JSON without a body

// A request with these very header lines (each with its line end) and body; Content-Length is added.
std::optional<HttpAnswer> http_send(std::uint16_t port, const std::string& method, const std::string& path,
                                    const std::string& headers, const std::string& body = {});

// The service's server-sent events, as they come.
class EventStream {
 public:
  explicit EventStream(std::uint16_t port);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  // Waits for the next piece of the stream; empty when none came in time or the stream ended.
  std::string next(std::chrono::milliseconds limit);

 private:
  int handle_;
};

}  // namespace sluice::test
