// The SQLite store, one class per interface, all over one SqliteFile.
#pragma once

#include "base/file.h"
#include "jobs/flow.h"
#include "jobs/sqlite/database.h"
#include "jobs/sqlite/rows.h"
#include "jobs/store.h"
#include "jobs/store/queue_turns.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace sluice::jobs {

class SqliteJobStore final : public JobStore {
 public:
  explicit SqliteJobStore(SqliteFile& file) : file_(file) {}
  Result<std::vector<Enqueued>> enqueue(std::span<const NewJob> jobs, Timestamp now) override;
  Result<std::vector<Begun>> start(std::span<const NewJob> jobs, std::string_view node,
                                   Timestamp now) override;
  Result<std::vector<Enqueued>> enqueue_in(sql::Connection& transaction, std::span<const NewJob> jobs,
                                           Timestamp now) override;
  Result<std::vector<Claimed>> claim(const ClaimRequest& request, Timestamp now) override;
  Result<std::vector<std::optional<JobState>>> complete(std::span<const Completion> completions,
                                                        Timestamp now) override;
  Result<Cancelled> cancel(JobId job, std::string_view reason, Timestamp now) override;
  Result<void> requeue(JobId job, std::string_view reason, Timestamp now) override;
  Result<void> save_progress(Lease lease, const Progress& progress) override;
  Result<void> append_log(Lease lease, std::span<const LogLine> lines) override;
  Result<std::optional<Timestamp>> next_due() override;
  Result<int> release_waiting(Timestamp now) override;

 private:
  SqliteFile& file_;
  std::mutex turns_mutex_;                   // before the file's
  std::map<std::string, QueueTurns> turns_;  // by node
};

class SqliteQueueStore final : public QueueStore {
 public:
  explicit SqliteQueueStore(SqliteFile& file) : file_(file) {}
  Result<std::vector<QueueInfo>> list() override;
  Result<void> pause(std::string_view queue, std::string_view by, std::string_view reason,
                     Timestamp now) override;
  Result<void> resume(std::string_view queue, Timestamp now) override;
  Result<void> set_max_running(std::string_view queue, std::optional<int> most, Timestamp now) override;

 private:
  SqliteFile& file_;
};

class SqliteRecurringStore final : public RecurringStore {
 public:
  explicit SqliteRecurringStore(SqliteFile& file) : file_(file) {}
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
  SqliteFile& file_;
};

class SqliteNodeStore final : public NodeStore {
 public:
  SqliteNodeStore(SqliteFile& file, std::filesystem::path folder) : file_(file), folder_(std::move(folder)) {}
  Result<void> join(const Node& node) override;
  Result<void> leave(std::string_view id, Timestamp now) override;
  Result<std::vector<Node>> nodes() override;
  Result<std::vector<Rescued>> rescue_dead(Timestamp now) override;
  Result<std::vector<std::pair<JobId, std::string>>> cancel_requests(std::string_view id) override;
  Result<std::vector<Lease>> leases(std::string_view id) override;
  Result<bool> changed_elsewhere() override;
  void on_change_elsewhere(std::function<void()>) override {}  // a file tells nobody: changes are polled

 private:
  std::filesystem::path lock_path(std::string_view id) const;
  Result<std::vector<Rescued>> rescue(std::string_view id, Timestamp now);

  SqliteFile& file_;
  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, FileLock, std::less<>> mine_;
};

class SqliteDefinitionStore final : public DefinitionStore {
 public:
  explicit SqliteDefinitionStore(SqliteFile& file) : file_(file) {}
  Result<void> save(std::span<const StoredDefinition> definitions) override;
  Result<std::vector<StoredDefinition>> load() override;
  Result<void> set_error(std::string_view kind, std::string_view name, std::string_view error) override;
  Result<void> remove(std::string_view kind, std::string_view name) override;

 private:
  SqliteFile& file_;
};

class SqliteJobQueries final : public JobQueries {
 public:
  explicit SqliteJobQueries(SqliteFile& file) : file_(file) {}
  Result<std::vector<Job>> list(const JobFilter& filter) override;
  Result<std::optional<Job>> get(JobId job) override;
  Result<std::vector<Job>> get_all(std::span<const JobId> ids) override;
  Result<void> recent(const RecentFilter& filter, const OnRecent& visit) override;
  Result<std::vector<StateChange>> history(JobId job) override;
  Result<std::vector<LogLine>> log(JobId job, std::int64_t after_seq, int limit) override;
  Result<StateCounts> counts() override;
  Result<std::vector<MinuteCount>> minutes(Timestamp since) override;

 private:
  SqliteFile& file_;
};

class SqliteFlowStore final : public FlowStore {
 public:
  explicit SqliteFlowStore(SqliteFile& file) : file_(file) {}
  Result<int> settle(int limit, Timestamp now) override;
  Result<std::vector<Job>> children(JobId parent, JobId after, int limit) override;
  Result<JobState> change(JobId job, const StateRequest& request, Timestamp now) override;
  Result<BulkChange> change_all(const JobFilter& filter, const StateRequest& request, Timestamp now) override;
  Result<JobId> create_batch(const NewBatch& batch, Timestamp now) override;
  Result<std::optional<Batch>> batch(JobId id) override;
  Result<std::vector<Batch>> batches(std::optional<JobId> before, int limit) override;

 private:
  SqliteFile& file_;
};

// Those that SqliteJobQueries::list() finds, in its order.
Result<std::vector<JobId>> list_ids(Database& database, const JobFilter& filter);

class SqliteUpkeep final : public Upkeep {
 public:
  explicit SqliteUpkeep(SqliteFile& file) : file_(file) {}
  Result<Mended> clock_set_back(const FirePlanner& first_fire, Timestamp now) override;
  Result<int> trim(const Retention& retention, int batch, Timestamp now) override;

 private:
  SqliteFile& file_;
};

}  // namespace sluice::jobs
