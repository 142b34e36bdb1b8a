#include "api/dashboard.h"

#include "api/live_backend.h"
#include "api/server.h"
#include "service/service.h"

#include <fmt/format.h>

namespace sluice::api {

struct Dashboard::State {
  State(jobs::Store& store, jobs::Engine& engine, Clock& clock, const DashboardOptions& options)
      : service(service::Service::over(store, engine, clock, options.version)), backend(*service) {}

  std::unique_ptr<service::Service> service;
  LiveBackend backend;
  std::unique_ptr<HttpServer> server;  // the first to go: it asks the others
  std::string host;
  std::uint16_t port = 0;
};

Dashboard::Dashboard(std::unique_ptr<State> state) : state_(std::move(state)) {}
Dashboard::~Dashboard() = default;

Result<std::unique_ptr<Dashboard>> Dashboard::start(jobs::Store& store, jobs::Engine& engine, Clock& clock,
                                                    const DashboardOptions& options) {
  auto state = std::make_unique<State>(store, engine, clock, options);
  RouterOptions router;
  router.listen_host = options.host;
  router.allowed_hosts = options.allowed_hosts;
  router.version = options.version;
  state->server = std::make_unique<HttpServer>(state->backend.backend(), std::move(router));
  SLUICE_TRY(state->port, state->server->start(options.host, options.port));
  state->host = options.host;
  return std::unique_ptr<Dashboard>(new Dashboard(std::move(state)));
}

std::uint16_t Dashboard::port() const { return state_->port; }

std::string Dashboard::url() const {
  const bool bare_v6 = state_->host.find(':') != std::string::npos && !state_->host.starts_with('[');
  return fmt::format(fmt::runtime(bare_v6 ? "http://[{}]:{}/jobs" : "http://{}:{}/jobs"), state_->host,
                     state_->port);
}

}  // namespace sluice::api
