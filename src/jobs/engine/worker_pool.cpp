#include "jobs/engine/worker_pool.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace sluice::jobs {

namespace {

bool has_key(const std::shared_ptr<Attempt>& attempt) {
  return !attempt->job().exclusive_key.empty() || !attempt->job().limit_key.empty();
}

}  // namespace

WorkerPool::~WorkerPool() {
  close();
  join();
}

void WorkerPool::start() {
  threads_.reserve(static_cast<std::size_t>(workers_));
  for (int i = 0; i < workers_; ++i) threads_.emplace_back([this] { work(); });
}

int WorkerPool::room(int ahead) const {
  std::lock_guard lock(mutex_);
  if (closed_) return 0;
  return std::max(0, workers_ + ahead - busy_ - reserved_ - static_cast<int>(waiting_.size()));
}

int WorkerPool::waiting() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(waiting_.size());
}

int WorkerPool::room_for_keys() const {
  std::lock_guard lock(mutex_);
  return std::max(0, workers_ - static_cast<int>(std::ranges::count_if(waiting_, has_key)));
}

bool WorkerPool::remove(const std::shared_ptr<Attempt>& attempt) {
  std::lock_guard lock(mutex_);
  return std::erase(waiting_, attempt) > 0;
}

int WorkerPool::reserve(int most) {
  std::lock_guard lock(mutex_);
  if (closed_) return 0;
  const int free = workers_ - busy_ - reserved_ - static_cast<int>(waiting_.size());
  const int granted = std::clamp(free, 0, std::max(0, most));
  reserved_ += granted;
  return granted;
}

void WorkerPool::take_back(int reserved) {
  std::lock_guard lock(mutex_);
  reserved_ -= reserved;
}

bool WorkerPool::submit(std::vector<std::shared_ptr<Attempt>> attempts, int reserved) {
  const std::size_t count = attempts.size();
  {
    std::lock_guard lock(mutex_);
    reserved_ -= reserved;
    if (closed_) return count == 0;
    // Not before those of earlier claims: a stream of jobs with keys would keep them waiting for ever.
    for (const bool keyed : {true, false}) {
      for (auto& attempt : attempts) {
        if (attempt && has_key(attempt) == keyed) waiting_.push_back(std::move(attempt));
      }
    }
  }
  if (count == 1) {
    wake_.notify_one();
  } else if (count > 1) {
    wake_.notify_all();
  }
  return true;
}

std::vector<std::shared_ptr<Attempt>> WorkerPool::take_waiting(std::size_t most) {
  std::lock_guard lock(mutex_);
  const auto from = waiting_.end() - static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  std::vector<std::shared_ptr<Attempt>> waiting(from, waiting_.end());
  waiting_.erase(from, waiting_.end());
  return waiting;
}

std::vector<std::shared_ptr<Attempt>> WorkerPool::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  auto unbegun = take_waiting(SIZE_MAX);
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
    const auto left = static_cast<int>(waiting_.size());
    lock.unlock();
    freed_(left);
    lock.lock();
  }
}

}  // namespace sluice::jobs
