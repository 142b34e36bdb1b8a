// What a run leaves behind in the target database: its receipt and what its sources said. Written in the
// transaction that writes the data, so that a run is recorded exactly when it happened.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "model/receipt.h"
#include "sql/connection.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::history {

// Creates the tables where they are missing. Cheap when they are there.
Result<void> prepare_history(sql::Connection& connection);

// The receipt under which this job was applied: an attempt that finds one has nothing left to do. Nothing
// when the job was not applied, or before prepare_history.
Result<std::optional<Receipt>> adopt(sql::Connection& connection, JobId job);

// Records a run under its key (history/run_key.h). Error `conflict` when the job has been applied before:
// roll back and adopt. A run that was not applied (receipt.applied false) is replaced by the next attempt's.
Result<void> insert_run(sql::Connection& connection, const Receipt& receipt, JobId key,
                        Timestamp finished_at);

// What was last seen of one source, for short-cuts. Valid only for the table generation it was saved with.
struct SourceState {
  std::string etag;
  std::string last_modified;
  std::string body_hash;      // of the decoded bytes
  std::int64_t length = 0;    // bytes
  std::string file_identity;  // JSON: files with size, mtime, inode
  std::string config_hash;    // of the definition's part that decides what is fetched and how it is read
  std::int64_t generation = 0;
  Timestamp seen_at{};
};
// `source` is the source's name or number, unique in the loader. Nothing before prepare_history.
Result<std::optional<SourceState>> source_state(sql::Connection& connection, std::string_view loader,
                                                std::string_view source);
Result<void> save_source_state(sql::Connection& connection, std::string_view loader, std::string_view source,
                               const SourceState& state);
// Forgets what the loader's sources said: the next run fetches and compares everything.
Result<void> clear_source_states(sql::Connection& connection, std::string_view loader);

}  // namespace sluice::history
