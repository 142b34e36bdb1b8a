#include "acceptance/loopback_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <charconv>

namespace sluice::test {
namespace {

constexpr timeval kLongestWait{.tv_sec = 30, .tv_usec = 0};

class Socket {
 public:
  explicit Socket(std::uint16_t port) : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &kLongestWait, sizeof kLongestWait);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { ::close(handle_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool send(const std::string& bytes) const {
    return connected_ &&
           ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  std::string read_to_close() const {
    std::string text;
    std::array<char, 16'384> buffer;
    for (;;) {
      const auto count = ::recv(handle_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  int handle_;
  bool connected_ = false;
};

std::optional<HttpAnswer> exchange(std::uint16_t port, const std::string& request) {
  const Socket socket(port);
  if (!socket.send(request)) return std::nullopt;
  const std::string text = socket.read_to_close();
  const auto body = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || body == std::string::npos) return std::nullopt;
  HttpAnswer answer;
  std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  answer.body = text.substr(body + 4);
  return answer;
}

std::string host_line(std::uint16_t port) { return "Host: 127.0.0.1:" + std::to_string(port) + "\r\n"; }

}  // namespace

std::optional<HttpAnswer> http_get(std::uint16_t port, const std::string& path) {
  return http_send(port, "GET", path, host_line(port));
}
std::optional<HttpAnswer> http_post(std::uint16_t port, const std::string& path) {
  return http_send(port, "POST", path, host_line(port) + "Content-Type: application/json\r\n", "{}");
}

std::optional<HttpAnswer> http_send(std::uint16_t port, const std::string& method, const std::string& path,
                                    const std::string& headers, const std::string& body) {
  return exchange(port, method + " " + path + " HTTP/1.1\r\n" + headers + "Content-Length: " +
                            std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
}

EventStream::EventStream(std::uint16_t port) : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "GET /api/v1/events HTTP/1.1\r\n" + host_line(port) + "\r\n";
  if (::connect(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    ::send(handle_, request.data(), request.size(), MSG_NOSIGNAL);
}

EventStream::~EventStream() { ::close(handle_); }

std::string EventStream::next(std::chrono::milliseconds limit) {
  pollfd readable{.fd = handle_, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return {};
  std::array<char, 4096> buffer;
  const auto count = ::recv(handle_, buffer.data(), buffer.size(), 0);
  return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : std::string();
}

}  // namespace sluice::test
