#include "api/connection.h"

#include "api/protection.h"
#include "base/text.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <malloc.h>

namespace sluice::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kLinger{1};
constexpr std::size_t kMostLinger = 256 * 1024;
constexpr std::size_t kLargeAnswer = 1024 * 1024;

struct Refusal {
  int status;
  std::string_view code, message;
};

// What a client that broke the protocol is told, or nothing when it just went away.
std::optional<Refusal> refusal_for(const error_code& error) {
  if (error == http::error::header_limit) {
    return Refusal{431, "tooLarge", "the request's header is larger than this service takes"};
  }
  if (error == http::error::body_limit) {
    return Refusal{413, "tooLarge", "the request's body is larger than this service takes"};
  }
  if (error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return Refusal{400, "malformed", "this is not an HTTP request that can be understood"};
  }
  return std::nullopt;
}

template <class Message>
void copy_headers(const Response& response, Message& message) {
  message.set(http::field::server, "sluice");
  message.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.set(name, value);
}

}  // namespace

Connection::Connection(Hub& hub, asio::ip::tcp::socket socket)
    : hub_(hub), stream_(std::move(socket)), wake_(stream_.get_executor()) {
  error_code error;
  const auto peer = stream_.socket().remote_endpoint(error);
  peer_ = error ? std::string("unknown") : peer.address().to_string();
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), error);
  hub_.open.insert(this);
}

Connection::~Connection() {
  hub_.open.erase(this);
  if (streaming_) --hub_.event_streams;
  if (hub_.stopping && hub_.open.empty() && hub_.on_drained) hub_.on_drained();
}

void Connection::notify(const EventChange& change) {
  if (!streaming_) return;
  pending_.add(change);
  wake_.cancel();
}

void Connection::stop_when_idle() {
  if (!busy_) close_now();
}

void Connection::close_now() {
  wake_.cancel();
  stream_.close();
}

asio::awaitable<void> Connection::serve(std::shared_ptr<Connection> self) {
  // Allocation failures and the like: the connection ends, the service goes on.
  try {
    if (static_cast<int>(self->hub_.open.size()) > self->hub_.limits.connections) {
      co_await self->refuse(503, "tooManyConnections",
                            "too many connections are open; try again in a moment");
    } else {
      co_await self->requests();
    }
  } catch (const std::exception&) {
  }
  self->stream_.close();
}

asio::awaitable<void> Connection::requests() {
  bool keep_alive = true;
  while (keep_alive && !hub_.stopping) {
    Request request;
    request.peer = peer_;
    if (!co_await read_request(request, keep_alive)) co_return;
    busy_ = true;
    Response response;
    const Router& router = hub_.router;
    const auto answer = [&router, &request, &response] {
      try {
        response = router.handle(request);
      } catch (const std::exception& error) {
        response = error_response(500, "internal", error.what());
      }
    };
    // Here where it can be: with a store that hangs, every handler thread may be waiting for it, and a
    // process that does not say it lives is killed.
    if (router.is_at_hand(request)) {
      answer();
    } else {
      co_await asio::co_spawn(
          hub_.handlers,
          [&answer]() -> asio::awaitable<void> {
            answer();
            co_return;
          },
          asio::use_awaitable);
    }
    const bool head = request.method == "HEAD";
    if (response.event_stream && !head && !hub_.stopping) {
      if (hub_.event_streams < hub_.limits.event_streams) {
        co_await stream_events(std::move(response));
        co_return;
      }
      response = error_response(503, "tooManyConnections", "too many event streams are open; poll instead");
    }
    keep_alive = keep_alive && !hub_.stopping;
    const bool large = response.body.size() > kLargeAnswer;
    const bool written = co_await write(std::move(response), head, keep_alive);
    // Making a large answer took several times its size: a service that idles gives that back.
    if (large) asio::post(hub_.handlers, [] { malloc_trim(0); });
    if (!written) co_return;
    busy_ = false;
  }
}

asio::awaitable<bool> Connection::read_request(Request& request, bool& keep_alive) {
  if (buffer_.size() == 0) {
    // Idle until the first byte; from then on the whole request has one deadline, however slowly it trickles.
    stream_.expires_after(hub_.limits.idle);
    auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(4096), kAwait);
    if (error) co_return false;
    buffer_.commit(bytes);
  }
  stream_.expires_after(hub_.limits.request);
  http::request_parser<http::string_body> parser;
  parser.header_limit(hub_.limits.header_bytes);
  parser.body_limit(hub_.limits.body_bytes);
  auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, kAwait);
  if (error) {
    if (const auto refusal = refusal_for(error))
      co_await refuse(refusal->status, refusal->code, refusal->message);
    co_return false;
  }
  auto message = parser.release();
  const auto given = message.target();
  auto target = parse_target({given.data(), given.size()});
  if (!target) {
    co_await refuse(400, "invalidArgument", target.error().message);
    co_return false;
  }
  request.target = *std::move(target);
  request.method = std::string(message.method_string());
  for (const auto& field : message) {
    const auto name = field.name_string();
    const auto value = field.value();
    request.headers.emplace_back(to_lower({name.data(), name.size()}),
                                 std::string(value.data(), value.size()));
  }
  keep_alive = message.keep_alive();
  request.body = std::move(message.body());
  co_return true;
}

asio::awaitable<void> Connection::refuse(int status, std::string_view code, std::string_view message) {
  if (!co_await write(error_response(status, code, message), false, false)) co_return;
  // Closing over unread bytes would reset the connection and take the answer with it: read on for a moment.
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kLinger);
  for (std::size_t drained = 0; drained < kMostLinger;) {
    buffer_.clear();
    const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(4096), kAwait);
    if (error) co_return;
    drained += bytes;
  }
}

asio::awaitable<bool> Connection::write(Response response, bool head, bool keep_alive) {
  // What the router never saw is protected like all the rest.
  if (!response.header("Content-Security-Policy")) add_protective_headers(response);
  Answer answer;
  answer.version(11);
  answer.result(static_cast<unsigned>(response.status));
  const auto reason = reason_for(response.status);
  answer.reason({reason.data(), reason.size()});
  copy_headers(response, answer);
  answer.keep_alive(keep_alive);
  const std::size_t size = response.body.size();
  if (!head) answer.body() = std::move(response.body);
  if (response.status == 304) {
    answer.erase(http::field::content_type);
  } else {
    answer.content_length(size);
  }
  stream_.expires_after(hub_.limits.write);
  http::response_serializer<http::string_body> serializer(answer);
  if (head) serializer.split(true);
  auto [error, bytes] = head ? co_await http::async_write_header(stream_, serializer, kAwait)
                             : co_await http::async_write(stream_, serializer, kAwait);
  co_return !error;
}

asio::awaitable<void> Connection::stream_events(Response response) {
  http::response<http::empty_body> head;
  head.version(11);
  head.result(http::status::ok);
  copy_headers(response, head);
  head.keep_alive(false);
  stream_.expires_after(hub_.limits.write);
  http::response_serializer<http::empty_body> serializer(head);
  const auto [failed, written] = co_await http::async_write_header(stream_, serializer, kAwait);
  if (failed) co_return;
  streaming_ = true;
  ++hub_.event_streams;
  busy_ = false;
  // "hello" makes the page fetch afresh whatever it missed, so no Last-Event-ID need be honoured.
  std::string text = fmt::format("retry: 2000\nid: {}\nevent: hello\ndata: {{\"version\":\"{}\"}}\n\n",
                                 hub_.last_event, hub_.version);
  while (!hub_.stopping) {
    stream_.expires_after(hub_.limits.write);
    const auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(text), kAwait);
    if (error || hub_.stopping) co_return;
    stream_.expires_never();
    if (pending_.empty()) {
      wake_.expires_after(hub_.limits.event_ping);
      co_await wake_.async_wait(kAwait);
    }
    if (!stream_.socket().is_open()) co_return;
    text = pending_.empty()
               ? std::string(": ping\n\n")
               : fmt::format("id: {}\nevent: change\ndata: {}\n\n", hub_.last_event, pending_.json());
    pending_.clear();
  }
}

}  // namespace sluice::api
