// Which job store a process uses: a schema of the PostgreSQL server that --database names, else data/jobs.db.
#pragma once

#include "base/error.h"
#include "jobs/store.h"

#include <filesystem>
#include <memory>
#include <string>

namespace sluice::service {

// `database` is --database, empty when it was not given; a sqlite: URL says where to load, not where jobs
// live.
Result<std::unique_ptr<jobs::Store>> open_job_store(const std::string& database,
                                                    const std::filesystem::path& data);

// False: nothing was ever run here. A server has to be asked, so true for that. An error `io` where nobody
// can tell: a folder that may not be looked into, or a file in its place.
Result<bool> job_store_exists(const std::string& database, const std::filesystem::path& data);

// Where it is, as people read it.
std::string describe_job_store(const std::string& database, const std::filesystem::path& data);

}  // namespace sluice::service
