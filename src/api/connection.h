// One client connection on a coroutine. Beast and Asio: include only where sockets are.
#pragma once

#include "api/event_change.h"
#include "api/router.h"
#include "api/server.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

namespace sluice::api {

class Connection;

// What the connections of one server share. Touched on the server's own thread only.
struct Hub {
  const Router& router;
  const ServerLimits& limits;
  boost::asio::thread_pool& handlers;
  std::string version;
  std::unordered_set<Connection*> open;
  int event_streams = 0;
  std::uint64_t last_event = 0;
  bool stopping = false;
  std::function<void()> on_drained;  // called when the last connection ends while stopping
};

class Connection {
 public:
  using Stream = boost::beast::basic_stream<boost::asio::ip::tcp, boost::asio::any_io_executor>;

  Connection(Hub& hub, boost::asio::ip::tcp::socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves until either side closes. Never throws. The coroutine owns the connection.
  static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> self);

  void notify(const EventChange& change);  // for event streams; others ignore it
  void stop_when_idle();                   // idle and event streams close now, busy ones after their answer
  void close_now();

 private:
  using Answer = boost::beast::http::response<boost::beast::http::string_body>;

  boost::asio::awaitable<bool> read_request(Request& request, bool& keep_alive);
  boost::asio::awaitable<void> refuse(int status, std::string_view code, std::string_view message);
  boost::asio::awaitable<bool> write(Response response, bool head, bool keep_alive);
  boost::asio::awaitable<void> stream_events(Response response);
  boost::asio::awaitable<void> requests();

  Hub& hub_;
  Stream stream_;
  boost::asio::steady_timer wake_;
  boost::beast::flat_buffer buffer_;
  std::string peer_;
  EventChange pending_;
  bool busy_ = false;
  bool streaming_ = false;
};

}  // namespace sluice::api
