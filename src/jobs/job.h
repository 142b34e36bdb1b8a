// A job is a kind (which handler), a subject (what it is about: the loader's name, say) and arguments as a
// JSON object. The engine reads none of the three.
#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "jobs/retry.h"
#include "jobs/state.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::jobs {

// Who asked for the job. Numbers are fixed: the store holds them.
enum class Origin : std::uint8_t { schedule = 0, manual = 1, startup = 2, api = 3, cli = 4, rescue = 5 };
std::string_view to_string(Origin origin);
std::optional<Origin> parse_origin(std::string_view name);

// Most bytes of a JSON text a job may carry as arguments or as result.
inline constexpr std::size_t kMaxJobText = 4u << 20;
// A job whose process died this often is failed with code "worker_lost".
inline constexpr int kMaxCrashes = 3;
inline constexpr int kDefaultPriority = 5;

struct NewJob {
  std::string kind;
  std::string subject;      // empty = none
  std::string name;         // what people read; empty = the subject, or the kind
  std::string args = "{}";  // a JSON object; never holds a secret
  std::string queue = "default";
  int priority = kDefaultPriority;  // smaller runs first
  Origin origin = Origin::api;
  std::string started_by;           // a person or token; empty for the machine
  std::optional<Timestamp> run_at;  // later than now = scheduled
  // Two jobs of one key never run at once; a later one waits. Empty = no such rule.
  std::string exclusive_key;
  // With a key: do not create a job while another one of the key is enqueued, processing or waiting for a
  // retry; the caller gets that one's id.
  bool unless_live = false;
  // Only the node of this id may run it, for as long as that node lives. Empty = any.
  std::string pinned_node;
  RetryPolicy retry = RetryPolicy::none();
  // The recurring job it is a run of, or belongs to: with that one it is retired. May be empty.
  std::string recurring_id;
  std::optional<std::chrono::milliseconds> delay;  // run_at, counted from the moment it is enqueued
  friend bool operator==(const NewJob&, const NewJob&) = default;
};

struct Enqueued {
  JobId id;
  bool created = true;  // false: NewJob::unless_live found `id` alive
};

struct JobError {
  std::string code;  // to_string(ErrorCode), or "worker_lost"
  std::string message;
};

struct Progress {
  std::string phase;  // what is being done now, a word of the handler's; may be empty
  std::int64_t rows = 0;
  std::optional<std::int64_t> total_rows;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> total_bytes;
  friend bool operator==(const Progress&, const Progress&) = default;
};

struct Job {
  JobId id;
  std::string kind, subject, name, queue;
  JobState state = JobState::enqueued;
  Origin origin = Origin::api;
  std::string started_by;
  std::string recurring_id;          // as NewJob's
  std::optional<Timestamp> fire_at;  // its nominal time
  Timestamp created_at{};
  Timestamp run_at{};                                // not before
  std::optional<Timestamp> started_at, finished_at;  // of the newest attempt
  std::optional<std::int64_t> duration_ms;           // of the newest attempt
  int attempt = 0;  // tries so far; one stopped by shut-down or lost by a crash does not count
  int max_attempts = 1;
  int crashes = 0;  // processes that died with it
  int priority = kDefaultPriority;
  std::string node;  // the node that runs it, or ran it last
  std::string exclusive_key, pinned_node;
  std::optional<Timestamp> cancel_requested_at;
  std::optional<Progress> progress;
  std::string args;               // JSON
  std::string result;             // JSON; empty = none
  std::optional<JobError> error;  // of the newest failed attempt
  std::string reason;             // why it is held, deleted or skipped
  JobId blocking_job;             // skipped: the job that was in the way
  RetryPolicy retry;
};

// One line of a job's history.
struct StateChange {
  JobId job;
  int seq = 0;  // 1, 2, …
  JobState state = JobState::enqueued;
  Timestamp at{};
  int attempt = 0;
  std::string node;
  std::string reason;  // why, as people read it; holds the error's text after a failed attempt
};

enum class LogLevel : std::uint8_t { debug = 0, info = 1, warning = 2, error = 3 };
std::string_view to_string(LogLevel level);

struct LogLine {
  JobId job;
  std::int64_t seq = 0;  // given by the store
  Timestamp at{};
  int attempt = 0;
  LogLevel level = LogLevel::info;
  std::string text;
};

}  // namespace sluice::jobs
