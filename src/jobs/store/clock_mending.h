// Times that a clock ahead has written and that would now be waited for in vain, on any database.
#pragma once

#include "jobs/store.h"
#include "jobs/store/database.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// What should come sooner than it is written: a recurring job's next time, or else a job's retry.
struct Sooner {
  std::string recurring;
  JobId job;
  Timestamp at{};
};

// `recurring` and `job` are what stands behind "from": the table, with the index to use where that is said.
Result<std::vector<Sooner>> find_sooner(Database& database, std::string_view recurring, std::string_view job,
                                        const FirePlanner& first_fire, Timestamp now);
// Within the caller's transaction; leaves alone what somebody has edited, paused or claimed since.
Result<Mended> bring_forward(Database& database, const std::vector<Sooner>& sooner, Timestamp now);

}  // namespace sluice::jobs
