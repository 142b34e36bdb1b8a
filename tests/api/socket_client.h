// A bare TCP client: sends exactly the bytes it is given, so that tests can be rude.
#pragma once

#include "base/file.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::api {

class SocketClient {
 public:
  explicit SocketClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  void send(std::string_view bytes) { (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void finish() { ::shutdown(socket_.get(), SHUT_WR); }

  // Reads until the text holds `end`, the other side closes, or 10 s pass (a failure).
  std::string read_until(std::string_view end) {
    while (end.empty() || !text_.contains(end)) {
      if (!read_some()) break;
    }
    return text_;
  }
  std::string read_to_close() { return read_until({}); }
  bool closed() const { return closed_; }
  void forget() { text_.clear(); }

  // One whole response: the header, and the body that Content-Length promises (none for HEAD).
  std::string read_response(bool with_body = true) {
    read_until("\r\n\r\n");
    const std::size_t header_end = text_.find("\r\n\r\n");
    if (header_end == std::string::npos) return std::exchange(text_, {});
    std::size_t length = 0;
    if (const std::size_t at = text_.find("Content-Length: "); with_body && at < header_end) {
      length = std::stoul(text_.substr(at + 16));
    }
    while (text_.size() < header_end + 4 + length && read_some()) {
    }
    std::string response = text_.substr(0, header_end + 4 + length);
    text_.erase(0, response.size());
    return response;
  }

 private:
  bool read_some() {
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10'000) != 1) {
      ADD_FAILURE() << "nothing arrived in 10 s; so far: " << text_;
      return false;
    }
    std::array<char, 4096> buffer;
    const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) {
      closed_ = true;
      return false;
    }
    text_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  FileHandle socket_;
  bool connected_ = false;
  bool closed_ = false;
  std::string text_;
};

}  // namespace sluice::api
