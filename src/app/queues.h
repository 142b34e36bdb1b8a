// sluice jobs queues, and pause, resume, limit of one.
#pragma once

#include "app/command.h"
#include "base/error.h"
#include "jobs/store.h"

#include <optional>
#include <string>

namespace sluice::app {

// One line a queue; with --json one object a line.
Result<void> list_queues(jobs::Store* store, const GlobalOptions& globals);

struct QueueChange {
  std::string action;  // pause, resume or limit
  std::string queue;
  std::string reason;
  std::optional<int> most;  // limit: nothing lifts it
};
Result<void> change_queue(jobs::Store& store, const QueueChange& change, const GlobalOptions& globals);

}  // namespace sluice::app
