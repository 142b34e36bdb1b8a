#include "service/service.h"

#include "fetch/address_policy.h"
#include "fetch/connection_pool.h"
#include "fetch/url.h"
#include "history/query.h"
#include "jobs/shared_definitions.h"
#include "jobs/sqlite/store.h"
#include "service/job_store.h"
#include "service/load_job.h"
#include "service/loader_schedule.h"
#include "service/table_owners.h"
#include "sql/database_url.h"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace sluice::service {
namespace {

constexpr std::chrono::seconds kLookAtOthers{2};

void log_problems(const Definitions& definitions) {
  for (const auto& problem : definitions.problems) {
    if (problem.severity == definition::Problem::Severity::error) {
      spdlog::error("{}", definition::render(problem));
    } else {
      spdlog::warn("{}", definition::render(problem));
    }
  }
  for (const auto& file : definitions.files) {
    if (file.using_stored) spdlog::warn("{} is broken: its last accepted version runs", file.report.file);
  }
}

}  // namespace

fetch::Policy fetch_policy(const ServiceOptions& options) {
  // Absolute first: weakly_canonical leaves a relative path of which nothing exists yet as it is.
  const auto resolved = [](const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored);
  };
  fetch::Policy policy;
  const auto root = resolved(options.definitions);
  policy.allowed_roots.push_back(root.has_parent_path() ? root.parent_path() : root);
  for (const auto& path : options.allow_paths) policy.allowed_roots.push_back(resolved(path));
  policy.allowed_addresses = options.allow_addresses;
  return policy;
}

definition::CheckOptions check_options(const ServiceOptions& options) {
  definition::CheckOptions check;
  check.root = options.definitions;
  check.allowed_paths = options.allow_paths;
  check.url_allowed = [policy = fetch_policy(options)](const std::string& url) -> Result<void> {
    SLUICE_TRY(const auto parsed, fetch::parse_url(url));
    return fetch::check_host(parsed.host, policy);
  };
  check.database_given = !options.database.empty();
  check.allow_commands = options.allow_commands;
  return check;
}

Service::Service(ServiceOptions options, Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      started_at_(clock.now()),
      databases_(options_.database, options_.data),
      environment_{.clock = clock,
                   .spool_directory = options_.data / "spool",
                   .policy = fetch_policy(options_),
                   .user_agent = "sluice/" + options_.version,
                   .connections = std::make_shared<fetch::ConnectionPool>()},
      task_environment_{.clock = clock,
                        .policy = environment_.policy,
                        .user_agent = environment_.user_agent,
                        .connections = environment_.connections} {}

Result<std::unique_ptr<Service>> Service::open(ServiceOptions options, Clock& clock) {
  std::unique_ptr<Service> service(new Service(std::move(options), clock));
  const auto& data = service->options_.data;
  SLUICE_CHECK(make_private_directory(data));
  SLUICE_CHECK(make_private_directory(data / "spool"));
  if (service->options_.serving) {
    SLUICE_TRY(service->serve_lock_, jobs::lock_for_serving(data));
  }
  SLUICE_TRY(service->own_store_, open_job_store(service->options_.database, data));
  service->store_ = service->own_store_.get();
  jobs::DefinitionStore* remembered = service->options_.serving ? &service->store_->definitions() : nullptr;
  service->keeper_ = std::make_unique<CatalogKeeper>(check_options(service->options_), remembered, clock);

  jobs::EngineOptions engine;
  engine.workers = service->options_.workers;
  engine.work = service->options_.work;
  engine.version = service->options_.version;
  engine.fire_recurring = service->options_.serving;
  engine.only_pinned = !service->options_.serving;
  service->own_engine_ = std::make_unique<jobs::Engine>(*service->store_, clock, engine);
  service->engine_ = service->own_engine_.get();
  if (auto* shared = remembered != nullptr ? jobs::shared_definitions(*service->store_) : nullptr) {
    service->shared_ = std::make_unique<SharedCatalog>(*shared, service->engine_->node_id());
    service->keeper_->share(*service->shared_);
  }
  const LoadSetting setting{*service->keeper_, service->databases_, service->environment_,
                            service->store_->identity()};
  service->engine_->register_handler(std::string(kLoadKind), load_handler(setting));
  service->engine_->register_handler(std::string(kPlanKind), plan_handler(setting));
  const auto pause = [engine = service->engine_](const std::string& loader,
                                                 const std::string& reason) -> Result<void> {
    auto paused = engine->pause_recurring(recurring_id(loader), "undo", reason);
    // No service has taken up the loader: nothing runs it but a hand.
    if (!paused && paused.error().code == ErrorCode::not_found) return {};
    return paused;
  };
  service->engine_->register_handler(std::string(kUndoKind), undo_handler(setting, pause));
  service->register_tasks();
  return service;
}

std::unique_ptr<Service> Service::over(jobs::Store& store, jobs::Engine& engine, Clock& clock,
                                       std::string version) {
  ServiceOptions options;
  // There is nothing to load, and no folder that anything is read from or written to.
  options.definitions.clear();
  options.data = "/dev/null";
  options.serving = true;
  options.version = std::move(version);
  std::unique_ptr<Service> service(new Service(std::move(options), clock));
  service->store_ = &store;
  service->engine_ = &engine;
  service->keeper_ = std::make_unique<CatalogKeeper>(definition::CheckOptions(), nullptr, clock);
  return service;
}

Service::~Service() { stop(); }

Result<void> Service::start() {
  SLUICE_TRY(const auto changed, keeper_->reload());
  if (!options_.serving) return engine_->start();
  log_problems(*definitions());
  // A service whose database cannot be used would fail every run: say so now, and what to do.
  SLUICE_CHECK(check_targets());
  SLUICE_CHECK(apply_schedules(changed));
  SLUICE_CHECK(engine_->start());
  SLUICE_CHECK(run_at_startup(*definitions(), changed.added, true));
  SLUICE_CHECK(run_tasks_at_startup(*definitions()));
  watch_ = std::make_unique<FolderWatch>(options_.definitions);
  SLUICE_CHECK(watch_->start([this] { reload_until_done(); }));
  // What was saved between the first look and the watch's start.
  reload_until_done();
  if (shared_) others_ = std::jthread([this](const std::stop_token& stop) { watch_others(stop); });
  return {};
}

void Service::watch_others(const std::stop_token& stop) {
  while (clock_.sleep_for(kLookAtOthers, stop)) {
    // A store that cannot be reached is the engine's to tell.
    const auto changed = shared_->changed_elsewhere();
    if (changed && *changed) reload_until_done();
  }
}

Result<void> Service::check_targets() const {
  const auto catalog = definitions()->catalog;
  const auto check = [&](const LoaderSpec& loader) -> Result<void> {
    SLUICE_TRY(const auto database, databases_.url_for(loader, catalog->service));
    SLUICE_TRY(const auto parsed, sql::parse_database_url(database));
    auto usable = sql::check_target(parsed);
    if (usable) return usable;
    return fail_within(loader.name.empty() ? "service" : "loader " + loader.name, std::move(usable).error());
  };
  if (!databases_.jobs_only()) return check({});
  // Each loader has to say where it loads, or the service file for all; without loaders there is nothing to
  // say.
  for (const auto& loader : catalog->loaders) SLUICE_CHECK(check(loader.spec));
  return {};
}

void Service::reload_until_done() {
  auto pause = std::chrono::milliseconds(200);
  for (;;) {
    const auto reloaded = reload();
    if (reloaded) return;
    spdlog::error("reload: {}; trying again in {} ms", reloaded.error().describe(), pause.count());
    if (!clock_.sleep_for(pause, stopping_.get_token())) return;
    pause = std::min(pause * 2, std::chrono::milliseconds(30'000));
  }
}

void Service::stop() {
  stopping_.request_stop();
  if (watch_) watch_->stop();
  if (others_.joinable()) {
    others_.request_stop();
    others_.join();
  }
  if (own_engine_) own_engine_->stop();
}

Result<void> Service::reload() {
  std::lock_guard lock(reload_mutex_);
  const auto before = definitions();
  SLUICE_TRY(const auto changed, keeper_->reload());
  const auto now = definitions();
  log_problems(*now);
  // Kept until they were looked at: the next lines may fail, and the next reload finds nothing new any more.
  new_loaders_.insert(changed.added.begin(), changed.added.end());
  SLUICE_CHECK(apply_schedules(changed));
  SLUICE_CHECK(run_at_startup(*now, {new_loaders_.begin(), new_loaders_.end()}, false));
  new_loaders_.clear();
  if (before->catalog->hash != now->catalog->hash) {
    spdlog::info("definitions reloaded: {} loaders and {} jobs, {} new, {} gone",
                 now->catalog->loaders.size(), now->catalog->tasks.size(),
                 changed.added.size() + changed.added_tasks.size(),
                 changed.removed.size() + changed.removed_tasks.size());
  }
  // A reload parses every file; a service that idles for most of its life gives that memory back.
  malloc_trim(0);
  std::function<void()> listener;
  {
    std::lock_guard listener_lock(listener_mutex_);
    listener = definitions_changed_;
  }
  if (listener) listener();
  return {};
}

void Service::on_definitions_changed(std::function<void()> listener) {
  std::lock_guard lock(listener_mutex_);
  definitions_changed_ = std::move(listener);
}

Result<JobId> Service::run(std::string_view name, jobs::Origin origin, std::string started_by) {
  const auto current = definitions();
  const auto found = current->catalog->find_runnable(name);
  if (!found) {
    const auto near = current->catalog->nearest_name(name);
    return fail(ErrorCode::not_found,
                near.empty()
                    ? fmt::format("there is no loader or job \"{}\"", name)
                    : fmt::format("there is no loader or job \"{}\"; did you mean \"{}\"?", name, near));
  }
  auto job = found.loader != nullptr ? load_job(*found.loader, origin, std::move(started_by))
                                     : task_job(*found.task, origin, std::move(started_by));
  return options_.serving ? engine_->enqueue(std::move(job)) : engine_->run_here(std::move(job));
}

jobs::NewJob Service::new_job(const std::string& name, const ScheduleSpec& schedule, std::string recurring_id,
                              jobs::Origin origin, std::string started_by) const {
  jobs::NewJob job;
  job.subject = name;
  job.origin = origin;
  job.started_by = std::move(started_by);
  job.exclusive_key = name;
  job.timeout = schedule.timeout;
  // A command reports the first failure; waiting for minutes to try again is the service's business.
  if (!options_.serving) return job;
  job.retry = retry_policy(schedule.retry);
  job.recurring_id = std::move(recurring_id);  // goes with the definition
  // At start-up a run that is waiting or being retried already is enough.
  job.unless_live = origin == jobs::Origin::startup;
  return job;
}

jobs::NewJob Service::load_job(const definition::LoaderDefinition& loader, jobs::Origin origin,
                               std::string started_by) const {
  const auto& spec = loader.spec;
  auto job = new_job(spec.name, spec.schedule, recurring_id(spec.name), origin, std::move(started_by));
  job.kind = kLoadKind;
  const bool own_target = !options_.serving && !databases_.jobs_only();
  job.args = load_args(spec.name, own_target ? options_.database : std::string());
  return job;
}

Result<JobId> Service::plan_loader(std::string_view name, jobs::Origin origin, std::string started_by) {
  const auto current = definitions();
  const auto* loader = current->catalog->find(name);
  if (loader == nullptr) return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\"", name));
  jobs::NewJob job;
  job.kind = kPlanKind;
  job.subject = loader->spec.name;
  job.name = "plan " + loader->spec.name;
  job.args = load_args(loader->spec.name, {});
  job.origin = origin;
  job.started_by = std::move(started_by);
  if (!options_.serving) return engine_->run_here(std::move(job));
  job.recurring_id = recurring_id(loader->spec.name);
  return engine_->enqueue(std::move(job));
}

Result<JobId> Service::undo_job(JobId of, bool keep_running, jobs::Origin origin, std::string started_by) {
  SLUICE_TRY(const auto run, store_->queries().get(of));
  if (!run) return fail(ErrorCode::not_found, fmt::format("there is no job {}", of.value()));
  if ((run->kind != kLoadKind && run->kind != kUndoKind) || run->state != jobs::JobState::succeeded) {
    return fail(ErrorCode::conflict,
                fmt::format("job {} ({}, {}) is not a run that succeeded: there is nothing to take back",
                            of.value(), run->kind, jobs::to_string(run->state)));
  }
  if (definitions()->catalog->find(run->subject) == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\" any more", run->subject));
  jobs::NewJob job;
  job.kind = kUndoKind;
  job.subject = run->subject;
  job.name = fmt::format("undo job {} of {}", of.value(), run->subject);
  const bool own_target = !options_.serving && !databases_.jobs_only();
  job.args = undo_args(run->subject, own_target ? options_.database : std::string(), of, keep_running);
  job.origin = origin;
  job.started_by = std::move(started_by);
  job.exclusive_key = run->subject;
  return options_.serving ? engine_->enqueue(std::move(job)) : engine_->run_here(std::move(job));
}

}  // namespace sluice::service
