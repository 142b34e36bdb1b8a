#include "jobs/engine/services.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace sluice::jobs {
namespace {

Result<void> call(const BackgroundService& service, const std::stop_token& stop) {
  try {
    return service(stop);
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, fmt::format("it threw: {}", exception.what()));
  } catch (...) {
    return fail(ErrorCode::internal, "it threw");
  }
}

}  // namespace

std::string_view to_string(ServiceState state) {
  switch (state) {
    case ServiceState::waiting_for_start:
      return "waiting";
    case ServiceState::running:
      return "running";
    case ServiceState::pausing:
      return "pausing";
    case ServiceState::ended:
      return "ended";
  }
  return "?";
}

void Services::add(std::string name, BackgroundService service, RestartPause pause) {
  pause.first = std::max(pause.first, std::chrono::milliseconds(1));
  pause.longest = std::max(pause.longest, pause.first);
  One& one = services_.emplace_back();
  one.service = std::move(service);
  one.pause = pause;
  one.status.name = std::move(name);
  one.status.since = clock_.now();
}

void Services::start() {
  for (One& one : services_)
    one.thread = std::jthread([this, &one](const std::stop_token& stop) { run(one, stop); });
}

void Services::stop() {
  for (One& one : services_) one.thread.request_stop();
  for (One& one : services_) {
    if (one.thread.joinable()) one.thread.join();
  }
}

std::vector<ServiceStatus> Services::status() const {
  std::lock_guard lock(mutex_);
  std::vector<ServiceStatus> all;
  for (const One& one : services_) all.push_back(one.status);
  return all;
}

void Services::set(One& one, ServiceState state, std::string error) {
  {
    std::lock_guard lock(mutex_);
    if (one.status.state == ServiceState::pausing && state == ServiceState::running) ++one.status.restarts;
    one.status.state = state;
    one.status.since = clock_.now();
    if (!error.empty()) one.status.error = std::move(error);
  }
  changed_();
}

void Services::run(One& one, const std::stop_token& stop) {
  auto pause = one.pause.first;
  while (!stop.stop_requested()) {
    set(one, ServiceState::running);
    const auto begun = clock_.steady();
    const auto ended = call(one.service, stop);
    if (stop.stop_requested() || ended) {
      // An error after the request means no more than "I stopped".
      set(one, ServiceState::ended);
      return;
    }
    if (clock_.steady() - begun > one.pause.longest) pause = one.pause.first;
    spdlog::warn("background service \"{}\" ended with an error and starts again in {} ms: {}",
                 one.status.name, pause.count(), ended.error().describe());
    set(one, ServiceState::pausing, ended.error().describe());
    clock_.sleep_for(pause, stop);
    pause = std::min(pause * 2, one.pause.longest);
  }
  set(one, ServiceState::ended);
}

}  // namespace sluice::jobs
