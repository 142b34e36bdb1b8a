// Where jobs live: small interfaces that a SQLite file (sqlite_store.h) and a PostgreSQL schema
// (postgres_store.h) fulfil.
// Every implementation passes the one suite tests/jobs/store_conformance. All methods are safe from any
// thread and any number of processes; each is one transaction. Times come from the caller.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "jobs/flow.h"
#include "jobs/job.h"
#include "jobs/queue.h"
#include "jobs/recurring.h"

#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sql {
class Connection;
}

namespace sluice::jobs {

// What a node asks for when it has free workers.
struct ClaimRequest {
  std::string node;
  int limit = 1;
  std::vector<std::string> kinds;  // those it has handlers for
  bool only_pinned = false;        // only jobs pinned to this node
  // The queues it serves, in proportion to their weights; empty = all queues alike.
  std::vector<QueueShare> queues;
  // Of jobs with an exclusive or limit key, and of each limited queue, at most so many: from their claim on
  // they keep others waiting.
  int most_limited = std::numeric_limits<int>::max();
};

// The right to finish a job. Each claim and each rescue makes a new one: whoever holds an old one has lost
// the job and can change it no more.
struct Lease {
  JobId job;
  std::int64_t token = 0;
};
struct Claimed {
  Job job;
  Lease lease;
};

// When the other side wants to be asked again (Retry-After), and how long a pause the retry policy grants it.
struct Wish {
  Timestamp asked{};
  Timestamp granted{};  // not after `asked`
};

// How an attempt ended.
struct Completion {
  Lease lease;
  JobState to = JobState::succeeded;
  std::string result;               // JSON; empty = none (a given-back attempt leaves what is there)
  std::optional<JobError> error;    // for failed, and for scheduled (a retry)
  std::string reason;               // for the history, and kept with held and deleted
  std::optional<Timestamp> run_at;  // for scheduled: not before
  // For scheduled: waits for what is granted, but not past the next tick of a recurring job with its
  // exclusive key, which would be skipped for a job that only waits. The history tells what was asked and
  // what came of it.
  std::optional<Wish> wish;
  bool count_attempt = true;                // false: stopped by shut-down
  std::int64_t amount = 0;                  // JobOutcome::amount
  std::optional<std::int64_t> duration_ms;  // how long the attempt took; none = since the claim
};

// What became of a job that was to start at once.
struct Begun {
  JobId id;
  std::optional<Claimed> claimed;  // none: it was enqueued like any other, as something holds it back
};
// Whether nothing about the job itself can hold it back: it has no key, no time of its own, no special node,
// nor anything else but what describes it.
bool may_start_at_once(const NewJob& job);

enum class Cancelled {
  deleted,    // it had not begun: it is deleted now
  requested,  // it runs: its node has been asked to stop it; unless it succeeds or fails first, it is deleted
  too_late,   // it was final already; nothing changed
};

class JobStore {
 public:
  virtual ~JobStore() = default;
  // All or none. A parent that is not there is an error (not_found).
  virtual Result<std::vector<Enqueued>> enqueue(std::span<const NewJob> jobs, Timestamp now) = 0;
  // The same inside a transaction that the caller has begun on a connection of its own to the store's
  // database: the jobs are there when it commits, and gone without a trace when it is rolled back. Until
  // then, others who enqueue under a key of these jobs may wait. invalid_argument: no transaction, or another
  // database. After an error the transaction is as it was before the call, and goes on.
  virtual Result<std::vector<Enqueued>> enqueue_in(sql::Connection& transaction, std::span<const NewJob> jobs,
                                                   Timestamp now) = 0;
  // Enqueues jobs and claims them for the node in the same transaction: for idle workers of the process that
  // enqueues. Only jobs that may_start_at_once().
  virtual Result<std::vector<Begun>> start(std::span<const NewJob> jobs, std::string_view node,
                                           Timestamp now) = 0;
  // Makes due scheduled jobs enqueued, then takes up to `limit` by (priority, run_at, id). When the request
  // names queues, or a queue is paused or limited, queues are served in turn and the order holds inside each.
  // Jobs that waited past their latency limit are deleted.
  virtual Result<std::vector<Claimed>> claim(const ClaimRequest& request, Timestamp now) = 0;
  // The state that each job has now; none = the lease was lost, nothing was written. A job that would go on
  // (scheduled, enqueued, held) is deleted instead when somebody asked to cancel it or, held excepted, when
  // the recurring job it is a run of was retired. locked (retryable): somebody's open transaction holds one
  // of the jobs, and nothing was written; held_elsewhere() tells which.
  virtual Result<std::vector<std::optional<JobState>>> complete(std::span<const Completion> completions,
                                                                Timestamp now) = 0;
  // By completion, whether an open transaction is in its way at this moment, as after enqueue_in() of what
  // follows the job. Waits for nobody. Never true where one writer at a time is let in.
  virtual Result<std::vector<bool>> held_elsewhere(std::span<const Completion> completions) {
    return std::vector<bool>(completions.size());
  }
  virtual Result<Cancelled> cancel(JobId job, std::string_view reason, Timestamp now) = 0;
  // failed, deleted or held -> enqueued, with its attempts counted anew; scheduled -> enqueued, before its
  // time and with its attempts as they are; awaiting -> enqueued, whatever becomes of its parent. A conflict
  // for other states, for a run of a recurring job that was retired, and while another job lives that holds
  // its unique key.
  virtual Result<void> requeue(JobId job, std::string_view reason, Timestamp now) = 0;
  // Both ignore leases that were lost. Progress and lines are advisory.
  virtual Result<void> save_progress(Lease lease, const Progress& progress) = 0;
  virtual Result<void> append_log(Lease lease, std::span<const LogLine> lines) = 0;
  // When the earliest scheduled job is due, or the earliest key's rate allows another start.
  virtual Result<std::optional<Timestamp>> next_due() = 0;
  // Looks again at jobs that were put aside because others of their key were in the way. Needed only after a
  // process died between an ending and the look that follows it; once a second is enough. Returns how many
  // may be claimed again.
  virtual Result<int> release_waiting(Timestamp now) = 0;
};

// What one due recurring job shall do, decided by the scheduler inside the store's transaction.
struct Tick {
  Timestamp fire_at;
  bool catch_up_all = false;  // one of the many under Missed::all: overlap does not skip it
};
struct FirePlan {
  std::vector<Tick> ticks;
  std::optional<Timestamp> next_fire_at;
  std::string error;  // the phrase is no longer understood: stop firing, show it
};
using FirePlanner = std::function<FirePlan(const Recurring&)>;
struct Fired {
  std::string recurring_id;
  std::string subject;
  Timestamp fire_at{};
  JobId job;
  JobState state = JobState::enqueued;  // or skipped
};

class RecurringStore {
 public:
  virtual ~RecurringStore() = default;
  // Creates, changes or revives. `first_fire` says the next time for rows whose schedule is new or edited
  // (or that come back from being retired or disabled); others keep theirs, so that nothing is missed.
  // Returns the ids that changed.
  virtual Result<std::vector<std::string>> upsert(std::span<const RecurringSpec> specs,
                                                  const FirePlanner& first_fire, Timestamp now) = 0;
  // Its definition is gone: it fires no more, and its jobs that wait (for a worker, their time or a retry)
  // end deleted with the reason, whoever asked for them. One that runs may end, but is not tried again.
  // Returns the jobs that were deleted. Idempotent.
  virtual Result<std::vector<JobId>> retire(std::string_view id, std::string_view reason, Timestamp now) = 0;
  virtual Result<void> pause(std::string_view id, std::string_view by, std::string_view reason,
                             Timestamp now) = 0;
  virtual Result<void> resume(std::string_view id, const FirePlanner& first_fire, Timestamp now) = 0;
  // Fires up to `limit` recurring jobs that are due. Job, guard row and next time are one transaction; a
  // Fires up to `limit` recurring jobs that are due. Job, guard row and next time are one transaction; a
  // nominal time that was fired before fires nothing. What an open transaction of somebody else's is in the
  // way of stays due.
  virtual Result<std::vector<Fired>> fire_due(const FirePlanner& plan, int limit, Timestamp now) = 0;
  virtual Result<std::optional<Timestamp>> next_fire() = 0;
  virtual Result<std::vector<Recurring>> list(bool with_retired) = 0;
  virtual Result<std::optional<Recurring>> get(std::string_view id) = 0;
};

struct Node {
  std::string id;    // new at every start of a process
  std::string name;  // host and purpose, as people read it
  std::int64_t pid = 0;
  std::string version;
  int workers = 0;
  Timestamp started_at{};
  int busy = 0;  // jobs it is processing
  // Its clock against the database's, positive = ahead; none where there is but one clock. It says so itself,
  // to the exactness of one round trip.
  std::optional<std::chrono::milliseconds> clock_skew;
  bool expired = false;  // it has been silent for too long; its jobs are about to be taken back
  // What it has handlers for; none = its program is too old to tell.
  std::optional<std::vector<std::string>> kinds = {};
};
// A skew past this is warned of: times are compared that different nodes have written.
inline constexpr std::chrono::milliseconds kMostSkew{2'000};
struct Rescued {
  JobId job;
  std::string subject, from_node;
  JobState state = JobState::enqueued;  // or failed after kMaxCrashes
};

class NodeStore {
 public:
  virtual ~NodeStore() = default;
  // From now on the node is alive until leave() or the death of the process.
  virtual Result<void> join(const Node& node) = 0;
  // Its jobs, if any are left, become enqueued without counting the attempt.
  virtual Result<void> leave(std::string_view id, Timestamp now) = 0;
  virtual Result<std::vector<Node>> nodes() = 0;
  // Takes the jobs of dead nodes back and forgets those nodes.
  virtual Result<std::vector<Rescued>> rescue_dead(Timestamp now) = 0;
  // Jobs of this node that somebody asked to cancel, with the reason.
  virtual Result<std::vector<std::pair<JobId, std::string>>> cancel_requests(std::string_view id) = 0;
  // What the node holds. Nothing, too, when it could not tell for so long that it lives that others may take
  // it for dead by now: what it runs may be another one's already.
  virtual Result<std::vector<Lease>> leases(std::string_view id) = 0;
  // Whether somebody else wrote to the store since the last call. Cheap; a hint, never needed for truth.
  virtual Result<bool> changed_elsewhere() = 0;
  // What to call, from any thread, as soon as a store hears that another one wrote, where it can hear; empty
  // ends it, and afterwards no call is under way. It must not call the store.
  virtual void on_change_elsewhere(std::function<void()> wake) = 0;
};

// A definition as it was last accepted, kept so that a file that is broken after a restart still runs.
struct StoredDefinition {
  std::string kind;  // "loader", "entity", …
  std::string name;
  std::string path;
  std::string text;
  std::string hash;
  Timestamp accepted_at{};
  std::string error;  // what is wrong with the file as it is now; empty = it is this text
};

class DefinitionStore {
 public:
  virtual ~DefinitionStore() = default;
  // Accepts: replaces (kind, name) and clears its error.
  virtual Result<void> save(std::span<const StoredDefinition> definitions) = 0;
  virtual Result<std::vector<StoredDefinition>> load() = 0;
  virtual Result<void> set_error(std::string_view kind, std::string_view name, std::string_view error) = 0;
  virtual Result<void> remove(std::string_view kind, std::string_view name) = 0;
};

struct JobFilter {
  std::vector<JobState> states;                    // empty = all
  std::string subject, kind, queue, recurring_id;  // empty = all
  std::optional<JobId> before;                     // keyset paging: only smaller ids
  bool oldest_first = false;                       // the first ones instead; `before` holds all the same
  int limit = 50;                                  // 1 to 1000
  JobId batch;                                     // its members; none = all
};
inline constexpr std::size_t kMostListedText = 16 * 1024;  // bytes
// The newest jobs of each of many subjects, asked for at once.
struct RecentFilter {
  std::string kind;
  std::vector<std::string> subjects;
  std::vector<JobState> states;
  int per_subject = 1;      // 1 to 100
  bool with_result = true;  // false: RecentJob::result stays empty, and is not read
};
struct RecentJob {
  JobId id;
  std::string subject;
  JobState state = JobState::succeeded;
  std::optional<Timestamp> finished_at;
  std::optional<std::int64_t> duration_ms;
  std::string result;  // JSON; empty = none
};
struct MinuteCount {
  Timestamp minute{};
  JobState state = JobState::succeeded;
  std::int64_t jobs = 0;
  std::int64_t duration_ms = 0;  // summed
  std::int64_t amount = 0;       // summed
};
using StateCounts = std::array<std::int64_t, kJobStateCount>;  // by number of state

// What the page asks. Every query uses an index or a kept count; none scans history.
class JobQueries {
 public:
  virtual ~JobQueries() = default;
  // Newest first, unless asked otherwise. args and result are empty where they are longer than
  // kMostListedText; get() has them.
  virtual Result<std::vector<Job>> list(const JobFilter& filter) = 0;
  virtual Result<std::optional<Job>> get(JobId job) = 0;
  // Those of the jobs that are there, by id.
  virtual Result<std::vector<Job>> get_all(std::span<const JobId> ids) = 0;
  // By subject in the order asked for, newest first. A fixed number of statements, however many subjects;
  // each job is handed over as it is read (and must not be kept), so that thousands of results are never in
  // memory at once. The visitor must not call the store.
  using OnRecent = std::function<void(const RecentJob&)>;
  virtual Result<void> recent(const RecentFilter& filter, const OnRecent& visit) = 0;
  virtual Result<std::vector<StateChange>> history(JobId job) = 0;  // oldest first
  virtual Result<std::vector<LogLine>> log(JobId job, std::int64_t after_seq, int limit) = 0;
  virtual Result<StateCounts> counts() = 0;
  // Finished jobs per minute and final state, since the time given.
  virtual Result<std::vector<MinuteCount>> minutes(Timestamp since) = 0;
};

struct Retention {
  std::chrono::hours succeeded{14 * 24}, skipped{14 * 24}, deleted{14 * 24}, failed{90 * 24};
  int keep_per_subject = 1;  // the newest succeeded jobs of a subject and kind outlive their time
  std::chrono::hours minutes{31 * 24};
};

// What clock_set_back() brought forward.
struct Mended {
  std::vector<std::string> recurring;
  std::vector<JobId> jobs;
};

class Upkeep {
 public:
  virtual ~Upkeep() = default;
  // The clock was set back, or may have been while nobody ran: times written by a clock ahead would keep
  // schedules silent until then. Afterwards no recurring job's next time lies after the one that
  // `first_fire` says, and no retry further ahead than its policy ever waits. Nominal times that were fired
  // stay fired; jobs that somebody scheduled for a date keep it.
  virtual Result<Mended> clock_set_back(const FirePlanner& first_fire, Timestamp now) = 0;
  // Removes up to `batch` jobs past their time, with history and log. Returns how many; call again while
  // it equals `batch`.
  virtual Result<int> trim(const Retention& retention, int batch, Timestamp now) = 0;
};

// One store: everything above over the same database.
class Store {
 public:
  virtual ~Store() = default;
  // Made at random when the store was created: job ids are unique within one store only.
  virtual const std::string& identity() const = 0;
  virtual JobStore& jobs() = 0;
  virtual RecurringStore& recurring() = 0;
  virtual NodeStore& nodes() = 0;
  virtual DefinitionStore& definitions() = 0;
  virtual JobQueries& queries() = 0;
  virtual Upkeep& upkeep() = 0;
  virtual FlowStore& flow() = 0;
  virtual QueueStore& queues() = 0;
};

}  // namespace sluice::jobs
