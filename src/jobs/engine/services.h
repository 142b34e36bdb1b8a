// The background services of an engine: one thread each, started again after errors.
#pragma once

#include "base/clock.h"
#include "jobs/background.h"

#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sluice::jobs {

class Services {
 public:
  // `changed` is called after each change of a state, on the service's thread.
  Services(Clock& clock, std::function<void()> changed) : clock_(clock), changed_(std::move(changed)) {}
  ~Services() { stop(); }
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  void add(std::string name, BackgroundService service, RestartPause pause);  // before start()
  void start();
  // Asks all, then waits for all. Harmless when called twice.
  void stop();
  std::vector<ServiceStatus> status() const;

 private:
  struct One {
    BackgroundService service;
    RestartPause pause;
    ServiceStatus status;
    std::jthread thread;
  };
  void run(One& one, const std::stop_token& stop);
  void set(One& one, ServiceState state, std::string error = {});

  Clock& clock_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;  // guards each status
  std::list<One> services_;
};

}  // namespace sluice::jobs
