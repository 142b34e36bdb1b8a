#include "fetch/http_server.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace sluice::fetch::test {
namespace {

// True when `socket` is readable, false when the server stops.
bool wait_readable(int socket, int stop) {
  std::array<pollfd, 2> both = {{{socket, POLLIN, 0}, {stop, POLLIN, 0}}};
  while (::poll(both.data(), both.size(), -1) < 0) {
  }
  return both[1].revents == 0;
}

}  // namespace

std::string SeenRequest::header(std::string_view name) const {
  for (const auto each : split(head, '\n')) {
    const auto colon = each.find(':');
    if (colon != std::string_view::npos && iequals(trim(each.substr(0, colon)), name))
      return std::string(trim(each.substr(colon + 1)));
  }
  return {};
}

bool HttpServer::Reply::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void HttpServer::Reply::answer(std::string_view status, const std::vector<std::string>& headers,
                               std::string_view body) const {
  std::string text = fmt::format("HTTP/1.1 {}\r\n", status);
  for (const auto& header : headers) text += header + "\r\n";
  text += fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  send(text);
}

void HttpServer::Reply::wait_until_gone() const {
  std::array<char, 256> ignored{};
  while (wait_readable(socket_, server_.stop_.get()))
    if (::recv(socket_, ignored.data(), ignored.size(), 0) <= 0) return;
}

void HttpServer::Reply::drip(std::string_view piece, int most, std::chrono::milliseconds pause) const {
  for (int i = 0; i < most && send(piece); ++i) {
    std::array<pollfd, 2> ends = {{{socket_, POLLIN | POLLRDHUP, 0}, {server_.stop_.get(), POLLIN, 0}}};
    if (::poll(ends.data(), ends.size(), static_cast<int>(pause.count())) > 0) return;
  }
}

void HttpServer::Reply::reset() const {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

HttpServer::HttpServer(Script script)
    : script_(std::move(script)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0)
    throw std::runtime_error("no loopback port for the test server");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  const std::uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof one) < 0) ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  connections_.clear();
}

std::string HttpServer::url(std::string_view path, std::string_view host) const {
  return fmt::format("http://{}:{}{}", host, port_, path);
}

std::vector<SeenRequest> HttpServer::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

void HttpServer::accept_all() {
  while (wait_readable(listener_.get(), stop_.get())) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) connections_.emplace_back([this, socket] { serve(socket); });
  }
}

void HttpServer::serve(int socket) {
  const FileHandle owned(socket);
  std::string pending;
  std::array<char, 4096> buffer{};
  while (wait_readable(socket, stop_.get())) {
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    const auto end = pending.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    SeenRequest request;
    request.line = pending.substr(0, pending.find("\r\n"));
    request.head = pending.substr(0, end);
    pending.erase(0, end + 4);
    const auto length = std::strtoul(request.header("Content-Length").c_str(), nullptr, 10);
    while (pending.size() < length && wait_readable(socket, stop_.get())) {
      const auto more = ::recv(socket, buffer.data(), buffer.size(), 0);
      if (more <= 0) return;
      pending.append(buffer.data(), static_cast<std::size_t>(more));
    }
    if (pending.size() < length) return;
    request.body = pending.substr(0, length);
    pending.erase(0, length);
    int number = 0;
    {
      std::lock_guard lock(mutex_);
      number = static_cast<int>(seen_.size());
      seen_.push_back(request);
    }
    if (!script_(request, number, Reply(*this, socket))) return;
  }
}

}  // namespace sluice::fetch::test
