// Who wants to hear of changes. Shared by the engine and the subscriptions, so either may go first.
#pragma once

#include "jobs/engine.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace sluice::jobs {

class Listeners {
 public:
  // The subscription holds the list weakly. When it has ended, no call is under way any more.
  static Subscription add(const std::shared_ptr<Listeners>& list, Listener listener);
  void send(const Change& change) const;

 private:
  struct Entry {
    std::recursive_mutex mutex;  // held during a call; a listener may end its own subscription
    bool ended = false;
    Listener listener;
  };

  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Entry>> entries_;
};

}  // namespace sluice::jobs
