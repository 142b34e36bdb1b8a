// A way to a PostgreSQL server that can become a black hole: what is sent goes nowhere and nothing comes
// back, but no connection is closed. Programs reach the server through url(); one thread passes the bytes on.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace sluice::test {

class PostgresProxy {
 public:
  /// `url` names a server on a Unix socket (postgres://…?host=/folder). The process ends with a message when
  /// the proxy cannot listen.
  explicit PostgresProxy(const std::string& url);
  ~PostgresProxy();
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;

  const std::string& url() const { return url_; }
  /// From now on the connections that have sent a LISTEN are black holes, for good, and with `later_too`
  /// those that send one from now on. Returns how many there are, after the thread has seen the order.
  int swallow_listeners(bool later_too = false);

 private:
  struct State;
  void loop();

  std::string folder_, url_;
  std::unique_ptr<State> state_;
  std::jthread thread_;
};

}  // namespace sluice::test
