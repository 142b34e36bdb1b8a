#include "support/postgres_proxy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {
namespace {

constexpr std::string_view kSocket = "/.s.PGSQL.5432";
constexpr std::size_t kMostWaiting = 1U << 20;  // of one direction; then no more is read

[[noreturn]] void give_up(const char* what) {
  std::cerr << "the proxy before PostgreSQL cannot " << what << ": " << std::strerror(errno) << '\n';
  std::abort();
}

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up("name its socket");
  path.copy(address.sun_path, path.size());
  return address;
}

Socket listen_at(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.fd(), 64) != 0)
    give_up("listen");
  return socket;
}

Socket connect_to(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Socket();
  ::fcntl(socket.fd(), F_SETFL, O_NONBLOCK);
  return socket;
}

struct Link {
  Socket program, server;
  std::string to_server{}, to_program{};
  bool listens = false, swallows = false, over = false;

  // Reads what one side says; false when it has ended.
  static bool read(int fd, std::string& into) {
    std::array<char, 16384> bytes;
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got > 0) into.append(bytes.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }
  static bool write(int fd, std::string& from) {
    const ssize_t put = ::send(fd, from.data(), from.size(), MSG_NOSIGNAL);
    if (put > 0) from.erase(0, static_cast<std::size_t>(put));
    return put > 0 || errno == EAGAIN || errno == EINTR;
  }
  void pass_on(const pollfd& near, const pollfd& far) {
    constexpr short kSaid = POLLIN | POLLHUP | POLLERR;
    if ((near.revents & kSaid) != 0) {
      const std::size_t before = to_server.size();
      over |= !read(program.fd(), to_server);
      listens |= std::string_view(to_server).substr(before).find("listen ") != std::string_view::npos;
    }
    if ((far.revents & kSaid) != 0) over |= !read(server.fd(), to_program);
    if ((far.revents & POLLOUT) != 0 && !to_server.empty()) over |= !write(server.fd(), to_server);
    if ((near.revents & POLLOUT) != 0 && !to_program.empty()) over |= !write(program.fd(), to_program);
  }
};

short wanted(const std::string& read_into, const std::string& write_from) {
  return static_cast<short>((read_into.size() < kMostWaiting ? POLLIN : 0) |
                            (write_from.empty() ? 0 : POLLOUT));
}

}  // namespace

struct PostgresProxy::State {
  std::string server_path;
  Socket listener;
  int wake_read = -1, wake_write = -1;
  std::vector<Link> links;

  std::mutex mutex;
  std::condition_variable seen;
  bool order = false, later_too = false, stop = false;
  int swallowed = 0;

  void wake() const {
    const char one = 1;
    if (::write(wake_write, &one, 1) < 0 && errno != EAGAIN) give_up("be woken");
  }
};

PostgresProxy::PostgresProxy(const std::string& url) : state_(std::make_unique<State>()) {
  const std::size_t host = url.find("host=/");
  if (host == std::string::npos) give_up("find the server's socket in its URL");
  const std::size_t begin = host + std::string_view("host=").size();
  const std::size_t end = std::min(url.find('&', begin), url.size());
  state_->server_path = url.substr(begin, end - begin) + std::string(kSocket);
  std::string name = (std::filesystem::temp_directory_path() / "sluice-proxy-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) give_up("make its folder");
  folder_ = name;
  url_ = url.substr(0, begin) + folder_ + url.substr(end);
  state_->listener = listen_at(folder_ + std::string(kSocket));
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) give_up("make a pipe");
  state_->wake_read = pipe[0];
  state_->wake_write = pipe[1];
  thread_ = std::jthread([this] { loop(); });
}

PostgresProxy::~PostgresProxy() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake();
  thread_.join();
  ::close(state_->wake_read);
  ::close(state_->wake_write);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

int PostgresProxy::swallow_listeners(bool later_too) {
  std::unique_lock lock(state_->mutex);
  state_->later_too = later_too;
  state_->order = true;
  state_->wake();
  state_->seen.wait(lock, [&] { return !state_->order; });
  return state_->swallowed;
}

void PostgresProxy::loop() {
  State& state = *state_;
  std::vector<pollfd> polled;
  for (;;) {
    polled.assign({{state.wake_read, POLLIN, 0}, {state.listener.fd(), POLLIN, 0}});
    for (const Link& link : state.links) {
      // A negative descriptor is passed over.
      polled.push_back({link.swallows ? -1 : link.program.fd(), wanted(link.to_server, link.to_program), 0});
      polled.push_back({link.swallows ? -1 : link.server.fd(), wanted(link.to_program, link.to_server), 0});
    }
    if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) give_up("wait");
    for (std::size_t i = 0; i < state.links.size(); ++i) {
      if (!state.links[i].swallows) state.links[i].pass_on(polled[2 + 2 * i], polled[3 + 2 * i]);
    }
    std::erase_if(state.links, [](const Link& link) { return link.over; });
    if ((polled[1].revents & POLLIN) != 0) {
      Socket program(::accept4(state.listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      Socket server = connect_to(state.server_path);
      if (program.fd() >= 0 && server.fd() >= 0)
        state.links.push_back({std::move(program), std::move(server)});
    }
    if ((polled[0].revents & POLLIN) != 0) {
      std::array<char, 16> bytes;
      while (::read(state.wake_read, bytes.data(), bytes.size()) > 0) {
      }
    }
    std::lock_guard lock(state.mutex);
    if (state.stop) return;
    if (!state.order && !state.later_too) continue;
    int swallowed = 0;
    for (Link& link : state.links) {
      if (link.listens && !link.swallows) ++swallowed;
      link.swallows |= link.listens;
    }
    if (!state.order) continue;
    state.swallowed = swallowed;
    state.order = false;
    state.seen.notify_all();
  }
}

}  // namespace sluice::test
