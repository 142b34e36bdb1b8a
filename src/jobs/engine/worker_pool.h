// A fixed number of threads that run attempts in the order given.
#pragma once

#include "jobs/engine/attempt.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::jobs {

class WorkerPool {
 public:
  using Run = std::function<void(const std::shared_ptr<Attempt>&)>;

  // `freed` is called after each attempt, when its worker counts as free again.
  WorkerPool(int workers, Run run, std::function<void()> freed)
      : workers_(workers), run_(std::move(run)), freed_(std::move(freed)) {}
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void start();
  // Workers with nothing to do.
  int free() const;
  // At most free() attempts may be handed over; false when the pool is closed.
  bool submit(std::shared_ptr<Attempt> attempt);
  // Takes no more; returns what has not begun.
  std::vector<std::shared_ptr<Attempt>> close();
  // Waits until all is done; false when the time is over first.
  bool wait_idle(std::chrono::milliseconds timeout);
  void join();  // after close()

 private:
  void work();

  const int workers_;
  const Run run_;
  const std::function<void()> freed_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<std::shared_ptr<Attempt>> waiting_;
  int busy_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::jobs
