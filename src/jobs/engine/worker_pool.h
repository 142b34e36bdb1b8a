// A fixed number of threads that run attempts in the order given.
#pragma once

#include "jobs/engine/attempt.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
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

  // `freed` is called after each attempt, when its worker counts as free again, with how many attempts still
  // wait for one.
  WorkerPool(int workers, Run run, std::function<void(int waiting)> freed)
      : workers_(workers), run_(std::move(run)), freed_(std::move(freed)) {}
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void start();
  // Workers with nothing to do, and nothing promised to them.
  int free() const { return room(0); }
  // How many attempts may be handed over so that no more than `ahead` wait for a worker.
  int room(int ahead) const;
  // Attempts that wait for a worker.
  int waiting() const;
  // Of those with keys so few wait that a worker has time for each of them soon.
  int room_for_keys() const;
  // Whether it waited for a worker; it does no more then, and is the caller's.
  bool remove(const std::shared_ptr<Attempt>& attempt);
  // Promises up to so many free workers to the caller, who then submits, or takes back, as many.
  int reserve(int most);
  void take_back(int reserved);
  // Of these, those with keys go first, as others wait for their keys. False when the pool is closed.
  // `reserved` of them were promised a worker.
  bool submit(std::vector<std::shared_ptr<Attempt>> attempts, int reserved = 0);
  // So many of those that wait, the newest; they are the caller's now.
  std::vector<std::shared_ptr<Attempt>> take_waiting(std::size_t most);
  // Takes no more; returns what has not begun.
  std::vector<std::shared_ptr<Attempt>> close();
  // Waits until all is done; false when the time is over first.
  bool wait_idle(std::chrono::milliseconds timeout);
  void join();  // after close()

 private:
  void work();

  const int workers_;
  const Run run_;
  const std::function<void(int)> freed_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<std::shared_ptr<Attempt>> waiting_;
  int busy_ = 0, reserved_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::jobs
