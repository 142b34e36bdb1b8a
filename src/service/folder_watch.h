// Tells when something in the definitions folder changed. inotify where it works, polling where it does not
// (no inotify, watch limit reached, network and container file systems by request).
#pragma once

#include "base/error.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace sluice::service {

struct FolderWatchOptions {
  // Waits until nothing changed for so long (at most 10 times that, when changes never stop).
  std::chrono::milliseconds quiet{50};
  bool force_polling = false;
  std::chrono::milliseconds poll_interval{1000};
};

class FolderWatch {
 public:
  using Callback = std::function<void()>;

  explicit FolderWatch(std::filesystem::path root, FolderWatchOptions options = {});
  ~FolderWatch();  // stops
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches the root and all folders below, new ones included. The callback runs on the watch's own thread,
  // once for a burst of changes, for every change made after start() returned. A root that vanishes and comes
  // back is picked up again. Fails when the root is no folder.
  Result<void> start(Callback changed);
  // Returns when the callback is not running and never will again. Idempotent; not to be called from the
  // callback.
  void stop();

  bool polling() const;  // true when inotify is not in use; stable after start()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::service
