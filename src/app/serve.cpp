// sluice serve: the service with its page.
#include "api/live_backend.h"
#include "api/protection.h"
#include "api/router.h"
#include "api/server.h"
#include "app/arguments.h"
#include "app/command.h"
#include "app/loaders.h"
#include "app/stop_signals.h"
#include "base/clock.h"
#include "definition/schema.h"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <memory>

namespace sluice::app {
namespace {

struct ServeOptions {
  std::filesystem::path folder;
  std::string listen = "127.0.0.1:8080";
  int workers = 0;
  bool no_work = false;
};

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address;
  const auto digits =
      colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || code != std::errc() || end != digits.data() + digits.size() || colon == 0) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("--listen wants HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, not \"{}\"", text));
  }
  address.host = text.substr(0, colon);
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return address;
}

int run_serve(const ServeOptions& options, const GlobalOptions& globals) {
  const auto address = parse_address(options.listen);
  if (!address) return report(address.error(), globals);
  if (auto allowed = api::check_listen_address(address->host); !allowed) {
    report(allowed.error(), globals);
    return 2;
  }
  // Two arenas do for two or three busy threads; the default of eight a core keeps what each of them once
  // needed.
  mallopt(M_ARENA_MAX, 2);
  // Fixed, or they grow with the largest answer or reload, and what that needed is never given back.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  mallopt(M_TRIM_THRESHOLD, 512 * 1024);
  const StopSignals signals;
  SystemClock clock;
  auto service_options = app::service_options(globals);
  if (!options.folder.empty()) service_options.definitions = options.folder;
  service_options.workers = options.workers;
  service_options.work = !options.no_work;
  service_options.serving = true;
  auto service = service::Service::open(service_options, clock);
  if (!service) return report(service.error(), globals);

  api::LiveBackend backend(**service);
  api::RouterOptions router;
  router.listen_host = address->host;
  router.version = SLUICE_VERSION;
  router.loader_schema = definition::json_schema(definition::FileKind::loader);
  router.job_schema = definition::json_schema(definition::FileKind::job);
  if (auto started = (*service)->start(); !started) return report(started.error(), globals);
  router.allowed_hosts = (*service)->definitions()->catalog->service.allowed_hosts;
  api::HttpServer server(backend.backend(), std::move(router));
  const auto port = server.start(address->host, address->port);
  if (!port) {
    (*service)->stop();
    report(port.error(), globals);
    return port.error().code == ErrorCode::invalid_argument ? 2 : 3;
  }
  const auto definitions = (*service)->definitions();
  const auto shown_host =
      address->host.find(':') == std::string::npos ? address->host : '[' + address->host + ']';
  const auto tasks = definitions->catalog->tasks.size();
  spdlog::info("serving {} loaders{} from {}", definitions->catalog->loaders.size(),
               tasks == 0 ? "" : fmt::format(" and {} jobs", tasks), service_options.definitions.string());
  if (options.no_work)
    spdlog::info("no jobs are run here (--no-work): they wait for another node on the same database");
  spdlog::info("the page: http://{}:{}/jobs", shown_host, *port);
  signals.wait();
  spdlog::info("stopping; Ctrl-C again ends at once");
  server.stop();
  (*service)->stop();
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  auto* command = app.add_subcommand("serve", "The service: definitions, schedules, and the page at /jobs");
  command->add_option("dir", options->folder, "Folder of the definitions (default: --definitions)")
      ->type_name("");
  command->add_option("--listen", options->listen, "Address of the page; only loopback without accounts")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  auto* workers = command
                      ->add_option("--workers", options->workers,
                                   "Jobs run at once, at most 256 (default: twice the processors, 8 at most)")
                      ->type_name("N")
                      ->check(whole_number(1, 256));
  command
      ->add_flag(
          "--no-work", options->no_work,
          "Run no jobs: serve the page and fire schedules for the nodes that work on the same PostgreSQL")
      ->excludes(workers);
  command->footer("Example:\n  sluice serve definitions --listen 127.0.0.1:8080");
  command->callback([options, &globals, &action] {
    action = [options, &globals] { return run_serve(*options, globals); };
  });
}

}  // namespace sluice::app
