// What the measurements of the job engine share: a fresh store to measure, percentiles, one JSON line each.
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "jobs/store.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::bench {

using Steady = std::chrono::steady_clock;

// Ends the program with the error.
[[noreturn]] void give_up(const Error& error);
template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// A database that is empty at first and is thrown away: a SQLite folder, or a schema at a PostgreSQL URL.
class Place {
 public:
  explicit Place(std::string_view url);  // "sqlite" or postgres://…
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  // Each one opened is as another process's.
  std::unique_ptr<jobs::Store> open() const;
  // SQL on a connection of its own, beside the store.
  void execute(const std::string& script) const;
  bool postgres() const { return !url_.reveal().empty(); }
  std::string name() const { return postgres() ? "PostgreSQL" : "SQLite"; }
  const Secret& url() const { return url_; }

 private:
  Secret url_;
  std::filesystem::path folder_;
};

jobs::NewJob noop();
void preload(jobs::Store& store, int count);

// What a measurement took, by the clock and of processors.
struct Cost {
  Steady::duration took{};
  std::chrono::duration<double> cpu{};
};
// {"name":…,"jobs":…,"perSecond":…,"cpuMicros":…}, the last one for each job
void say_rate(std::string_view name, int jobs, const Cost& cost);
// {"name":…,"samples":…,"p50":…,"p95":…,"p99":…,"max":…}, in milliseconds
void say_times(std::string_view name, std::vector<double> milliseconds);

inline double ms(Steady::duration took) { return std::chrono::duration<double, std::milli>(took).count(); }

// The measurements; each makes its own Place.
void throughput(const std::string& url, int jobs);
void singly(const std::string& url, int jobs);
void pinned(const std::string& url, int jobs);
void latency(const std::string& url, int samples);
void scale(const std::string& url, int jobs);
void recurring(const std::string& url, int seconds);

}  // namespace sluice::bench
