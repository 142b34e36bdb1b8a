// The job store in one SQLite file, data/jobs.db: WAL, synchronous=FULL, one writing connection, a reading
// one for the page. Liveness is an OS lock on data/nodes/ID.lock, held by the store that joined the node: the
// system drops it when the process dies, however it dies.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "jobs/store.h"

#include <filesystem>
#include <memory>

namespace sluice::jobs {

// Creates the folder (0700) and the file (0600) where they are missing, and brings the schema up to date.
// A file written by a newer program is refused.
//
// `file` is its name in the folder. A program whose own tables share the file, so that one transaction holds
// both (Engine::enqueue_in), gives them names that the store does not use: src/jobs/sqlite/schema.cpp.
Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& data_dir,
                                                 const std::filesystem::path& file = "jobs.db");

// The lock that lets one `serve` own a data folder. An error with code `locked` when another has it; the
// lock is free again when the object or the process is gone.
Result<FileLock> lock_for_serving(const std::filesystem::path& data_dir);

}  // namespace sluice::jobs
