// Reading the record back, for the page and the command line. Works on read-only connections; what was never
// written reads as empty. Lists are paged by key: pass the last item's key to get what follows.
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
#include <vector>

namespace sluice::history {

struct Run {
  JobId job;
  Receipt receipt;
  Timestamp finished_at{};
};
struct RunFilter {
  std::string loader;           // "" = all
  std::optional<JobId> before;  // runs recorded before this one's record; none when that is gone
  bool applied_only = false;
  int limit = 50;
};
// Newest first: in the order in which they were recorded, whichever job store they are of.
Result<std::vector<Run>> runs(sql::Connection& connection, const RunFilter& filter);
Result<std::optional<Run>> run(sql::Connection& connection, JobId job);

// The applied runs of the loader that were recorded after this one and wrote something, oldest first.
Result<std::vector<Run>> runs_after(sql::Connection& connection, std::string_view loader, JobId job);

// How many changes a run has logged, and how many of them are still kept.
struct ChangesOf {
  std::int64_t logged = 0;
  std::int64_t kept = 0;
};
Result<ChangesOf> count_changes(sql::Connection& connection, JobId job);

struct LoggedEntry {
  std::int64_t seq = 0;  // from 1 within the job
  std::string op;        // insert update delete restore load
  std::string key;       // JSON object of the key columns; "" for load
  // JSON array of {"name","before","after"}, a missing side left out; of load {"rows":N}; "" at level keys
  std::string cells;
};
// In the order they were made, after `after_seq`.
Result<std::vector<LoggedEntry>> changes(sql::Connection& connection, JobId job, std::int64_t after_seq,
                                         int limit);

struct KeptReject {
  std::int64_t id = 0;
  std::string loader;
  std::string source;
  std::string locator;  // where it was seen last
  std::string stage, code, column, message;
  std::string raw;
  JobId first_job, last_job;
  Timestamp first_seen{}, last_seen{};
  std::int64_t count = 0;  // runs that saw it
  std::string status;      // open fixed
};
struct RejectFilter {
  std::string loader;        // "" = all
  std::optional<JobId> job;  // those that the recorded run of this job saw, exactly
  bool open_only = false;
  std::int64_t after_id = 0;
  int limit = 50;
};
Result<std::vector<KeptReject>> rejects(sql::Connection& connection, const RejectFilter& filter);
Result<std::int64_t> open_rejects(sql::Connection& connection, std::string_view loader);

}  // namespace sluice::history
