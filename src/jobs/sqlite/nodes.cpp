// Who is alive, on SQLite: an OS lock per node, which the system drops when its process dies.
#include "jobs/sqlite/finish.h"
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"
#include "jobs/store/ending.h"
#include "jobs/store/recurring_change.h"
#include "jobs/store/rows.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace sluice::jobs {
namespace {

struct Lost {
  JobId id;
  std::string subject;
  int crashes = 0;
  Held held;
  bool progress = false;
};

Result<std::vector<Lost>> jobs_of(Database& database, std::string_view node) {
  std::vector<Lost> jobs;
  SLUICE_CHECK(database.each(
      "select l.job, j.subject, l.reason, l.attempt, j.crashes, l.cancel_requested_at is not null, "
      "l.exclusive_key, l.limit_key, l.recurring_id, l.started_at, l.token, l.progress_rows is not null from "
      "lease l cross join job j on j.id = l.job where l.node = ?",
      [&](const Row& row) -> Result<void> {
        Lost job{JobId(row.integer(0)), row.text(1), static_cast<int>(row.integer(4)), {}, false};
        job.held.reason = row.text(2);
        job.held.attempt = static_cast<int>(row.integer(3));
        job.held.cancelled = row.integer(5) != 0;
        job.held.node = node;
        job.held.exclusive_key = row.text(6);
        job.held.limit_key = row.text(7);
        job.held.recurring_id = row.text(8);
        job.held.started_at = row.maybe_time(9);
        job.held.lease = row.integer(10);
        job.progress = row.integer(11) != 0;
        jobs.push_back(std::move(job));
        return {};
      },
      node));
  return jobs;
}

Result<JobState> take_back(Database& database, Account& account, const Lost& job, bool crashed,
                           Timestamp now) {
  SLUICE_TRY(const auto retired, retired_reason(database, job.id));
  const TakenBack taken = take_back_of(job.held, job.crashes, retired, crashed);
  const auto failed_as = [&](std::string_view text) {
    return taken.to == JobState::failed ? std::optional(text) : std::nullopt;
  };
  const std::string history = history_line(JobState::processing, job.held.started_at.value_or(now),
                                           job.held.attempt, job.held.node, {}) +
                              history_line(taken.to, now, job.held.attempt, job.held.node, taken.reason);
  SLUICE_CHECK(database.run(
      "update job set state = ?1, lease = ?2, crashes = ?3, attempt = ?4, node = ?5, started_at = ?6, "
      "finished_at = ?7, duration_ms = null, error_code = coalesce(?8, error_code), error_message = "
      "coalesce(?9, error_message), reason = ?10, progress_rows = null, progress_bytes = null, "
      "progress_total = null, progress_phase = null, progress_total_rows = null, history = history || ?11 "
      "where id = ?12",
      taken.to, job.held.lease, taken.crashes, job.held.attempt - (taken.to == JobState::enqueued ? 1 : 0),
      job.held.node, job.held.started_at, is_final(taken.to) ? std::optional(now) : std::nullopt,
      failed_as("worker_lost"), failed_as(taken.reason),
      taken.to == JobState::deleted ? std::string_view(taken.reason) : std::string_view(), history, job.id));
  if (job.progress) SLUICE_CHECK(keep_progress(database, job.id));
  SLUICE_CHECK(database.run("delete from lease where job = ?", job.id));
  if (taken.to == JobState::enqueued) SLUICE_CHECK(enter_ready(database, job.id));
  SLUICE_CHECK(account.count(
      {.job = job.id, .from = JobState::processing, .to = taken.to, .attempt = job.held.attempt}));
  if (taken.to == JobState::failed) {
    SLUICE_CHECK(count_run(database, job.held.recurring_id,
                           {.job = job.id, .failed = true, .code = "worker_lost"}, now));
  }
  if (!crashed) SLUICE_CHECK(forget_start(database, job.held.limit_key, job.id, job.held.started_at));
  SLUICE_CHECK(release_key(database, job.held.exclusive_key));
  SLUICE_CHECK(release_limit(database, job.held.limit_key, now));
  return taken.to;
}

Result<void> forget_node(Database& database, std::string_view id) {
  SLUICE_CHECK(database.run("update ready set pinned_node = null where pinned_node = ?", id));
  SLUICE_CHECK(
      database.run("update job set pinned_node = null where pinned_node = ? and pinned_node is not null and "
                   "state in (0, 1)",
                   id));
  SLUICE_CHECK(database.run("delete from node where id = ?", id));
  return {};
}

}  // namespace

std::filesystem::path SqliteNodeStore::lock_path(std::string_view id) const {
  return folder_ / fmt::format("{}.lock", id);
}

Result<void> SqliteNodeStore::join(const Node& node) {
  SLUICE_CHECK(make_private_directory(folder_));
  // First the lock, then the row: whoever sees the row finds the lock taken.
  SLUICE_TRY(auto lock, FileLock::try_lock(lock_path(node.id)));
  if (!lock.held()) return fail(ErrorCode::conflict, fmt::format("node {} is alive already", node.id));
  SLUICE_CHECK(file_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(database.run(
        "insert into node (id, name, pid, version, workers, started_at, kinds) values (?, ?, ?, ?, ?, ?, ?)",
        node.id, node.name, node.pid, node.version, node.workers, node.started_at,
        node.kinds ? std::optional(kinds_text(*node.kinds)) : std::nullopt));
    return {};
  }));
  std::lock_guard guard(mutex_);
  mine_.insert_or_assign(node.id, std::move(lock));
  return {};
}

Result<void> SqliteNodeStore::leave(std::string_view id, Timestamp now) {
  SLUICE_CHECK(file_.write([&](Database& database) -> Result<void> {
    Account account(database, now);
    SLUICE_TRY(const auto left, jobs_of(database, id));
    for (const Lost& job : left) SLUICE_CHECK(take_back(database, account, job, false, now));
    SLUICE_CHECK(forget_node(database, id));
    return account.close();
  }));
  std::lock_guard guard(mutex_);
  if (const auto found = mine_.find(id); found != mine_.end()) {
    std::error_code ignored;  // a lock file left behind does no harm
    std::filesystem::remove(lock_path(id), ignored);
    mine_.erase(found);
  }
  return {};
}

Result<std::vector<Node>> SqliteNodeStore::nodes() {
  return file_.read([&](Database& database) -> Result<std::vector<Node>> {
    std::vector<Node> nodes;
    SLUICE_CHECK(
        database.each("select id, name, pid, version, workers, started_at, "
                      "(select count(*) from lease where lease.node = node.id), "
                      "kinds from node order "
                      "by started_at, id",
                      [&](const Row& row) -> Result<void> {
                        Node node{row.text(0),
                                  row.text(1),
                                  row.integer(2),
                                  row.text(3),
                                  static_cast<int>(row.integer(4)),
                                  row.time(5),
                                  static_cast<int>(row.integer(6))};
                        node.kinds = kinds_of(row.text(7));
                        nodes.push_back(std::move(node));
                        return {};
                      }));
    return nodes;
  });
}

Result<std::vector<Rescued>> SqliteNodeStore::rescue_dead(Timestamp now) {
  // Nodes by their rows, and by what jobs say of them, should a row be missing.
  SLUICE_TRY(const auto known, file_.read([&](Database& database) -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    SLUICE_CHECK(
        database.each("select id from node union select node from lease "
                      "union select pinned_node from job indexed by job_pinned where pinned_node is not null "
                      "and state in (0, 1)",
                      [&](const Row& row) -> Result<void> {
                        ids.push_back(row.text(0));
                        return {};
                      }));
    return ids;
  }));
  std::vector<Rescued> rescued;
  for (const std::string& id : known) {
    {
      std::lock_guard guard(mutex_);
      if (mine_.contains(id)) continue;
    }
    const auto lock = FileLock::try_lock(lock_path(id));
    if (!lock) {
      spdlog::warn("cannot tell whether node {} is alive: {}", id, lock.error().describe());
      continue;
    }
    if (!lock->held()) continue;
    // Its lock is free, so its process is gone. We hold the lock until we are done: one rescuer at a time.
    SLUICE_TRY(const auto jobs, rescue(id, now));
    rescued.insert(rescued.end(), jobs.begin(), jobs.end());
    std::error_code ignored;
    std::filesystem::remove(lock_path(id), ignored);
  }
  return rescued;
}

Result<std::vector<Rescued>> SqliteNodeStore::rescue(std::string_view id, Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<Rescued>> {
    Account account(database, now);
    std::vector<Rescued> rescued;
    SLUICE_TRY(const auto lost, jobs_of(database, id));
    for (const Lost& job : lost) {
      SLUICE_TRY(const JobState to, take_back(database, account, job, true, now));
      rescued.push_back({job.id, job.subject, std::string(id), to});
    }
    SLUICE_CHECK(forget_node(database, id));
    SLUICE_CHECK(account.close());
    return rescued;
  });
}

Result<std::vector<std::pair<JobId, std::string>>> SqliteNodeStore::cancel_requests(std::string_view id) {
  return file_.read([&](Database& database) -> Result<std::vector<std::pair<JobId, std::string>>> {
    std::vector<std::pair<JobId, std::string>> requests;
    SLUICE_CHECK(database.each(
        "select job, reason from lease where node = ? and cancel_requested_at is not null",
        [&](const Row& row) -> Result<void> {
          requests.emplace_back(JobId(row.integer(0)), row.text(1));
          return {};
        },
        id));
    return requests;
  });
}

Result<std::vector<Lease>> SqliteNodeStore::leases(std::string_view id) {
  return file_.read([&](Database& database) -> Result<std::vector<Lease>> {
    std::vector<Lease> leases;
    SLUICE_CHECK(database.each(
        "select job, token from lease where node = ?",
        [&](const Row& row) -> Result<void> {
          leases.push_back({JobId(row.integer(0)), row.integer(1)});
          return {};
        },
        id));
    return leases;
  });
}

Result<bool> SqliteNodeStore::changed_elsewhere() { return file_.changed_elsewhere(); }

}  // namespace sluice::jobs
