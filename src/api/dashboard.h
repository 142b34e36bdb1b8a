// The page and the API of the job engine inside another program: /jobs, /api/v1, /metrics over its own store
// and engine, without loaders. See examples/dashboard.cpp.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/engine.h"
#include "jobs/store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::api {

struct DashboardOptions {
  // Loopback only: whoever reaches the page may cancel, retry and run jobs. Put a proxy with accounts in
  // front of it where others shall see it, and name its host here.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;               // 0 takes a free one
  std::vector<std::string> allowed_hosts;  // Host names besides the address that requests may carry
  std::string version = "1.0.0";           // of the program, shown on the page and at /metrics
};

class Dashboard {
 public:
  // Serves from threads of its own until it is destroyed. Store, engine and clock must outlive it; the engine
  // may be started before or after. Errors: invalid_argument (not a loopback address), locked (the port is in
  // use), io.
  static Result<std::unique_ptr<Dashboard>> start(jobs::Store& store, jobs::Engine& engine, Clock& clock,
                                                  const DashboardOptions& options = {});
  ~Dashboard();  // stops; requests under way get a moment
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  std::uint16_t port() const;
  std::string url() const;  // "http://127.0.0.1:8080/jobs"

 private:
  struct State;
  explicit Dashboard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::api
