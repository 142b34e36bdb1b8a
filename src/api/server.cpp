#include "api/server.h"

#include "api/connection.h"
#include "api/protection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <mutex>
#include <thread>
#include <vector>

namespace sluice::api {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Everything that exists between start() and stop().
class HttpServer::Running {
 public:
  Running(Backend backend, const RouterOptions& options, const ServerLimits& limits)
      : router_(backend, options),
        limits_(limits),
        handlers_(static_cast<std::size_t>(limits.handler_threads)),
        acceptor_(io_),
        event_timer_(io_),
        grace_timer_(io_),
        accept_timer_(io_),
        hub_{.router = router_, .limits = limits_, .handlers = handlers_, .version = options.version} {}

  ~Running() { stop(); }

  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
  void run(ServiceReads& service);
  void stop();

 private:
  asio::awaitable<void> accept();
  void on_notice(const ChangeNotice& notice);
  void flush_events();

  Router router_;
  ServerLimits limits_;
  asio::io_context io_{1};
  asio::thread_pool handlers_;
  tcp::acceptor acceptor_;
  asio::steady_timer event_timer_;  // armed while events of one interval are being gathered
  asio::steady_timer grace_timer_;
  asio::steady_timer accept_timer_;  // pause after a failed accept (no descriptors left)
  Hub hub_;

  std::mutex mutex_;  // guards the two below: notices come from any thread
  EventChange gathered_;
  bool flush_posted_ = false;

  std::chrono::steady_clock::time_point last_flush_{};
  std::unique_ptr<Subscription> subscription_;
  std::jthread thread_;
};

Result<std::uint16_t> HttpServer::Running::listen(const std::string& host, std::uint16_t port) {
  std::string literal = host == "localhost" ? std::string("127.0.0.1") : host;
  if (literal.starts_with('[') && literal.ends_with(']')) literal = literal.substr(1, literal.size() - 2);
  const std::string where = fmt::format("listen on {}:{}", host, port);
  error_code error;
  const auto address = asio::ip::make_address(literal, error);
  if (error)
    return fail(ErrorCode::invalid_argument, "not an IP address; write 127.0.0.1:8080 or [::1]:8080", where);
  const tcp::endpoint endpoint(address, port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return fail(ErrorCode::locked,
                "the port is in use, perhaps by another sluice; stop that one or choose a port with --listen "
                "HOST:PORT",
                where);
  }
  if (error) return fail(ErrorCode::io, error.message(), where);
  return acceptor_.local_endpoint().port();
}

void HttpServer::Running::run(ServiceReads& service) {
  asio::co_spawn(io_, accept(), asio::detached);
  thread_ = std::jthread([this] { io_.run(); });
  subscription_ = service.subscribe([this](const ChangeNotice& notice) { on_notice(notice); });
}

asio::awaitable<void> HttpServer::Running::accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (hub_.stopping) co_return;
    if (error) {
      accept_timer_.expires_after(std::chrono::milliseconds(100));
      co_await accept_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    auto connection = std::make_shared<Connection>(hub_, std::move(socket));
    asio::co_spawn(io_, Connection::serve(std::move(connection)), asio::detached);
  }
}

void HttpServer::Running::on_notice(const ChangeNotice& notice) {
  {
    const std::scoped_lock lock(mutex_);
    gathered_.add(notice);
    if (flush_posted_ || gathered_.empty()) return;
    flush_posted_ = true;
  }
  asio::post(io_, [this] {
    // The first change after a quiet time goes out at once, later ones once an interval.
    event_timer_.expires_at(last_flush_ + limits_.event_interval);
    event_timer_.async_wait([this](error_code error) {
      if (!error) flush_events();
    });
  });
}

void HttpServer::Running::flush_events() {
  EventChange change;
  {
    const std::scoped_lock lock(mutex_);
    change = std::exchange(gathered_, {});
    flush_posted_ = false;
  }
  last_flush_ = std::chrono::steady_clock::now();
  ++hub_.last_event;
  for (Connection* connection : hub_.open) connection->notify(change);
}

void HttpServer::Running::stop() {
  subscription_.reset();
  if (thread_.joinable()) {
    asio::post(io_, [this] {
      hub_.stopping = true;
      error_code ignored;
      acceptor_.close(ignored);
      accept_timer_.cancel();
      event_timer_.cancel();
      const std::vector<Connection*> open(hub_.open.begin(), hub_.open.end());
      for (Connection* connection : open) connection->stop_when_idle();
      if (hub_.open.empty()) return;
      hub_.on_drained = [this] { grace_timer_.cancel(); };
      grace_timer_.expires_after(limits_.stop_grace);
      grace_timer_.async_wait([this](error_code error) {
        if (error) return;
        const std::vector<Connection*> late(hub_.open.begin(), hub_.open.end());
        for (Connection* connection : late) connection->close_now();
      });
    });
    thread_.join();
  }
  handlers_.join();
}

HttpServer::HttpServer(Backend backend, RouterOptions options, ServerLimits limits)
    : backend_(backend), options_(std::move(options)), limits_(limits) {}

HttpServer::~HttpServer() { stop(); }

Result<std::uint16_t> HttpServer::start(const std::string& host, std::uint16_t port) {
  SLUICE_CHECK(check_listen_address(host));
  options_.listen_host = host;
  auto running = std::make_unique<Running>(backend_, options_, limits_);
  SLUICE_TRY(const std::uint16_t bound, running->listen(host, port));
  running->run(backend_.service);
  running_ = std::move(running);
  return bound;
}

void HttpServer::stop() { running_.reset(); }

}  // namespace sluice::api
