// Whose turn it is among the queues that have jobs waiting: in proportion to their weights, spread evenly,
// whatever number of workers is free at a time.
#pragma once

#include "jobs/queue.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sluice::jobs {

class QueueTurns {
 public:
  struct Turn {
    std::string queue;
    int jobs = 0;
  };
  // How many of `slots` each queue gets, those first whose turn comes first. A queue that is not there saves
  // nothing up for later.
  std::vector<Turn> next(std::span<const QueueShare> waiting, int slots);

 private:
  std::map<std::string, std::int64_t> credit_;
};

}  // namespace sluice::jobs
