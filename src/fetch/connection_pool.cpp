#include "fetch/connection_pool.h"

#include "fetch/curl_handles.h"

namespace sluice::fetch {
namespace {

// More only wait in memory: a service runs few fetches at once.
constexpr std::size_t kMostIdle = 8;

}  // namespace

ConnectionPool::ConnectionPool() = default;
ConnectionPool::~ConnectionPool() = default;

std::unique_ptr<ConnectionPool::Handles> ConnectionPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto handles = std::move(idle_.back());
      idle_.pop_back();
      return handles;
    }
  }
  return std::make_unique<Handles>();
}

void ConnectionPool::give_back(std::unique_ptr<Handles> handles) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(handles));
  // A surplus pair is closed by the parameter's end, after the lock is gone.
}

}  // namespace sluice::fetch
