// The PostgreSQL store, one class per interface, all over one PostgresPool.
//
// Locks are taken in this order, so that transactions do not wait for each other in a circle: a node's row,
// a unique key's row, the row of `ready` or `lease`, the recurring job's row, the job's row (a parent's
// before its children's).
#pragma once

#include "jobs/flow.h"
#include "jobs/postgres/database.h"
#include "jobs/postgres/rows.h"
#include "jobs/postgres/watch.h"
#include "jobs/store.h"
#include "jobs/store/ending.h"
#include "jobs/store/queue_turns.h"

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sluice::jobs {

// Keys that jobs let go of, or wait for.
struct FreedKeys {
  std::set<std::string> exclusive_keys, limit_keys;
  void add(std::string exclusive_key, std::string limit_key) {
    if (!exclusive_key.empty()) exclusive_keys.insert(std::move(exclusive_key));
    if (!limit_key.empty()) limit_keys.insert(std::move(limit_key));
  }
  bool empty() const { return exclusive_keys.empty() && limit_keys.empty(); }
};
FreedKeys keys_of(std::span<const NewJob> jobs);
Result<void> save_rules(Database& database, std::span<const NewJob> jobs);

class PostgresJobStore final : public JobStore {
 public:
  PostgresJobStore(PostgresPool& pool, bool low_water_mark) : pool_(pool), use_mark_(low_water_mark) {}
  Result<std::vector<Enqueued>> enqueue(std::span<const NewJob> jobs, Timestamp now) override;
  Result<std::vector<Begun>> start(std::span<const NewJob> jobs, std::string_view node,
                                   Timestamp now) override;
  Result<std::vector<Enqueued>> enqueue_in(sql::Connection& transaction, std::span<const NewJob> jobs,
                                           Timestamp now) override;
  Result<std::vector<Claimed>> claim(const ClaimRequest& request, Timestamp now) override;
  Result<std::vector<std::optional<JobState>>> complete(std::span<const Completion> completions,
                                                        Timestamp now) override;
  Result<std::vector<bool>> held_elsewhere(std::span<const Completion> completions) override;
  Result<Cancelled> cancel(JobId job, std::string_view reason, Timestamp now) override;
  Result<void> requeue(JobId job, std::string_view reason, Timestamp now) override;
  Result<void> save_progress(Lease lease, const Progress& progress) override;
  Result<void> append_log(Lease lease, std::span<const LogLine> lines) override;
  Result<std::optional<Timestamp>> next_due() override;
  // Something may have become ready that comes before what was claimed last.
  void forget_mark();
  Result<int> release_waiting(Timestamp now) override;

 private:
  // Where the last claim ended. Claims that start there do not walk over what was claimed before.
  struct Mark {
    std::int64_t priority = 0, run_at = 0, job = 0;
  };
  struct Batch {
    std::vector<Claimed> claimed;
    std::int64_t looked_at = 0;     // rows of `ready`
    std::string special, collided;  // jobs among them: with limits to be looked at, and with a busy key
  };
  // What is true of the moment before a claim.
  struct Outlook {
    bool held_back = false;  // a queue is paused or limited
    bool key_is_due = false;
  };
  // One queue's part of a claim; no name = all queues.
  static ClaimRequest without(const ClaimRequest& request, const std::vector<Claimed>& claimed);
  struct From {
    std::optional<std::string> queue;
    bool limited = false;
  };
  Result<Outlook> promote_due(Timestamp now);
  Result<Batch> take(const ClaimRequest& request, const From& from, const Mark* mark, int limit,
                     Timestamp now);
  // One statement: of plain jobs only, or of those with keys too.
  Result<Batch> take(const ClaimRequest& request, const From& from, const Mark* mark, int limit, bool keyed,
                     Timestamp now);
  // What take() left: jobs with limits and latencies are looked at one by one, the rest are put aside.
  Result<std::vector<Claimed>> settle(const ClaimRequest& request, const From& from, const Batch& batch,
                                      Timestamp now);
  Result<std::vector<Claimed>> take_special(const ClaimRequest& request, const From& from,
                                            std::string_view jobs, Timestamp now);
  Result<std::vector<Claimed>> claim_from(const ClaimRequest& request, const From& from, int slots,
                                          Timestamp now);
  Result<std::vector<Claimed>> claim_in_turn(const ClaimRequest& request, int slots, Timestamp now);
  Result<void> leave_to_their_keys(std::string_view jobs, Timestamp now);
  Result<int> release(const FreedKeys& keys, Timestamp now);
  Result<std::vector<Claimed>> recover(const ClaimRequest& request);
  std::optional<Mark> mark_for(const ClaimRequest& request);
  void remember(const ClaimRequest& request, const std::vector<Claimed>& claimed, bool full);
  // As forget_mark(), where it is known how early that is.
  void forget_mark_after(std::int64_t priority, Timestamp run_at);
  std::string new_claim_id();
  Result<std::optional<JobState>> ended_before(Database& database, Lease lease);

  PostgresPool& pool_;
  const bool use_mark_;
  std::mutex mutex_;  // guards what follows
  std::optional<Mark> mark_;
  ClaimRequest mark_of_;
  std::chrono::steady_clock::time_point mark_until_{};
  std::uint64_t claims_ = 0;
  std::map<std::string, QueueTurns> turns_;  // by node
  // Claims and endings whose answer was lost: they may have been done.
  std::map<std::string, std::chrono::steady_clock::time_point> uncertain_claims_;
  std::set<std::pair<std::int64_t, std::int64_t>> uncertain_ends_;  // job and token
};

class PostgresRecurringStore final : public RecurringStore {
 public:
  explicit PostgresRecurringStore(PostgresPool& pool) : pool_(pool) {}
  Result<std::vector<std::string>> upsert(std::span<const RecurringSpec> specs, const FirePlanner& first_fire,
                                          Timestamp now) override;
  Result<std::vector<JobId>> retire(std::string_view id, std::string_view reason, Timestamp now) override;
  Result<void> pause(std::string_view id, std::string_view by, std::string_view reason,
                     Timestamp now) override;
  Result<void> resume(std::string_view id, const FirePlanner& first_fire, Timestamp now) override;
  Result<std::vector<Fired>> fire_due(const FirePlanner& plan, int limit, Timestamp now) override;
  Result<std::optional<Timestamp>> next_fire() override;
  Result<std::vector<Recurring>> list(bool with_retired) override;
  Result<std::optional<Recurring>> get(std::string_view id) override;

 private:
  // One transaction after the other, on all nodes.
  Result<void> alone(Database& database);

  PostgresPool& pool_;
};

class PostgresNodeStore final : public NodeStore {
 public:
  explicit PostgresNodeStore(PostgresPool& pool) : pool_(pool), watch_(pool) {}
  Result<void> join(const Node& node) override;
  Result<void> leave(std::string_view id, Timestamp now) override;
  Result<std::vector<Node>> nodes() override;
  Result<std::vector<Rescued>> rescue_dead(Timestamp now) override;
  Result<std::vector<std::pair<JobId, std::string>>> cancel_requests(std::string_view id) override;
  Result<std::vector<Lease>> leases(std::string_view id) override;
  Result<bool> changed_elsewhere() override;
  void on_change_elsewhere(std::function<void()> wake) override;

 private:
  Result<std::vector<Rescued>> take_back(Database& database, std::string_view node, bool crashed,
                                         Timestamp now);

  PostgresPool& pool_;
  PostgresWatch watch_;
};

class PostgresDefinitionStore final : public DefinitionStore {
 public:
  explicit PostgresDefinitionStore(PostgresPool& pool) : pool_(pool) {}
  Result<void> save(std::span<const StoredDefinition> definitions) override;
  Result<std::vector<StoredDefinition>> load() override;
  Result<void> set_error(std::string_view kind, std::string_view name, std::string_view error) override;
  Result<void> remove(std::string_view kind, std::string_view name) override;

 private:
  PostgresPool& pool_;
};

class PostgresJobQueries final : public JobQueries {
 public:
  explicit PostgresJobQueries(PostgresPool& pool) : pool_(pool) {}
  Result<std::vector<Job>> list(const JobFilter& filter) override;
  Result<std::optional<Job>> get(JobId job) override;
  Result<std::vector<Job>> get_all(std::span<const JobId> ids) override;
  Result<void> recent(const RecentFilter& filter, const OnRecent& visit) override;
  Result<std::vector<StateChange>> history(JobId job) override;
  Result<std::vector<LogLine>> log(JobId job, std::int64_t after_seq, int limit) override;
  Result<StateCounts> counts() override;
  Result<std::vector<MinuteCount>> minutes(Timestamp since) override;

 private:
  PostgresPool& pool_;
};

class PostgresFlowStore final : public FlowStore {
 public:
  PostgresFlowStore(PostgresPool& pool, PostgresJobStore& jobs) : pool_(pool), jobs_(jobs) {}
  Result<int> settle(int limit, Timestamp now) override;
  Result<std::vector<Job>> children(JobId parent, JobId after, int limit) override;
  Result<JobState> change(JobId job, const StateRequest& request, Timestamp now) override;
  Result<BulkChange> change_all(const JobFilter& filter, const StateRequest& request, Timestamp now) override;
  Result<JobId> create_batch(const NewBatch& batch, Timestamp now) override;
  Result<std::optional<Batch>> batch(JobId id) override;
  Result<std::vector<Batch>> batches(std::optional<JobId> before, int limit) override;

 private:
  PostgresPool& pool_;
  PostgresJobStore& jobs_;
};

// Those that PostgresJobQueries::list() finds, in its order.
Result<std::vector<JobId>> find_ids(Database& database, const JobFilter& filter);

class PostgresUpkeep final : public Upkeep {
 public:
  explicit PostgresUpkeep(PostgresPool& pool) : pool_(pool) {}
  Result<Mended> clock_set_back(const FirePlanner& first_fire, Timestamp now) override;
  Result<int> trim(const Retention& retention, int batch, Timestamp now) override;

 private:
  PostgresPool& pool_;
};

class PostgresQueueStore final : public QueueStore {
 public:
  explicit PostgresQueueStore(PostgresPool& pool) : pool_(pool) {}
  Result<std::vector<QueueInfo>> list() override;
  Result<void> pause(std::string_view queue, std::string_view by, std::string_view reason,
                     Timestamp now) override;
  Result<void> resume(std::string_view queue, Timestamp now) override;
  Result<void> set_max_running(std::string_view queue, std::optional<int> most, Timestamp now) override;

 private:
  PostgresPool& pool_;
};
// How many jobs of a limited queue may start, 0 while it is paused; none = no limit. Until the end of the
// transaction nobody else starts one of a limited queue.
Result<std::optional<int>> room_of_queue(Database& database, std::string_view queue);

// Sums what `tally` holds into the counts, unless somebody does it just now.
Result<void> fold_tally(PostgresPool& pool, Database& database);

}  // namespace sluice::jobs
