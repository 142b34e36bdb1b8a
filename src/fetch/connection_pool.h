// libcurl handles that outlive a fetch: with them stay open connections, DNS answers, TLS sessions and the
// parsed certificates of the system, which alone cost some 20 ms of CPU when read anew. One pool serves the
// process; thread-safe. Create it after CurlLibrary.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace sluice::fetch {

class ConnectionPool {
 public:
  struct Handles;  // an easy and a multi handle, used by one thread at a time

  ConnectionPool();
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  std::unique_ptr<Handles> take();
  void give_back(std::unique_ptr<Handles> handles);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handles>> idle_;
};

}  // namespace sluice::fetch
