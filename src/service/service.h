// The running service: definitions + job engine + loads. `sluice serve` starts it whole; `sluice run` and the
// other commands open the parts they need.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "jobs/engine.h"
#include "jobs/store.h"
#include "load/run.h"
#include "service/catalog_keeper.h"
#include "service/databases.h"
#include "service/folder_watch.h"
#include "service/followers.h"
#include "task/run.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::service {

struct ServiceOptions {
  std::filesystem::path definitions = "definitions";
  std::filesystem::path data = "data";
  std::string database;  // --database; "" = what the definitions say
  std::vector<std::filesystem::path> allow_paths;
  std::vector<std::string> allow_addresses;
  bool allow_commands = false;  // jobs may start programs
  int workers = 0;              // 0 = the engine's default
  bool work = true;             // false: runs no jobs; it serves the page, fires schedules and enqueues
  std::string version;
  // True for `serve`: fires schedules, remembers definitions, watches the folder. False for one command: only
  // the jobs it enqueues itself are run here.
  bool serving = false;
};

class Service {
 public:
  // Makes the data folder, opens the job store and reads the definitions. Errors: data folder or store not
  // usable, another service on the same data folder (locked), definitions folder not readable.
  static Result<std::unique_ptr<Service>> open(ServiceOptions options, Clock& clock);
  // Without definitions, over the jobs of another program, for the page to show: nothing is started, stopped,
  // loaded or written to disk here. Store, engine and clock must outlive it.
  static std::unique_ptr<Service> over(jobs::Store& store, jobs::Engine& engine, Clock& clock,
                                       std::string version);
  ~Service();  // stops
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Joins the engine; when serving, also the schedules, what is to run at start-up, and the folder watch.
  Result<void> start();
  // Lets jobs end for a moment, then stops them; what was stopped runs again after the next start.
  void stop();

  // Runs the loader or job once, on this process (command) or on any worker (serving). The id of the job; of
  // the one that is waiting already, where there is one.
  Result<JobId> run(std::string_view name, jobs::Origin origin, std::string started_by);
  Result<JobId> plan_loader(std::string_view name, jobs::Origin origin, std::string started_by);
  // Takes back what the job, a run of a loader, has written; the loader is paused then, unless it is to keep
  // running. Errors: not_found (no such job, or no such loader any more), conflict (no run that succeeded).
  Result<JobId> undo_job(JobId of, bool keep_running, jobs::Origin origin, std::string started_by);

  // Reads the definitions again; the folder watch calls it.
  Result<void> reload();

  DefinitionsPtr definitions() const { return keeper_->current(); }
  jobs::Engine& engine() { return *engine_; }
  jobs::Store& store() { return *store_; }
  const Databases& databases() const { return databases_; }
  Clock& clock() { return clock_; }
  const ServiceOptions& options() const { return options_; }
  Timestamp started_at() const { return started_at_; }

  // Called after every reload, from the thread that reloaded.
  void on_definitions_changed(std::function<void()> listener);

 private:
  Service(ServiceOptions options, Clock& clock);
  // Tells the engine what is new or different since it was told last, and retires what is gone.
  Result<void> apply_schedules(const CatalogKeeper::Changed& changed);
  // Ids of the schedules that are in the store though nothing defines them.
  Result<std::vector<std::string>> leftovers();
  void register_tasks();
  // Tries again, ever more slowly, until the folder and the store could be read: an edit is never lost.
  void reload_until_done();
  void watch_others(const std::stop_token& stop);
  Result<void> check_targets() const;
  Result<void> run_at_startup(const Definitions& definitions, const std::vector<std::string>& names,
                              bool starting);
  Result<void> run_tasks_at_startup(const Definitions& definitions);
  jobs::NewJob load_job(const definition::LoaderDefinition& loader, jobs::Origin origin,
                        std::string started_by) const;
  jobs::NewJob task_job(const definition::TaskDefinition& task, jobs::Origin origin,
                        std::string started_by) const;
  // What jobs of loaders and of tasks have in common.
  jobs::NewJob new_job(const std::string& name, const ScheduleSpec& schedule, std::string recurring_id,
                       jobs::Origin origin, std::string started_by) const;

  ServiceOptions options_;
  Clock& clock_;
  Timestamp started_at_;
  Databases databases_;
  FileLock serve_lock_;
  std::unique_ptr<jobs::Store> own_store_;  // null over another program's
  jobs::Store* store_ = nullptr;
  std::unique_ptr<SharedCatalog> shared_;  // null: the store is this machine's alone
  std::unique_ptr<CatalogKeeper> keeper_;
  load::Environment environment_;
  task::Environment task_environment_;
  std::unique_ptr<jobs::Engine> own_engine_;  // null over another program's
  jobs::Engine* engine_ = nullptr;
  std::stop_source stopping_;
  std::unique_ptr<FolderWatch> watch_;
  std::jthread others_;                // looks at what other nodes declare
  std::mutex reload_mutex_;            // guards what follows, once the service has started
  definition::CatalogPtr scheduled_;   // what the engine was told; null = not all of it
  std::set<std::string> new_loaders_;  // not yet looked at for a run at once
  std::mutex listener_mutex_;
  std::function<void()> definitions_changed_;
};

// What sources may read: the definitions' parent folder and what the command line allows.
fetch::Policy fetch_policy(const ServiceOptions& options);

// Where `sluice check`, `run` and `serve` look for what a definition may read.
definition::CheckOptions check_options(const ServiceOptions& options);

}  // namespace sluice::service
