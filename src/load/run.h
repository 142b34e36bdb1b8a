// One run of a loader: fetch → decode → diff → guard → apply → receipt. Safe to repeat: a run is applied
// once, under its job id, whenever the process dies in between.
#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "fetch/fetch.h"
#include "model/receipt.h"
#include "model/spec.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace sluice::load {

// What every run of a process shares. Outlives the runs.
struct Environment {
  Clock& clock;
  std::filesystem::path spool_directory;  // for downloads and changes past the memory limit
  fetch::Policy policy;
  std::string user_agent;
  std::shared_ptr<fetch::ConnectionPool> connections;  // kept open between runs; null = none are
};

// What the definitions say of a loader that owns the target table of another one.
struct OwnerClaim {
  enum class Kind {
    unknown,      // the definitions are not known here
    loads_it,     // it is defined, with this table as its target
    loads_other,  // it is defined, with another target
    gone,         // it is not defined
    doubtful,     // it is not defined, but there is a broken file that may define it
    superseded,   // the loader that asks is itself no longer defined like that
  };
  Kind kind = Kind::unknown;
  std::string file;   // loads_it, doubtful: which file
  std::string table;  // loads_other: its target now
};

struct Request {
  const LoaderSpec& loader;
  std::string database;    // sqlite:PATH
  JobId job;               // the run is applied under this id, once
  Timestamp created_at{};  // of the job: a record that is older is of another job with the same id
  std::string store;       // identity of the job store that the id is of (jobs::Store::identity)
  int attempt = 1;
  std::string catalog_hash;     // of the catalog the run started with
  std::string definition_hash;  // of every file that has a say in the loader: another one ends all short-cuts
  // Asked when the target table is another loader's; by the definitions as they are at that moment, not as
  // the run was started with. Empty: the definitions are not known.
  std::function<OwnerClaim(std::string_view owner)> owner;
  bool force = false;  // no short-cut: compare even when the source says "not modified"
};

// Told while a run works, from the thread that runs it. Calls are throttled by the caller's side, not here.
class Observer {
 public:
  virtual ~Observer() = default;
  enum class Phase { fetch, compare, apply };
  struct Progress {
    Phase phase = Phase::fetch;
    std::int64_t rows = 0;                   // records read; in apply after a comparison: changes written
    std::optional<std::int64_t> total_rows;  // where it is known
    std::int64_t bytes = 0;
    std::optional<std::int64_t> total_bytes;
  };
  virtual void progress(const Progress& progress) = 0;
  enum class Level { info, warning, error };
  virtual void log(Level level, std::string_view text) = 0;
};

std::string_view to_string(Observer::Phase phase);  // "fetch" "compare" "apply"

// The receipt always comes back, filled as far as the run got; receipt.error says why it did not succeed and
// receipt.state is succeeded, failed or deleted (stopped).
Receipt run(const Request& request, Environment& environment, Observer& observer, std::stop_token stop);

}  // namespace sluice::load
