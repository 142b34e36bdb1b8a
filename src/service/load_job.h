// The handlers of the job kinds `load` and `plan`: they pin the catalog, run the loader and leave its
// receipt.
#pragma once

#include "jobs/context.h"
#include "load/run.h"
#include "service/catalog_keeper.h"
#include "service/databases.h"

#include <functional>
#include <string>

namespace sluice::service {

// What a handler needs; all of it outlives the engine.
struct LoadSetting {
  const CatalogKeeper& keeper;
  const Databases& databases;
  load::Environment& environment;
  std::string store;  // identity of the job store
};

// The arguments of a load: the loader's name. A command that was told another database adds a mark of it, so
// that a service which takes the job over after the command died does not load into its own.
std::string load_args(const std::string& loader, const std::string& database);
// The same for a job of another kind: {"KEY": name}.
std::string named_args(std::string_view key, const std::string& name, const std::string& database);
// A conflict when the job was started for another database than this one.
Result<void> check_database(const jobs::Job& job, const std::string& database);

jobs::Handler load_handler(LoadSetting setting);
jobs::Handler plan_handler(LoadSetting setting);

// {"loader","job","keepRunning"}: which run is to be taken back, and whether the loader goes on afterwards.
std::string undo_args(const std::string& loader, const std::string& database, JobId of, bool keep_running);
// `pause` stops the loader's schedule; called when the run is taken back, with the reason.
using PauseLoader = std::function<Result<void>(const std::string& loader, const std::string& reason)>;
jobs::Handler undo_handler(LoadSetting setting, PauseLoader pause);

}  // namespace sluice::service
