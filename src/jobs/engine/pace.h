// How many jobs a node claims beyond its free workers, so that short jobs need not wait for a claim each.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace sluice::jobs {

// Thread-safe. Times are the clock's steady ones.
class Pace {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  explicit Pace(int workers) : workers_(workers) {}
  void ended(std::chrono::nanoseconds took, Steady now);
  // `full`: a claim found as many as it had asked for, so there is more.
  void claimed(bool full, Steady now);
  // What its workers do within 10 ms; nothing while attempts take longer, or while they are few.
  int ahead(Steady now) const;
  // Attempts were handed to the workers without a claim.
  void handed_over(Steady now);
  // How many of those that wait for a worker had better go elsewhere: claimed more than a second ago, and
  // more than would be claimed now.
  int surplus(int waiting, Steady now) const;

 private:
  int most_ahead(Steady now) const;

  const int workers_;
  mutable std::mutex mutex_;  // guards what follows
  std::int64_t ended_ = 0;
  double average_ns_ = 0;
  Steady last_{}, claimed_{};
  int ahead_ = 0;
};

}  // namespace sluice::jobs
