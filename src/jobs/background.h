// Background services: what a program wants done all the time while its engine runs, beside jobs. Listening
// to a queue of somebody else's, say, or looking after a cache.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

namespace sluice::jobs {

// Runs on a thread of its own from Engine::start() until stop() requests it by the token, which it heeds
// within a moment. A value ends it for good; an error, or what it throws, starts it again after a pause.
using BackgroundService = std::function<Result<void>(std::stop_token)>;

// The pause after an error; doubled with each, and from the start again once it ran for longer than
// `longest`.
struct RestartPause {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds longest{60'000};
};

enum class ServiceState { waiting_for_start, running, pausing, ended };
std::string_view to_string(ServiceState state);

struct ServiceStatus {
  std::string name;
  ServiceState state = ServiceState::waiting_for_start;
  int restarts = 0;
  std::string error;  // of its last end by one; empty = none so far
  Timestamp since{};  // when the state began
};

}  // namespace sluice::jobs
