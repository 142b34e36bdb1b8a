// Time is passed in, never taken: planning uses now(), measuring uses steady(), waiting is interruptible.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>

namespace sluice {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  virtual std::chrono::steady_clock::time_point steady() const = 0;
  // Waits for the duration or until stop is requested. Returns false when stopped.
  virtual bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) = 0;
};

// The machine's clock. Thread-safe.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  std::chrono::steady_clock::time_point steady() const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override;
};

// For tests: stands still until advanced; sleep_for advances it and returns at once. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = Timestamp{}) : now_(start) {}
  Timestamp now() const override;
  std::chrono::steady_clock::time_point steady() const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override;
  void advance(std::chrono::microseconds by);
  void set(Timestamp to);
  std::chrono::milliseconds slept() const;  // sum of all sleeps asked for

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
  std::chrono::milliseconds slept_{0};
};

// "2026-01-05T09:30:00.250Z": ISO 8601, UTC; fractions only when there are any.
std::string format_utc(Timestamp time);

}  // namespace sluice
