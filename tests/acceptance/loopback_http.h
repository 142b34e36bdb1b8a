// One HTTP request to a service on this machine, for tests that drive it from outside.
#pragma once

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

}  // namespace sluice::test
