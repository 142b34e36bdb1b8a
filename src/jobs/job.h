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

// When a job follows its parent (docs/job-states.md). Numbers are fixed: the store holds them.
enum class Follows : std::uint8_t {
  succeeded = 0,      // once the parent has succeeded; never when it was deleted or skipped
  finished = 1,       // once the parent has come to its end, whatever end that is
  not_succeeded = 2,  // once the parent has failed, or was deleted or skipped; never when it succeeded
};
std::string_view to_string(Follows follows);
std::optional<Follows> parse_follows(std::string_view name);

// What a new job does when another one holds its unique key. Numbers are fixed.
enum class Collision : std::uint8_t {
  keep = 0,     // the old one stays as it is
  replace = 1,  // the old one gets the new arguments, priority and times, as long as it has not begun
};

// How many jobs of one key may run: so many at once, so many starts in any stretch of `window`, or both.
// 0 = no such limit.
struct KeyLimit {
  int at_once = 0;
  int starts = 0;
  std::chrono::milliseconds window{0};
  friend bool operator==(const KeyLimit&, const KeyLimit&) = default;
};

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
  // Waits (awaiting) until that job comes to its end, and then follows it or ends deleted itself. What
  // has ended already is judged at once. None = it follows nobody.
  JobId parent;
  Follows follows = Follows::succeeded;
  // Instead of run_at: so long after it was enqueued or, with a parent, after the parent's end.
  std::optional<std::chrono::milliseconds> delay;
  // No other job of the key is created while this one lives (is scheduled, enqueued, processing or awaiting),
  // nor for `unique_for` after it was created, even when it has ended. Empty = no such rule.
  std::string unique_key;
  std::chrono::milliseconds unique_for{0};
  Collision on_collision = Collision::keep;
  // Joins that batch (batch.h), while members of it are pending.
  JobId batch;
  // Jobs of one limit key share `limit`, over all queues and nodes; the newest job's numbers hold for all.
  // One that has to wait stays enqueued and lets others pass. Empty = no such rule.
  std::string limit_key;
  KeyLimit limit;
  // An attempt that takes longer is stopped and fails with code "timeout", to be retried. 0 = none.
  std::chrono::milliseconds timeout{0};
  // A job that waited longer than this for its first start, since it was due, is deleted instead. 0 = none.
  std::chrono::milliseconds latency_limit{0};
  friend bool operator==(const NewJob&, const NewJob&) = default;
};

struct Enqueued {
  JobId id;
  // False: nothing new; NewJob::unless_live found `id` alive, or `id` holds NewJob::unique_key.
  bool created = true;
  JobState state = JobState::enqueued;  // of a created job
  bool replaced = false;                // not created, but `id` got the new arguments (Collision::replace)
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
  JobId parent;  // none: it follows nobody
  Follows follows = Follows::succeeded;
  std::chrono::milliseconds delay{0};  // after the parent's end
  std::string unique_key;
  JobId batch;  // that it is a member of; none: it stands alone
  std::string limit_key;
  std::chrono::milliseconds timeout{0}, latency_limit{0};  // 0 = none
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
