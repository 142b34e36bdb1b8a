// The job store in a schema of a PostgreSQL database: any number of nodes on any number of machines share it.
// A node is alive as long as it says so every 5 s; 30 s after its last word, by the database's clock, it is
// dead and its jobs are taken back. What it then still finishes is refused.
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "jobs/store.h"

#include <memory>
#include <string>

namespace sluice::jobs {

struct PostgresStoreOptions {
  std::string schema = "sluice_jobs";
  // Claims start where the last one ended (docs/decisions/0031). Off only to measure what it is worth.
  bool low_water_mark = true;
};

// Creates the schema where it is missing and brings it up to date; one written by a newer program is refused.
// `url` is postgres://…. Errors: as sql::open_postgres().
Result<std::unique_ptr<Store>> open_postgres_store(const Secret& url,
                                                   const PostgresStoreOptions& options = {});

}  // namespace sluice::jobs
