#include "jobs/engine/worker_pool.h"

#include <algorithm>

namespace sluice::jobs {

WorkerPool::~WorkerPool() {
  close();
  join();
}

void WorkerPool::start() {
  threads_.reserve(static_cast<std::size_t>(workers_));
  for (int i = 0; i < workers_; ++i) threads_.emplace_back([this] { work(); });
}

int WorkerPool::free() const {
  std::lock_guard lock(mutex_);
  return closed_ ? 0 : std::max(0, workers_ - busy_ - static_cast<int>(waiting_.size()));
}

bool WorkerPool::submit(std::shared_ptr<Attempt> attempt) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    waiting_.push_back(std::move(attempt));
  }
  wake_.notify_one();
  return true;
}

std::vector<std::shared_ptr<Attempt>> WorkerPool::close() {
  std::vector<std::shared_ptr<Attempt>> unbegun;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    unbegun.assign(waiting_.begin(), waiting_.end());
    waiting_.clear();
  }
  wake_.notify_all();
  return unbegun;
}

bool WorkerPool::wait_idle(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, timeout, [this] { return busy_ == 0 && waiting_.empty(); });
}

void WorkerPool::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::shared_ptr<Attempt> attempt = std::move(waiting_.front());
    waiting_.pop_front();
    ++busy_;
    lock.unlock();
    run_(attempt);
    lock.lock();
    if (--busy_ == 0) idle_.notify_all();
    lock.unlock();
    freed_();
    lock.lock();
  }
}

}  // namespace sluice::jobs
