// A real HTTP server on a loopback port, for tests: each request is answered by a script that writes the raw
// bytes, so that it can also misbehave. One thread accepts, one serves each connection.
#pragma once

#include "base/file.h"

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::fetch::test {

struct SeenRequest {
  std::string line;  // "GET /x HTTP/1.1"
  std::string head;  // all header lines
  std::string body;  // as long as Content-Length says
  // The value of a header, or "" when it was not sent.
  std::string header(std::string_view name) const;
};

class HttpServer {
 public:
  class Reply {
   public:
    Reply(const HttpServer& server, int socket) : server_(server), socket_(socket) {}
    bool send(std::string_view bytes) const;  // false when the client has gone
    // A whole response with Content-Length; `headers` are lines without line ends.
    void answer(std::string_view status, const std::vector<std::string>& headers,
                std::string_view body) const;
    void wait_until_gone() const;  // until the client hangs up or the server stops
    // Sends `piece` again and again with pauses between: until the client hangs up, the server stops, or
    // `most` pieces were sent.
    void drip(std::string_view piece, int most, std::chrono::milliseconds pause) const;
    void reset() const;  // the connection ends with RST instead of FIN

   private:
    const HttpServer& server_;
    int socket_;
  };
  // `number` counts requests from 0. Returns whether the connection stays open.
  using Script = std::function<bool(const SeenRequest& request, int number, const Reply& reply)>;

  explicit HttpServer(Script script);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return port_; }
  std::string url(std::string_view path = "/data.json", std::string_view host = "127.0.0.1") const;
  std::vector<SeenRequest> seen() const;

 private:
  void accept_all();
  void serve(int socket);

  Script script_;
  FileHandle listener_;
  FileHandle stop_;  // an eventfd, readable once the server stops
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> seen_;
  std::vector<std::jthread> connections_;  // used by the accepting thread, and after its end
  std::jthread acceptor_;
};

}  // namespace sluice::fetch::test
