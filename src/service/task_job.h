// The handlers of the job kinds `sql`, `http` and `command`: they pin the catalog, do what the definition
// says and leave its result.
#pragma once

#include "jobs/context.h"
#include "service/catalog_keeper.h"
#include "service/databases.h"
#include "task/run.h"

#include <string>

namespace sluice::service {

// What a handler needs; all of it outlives the engine.
struct TaskSetting {
  const CatalogKeeper& keeper;
  const Databases& databases;
  const task::Environment& environment;
};

// The arguments of such a job: the definition's name, and the mark of load_args().
std::string task_args(const std::string& name, const std::string& database);

jobs::Handler task_handler(TaskSetting setting);

}  // namespace sluice::service
