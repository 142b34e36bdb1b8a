// New jobs, whoever holds the transaction.
#pragma once

#include "jobs/store.h"
#include "jobs/store/database.h"

#include <span>
#include <vector>

namespace sluice::jobs {

Result<std::vector<Enqueued>> enqueue_jobs(Database& database, std::span<const NewJob> jobs, Timestamp now);

}  // namespace sluice::jobs
