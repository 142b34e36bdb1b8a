// Jobs that depend on others, on PostgreSQL: new ones, and what settles later. What settles with a parent's
// end is written by the schema's own functions, in the transaction that ends it.
#include "jobs/store/following.h"

#include "jobs/postgres/batching.h"
#include "jobs/postgres/parts.h"
#include "jobs/postgres/unique.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;
constexpr int kFoldAtOnce = 100;

struct Locks {
  std::vector<std::string> exclusive, unique;
  std::map<JobId, std::optional<ParentSeen>> parents;
};

bool asks_first(const NewJob& job) { return job.unless_live && !job.exclusive_key.empty(); }

void sort_out(std::vector<std::string>& keys) {
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

// A parent that is marked as waited for settles its children as it ends; whoever ends it waits for our lock.
Result<std::optional<ParentSeen>> lock_parent(Database& database, JobId parent) {
  std::optional<ParentSeen> seen;
  bool marked = false;
  SLUICE_CHECK(database.each(
      "select state, finished_at, waited_for from job where id = ? for no key update",
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(const JobState state, state_to_change(parent, row.integer(0)));
        seen = ParentSeen{state, row.maybe_time(1)};
        marked = row.integer(2) != 0;
        return {};
      },
      parent));
  if (seen && !marked) SLUICE_CHECK(database.run("update job set waited_for = true where id = ?", parent));
  return seen;
}

// All locks first and in one order: two that enqueue at once do not wait for each other in a circle.
Result<Locks> take_locks(Database& database, std::span<const NewJob> jobs) {
  Locks locks;
  for (const NewJob& job : jobs) {
    if (asks_first(job)) locks.exclusive.push_back(job.exclusive_key);
    if (!job.unique_key.empty()) locks.unique.push_back(job.unique_key);
    if (job.parent) locks.parents.emplace(job.parent, std::nullopt);
  }
  sort_out(locks.exclusive);
  sort_out(locks.unique);
  for (const std::string& key : locks.exclusive) SLUICE_CHECK(lock_key(database, key));
  for (const std::string& key : locks.unique) {
    SLUICE_TRY(const auto holder, lock_unique_key(database, key));
    static_cast<void>(holder);
  }
  std::set<JobId> batches;
  for (const NewJob& job : jobs) {
    if (job.batch) batches.insert(job.batch);
  }
  for (const JobId batch : batches) {
    SLUICE_CHECK(lock_batch(database, batch));
  }
  for (auto& [parent, seen] : locks.parents) {
    SLUICE_TRY(seen, lock_parent(database, parent));
  }
  return locks;
}

}  // namespace

Result<std::vector<Enqueued>> enqueue_in(PostgresPool& pool, Database& database, std::span<const NewJob> jobs,
                                         Timestamp now) {
  SLUICE_TRY(const Locks locks, take_locks(database, jobs));
  SLUICE_CHECK(save_rules(database, jobs));
  std::vector<PostgresNewJob> given;
  for (const NewJob& job : jobs) {
    given.push_back({&job, born(job, now)});
    if (job.parent) {
      SLUICE_TRY(given.back().more, born_after(job, locks.parents.at(job.parent), now));
    }
  }
  std::vector<Enqueued> made;
  NewMembers members;
  if (locks.exclusive.empty() && locks.unique.empty()) {
    SLUICE_TRY(const auto ids, insert_jobs(pool, database, given, now, false));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      made.push_back({ids[i], true, given[i].more.state});
      if (jobs[i].batch) ++members[jobs[i].batch][given[i].more.state];
    }
    SLUICE_CHECK(note_members(database, members));
    return made;
  }
  Tally tally(database, now);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const NewJob& job = jobs[i];
    if (asks_first(job)) {
      SLUICE_TRY(const auto live, find_live_job(database, job.exclusive_key));
      if (live) {
        made.push_back({*live, false});
        continue;
      }
    }
    if (!job.unique_key.empty()) {
      SLUICE_TRY(const auto holder, holder_of(database, tally, job, now));
      if (holder) {
        made.push_back(*holder);
        continue;
      }
    }
    SLUICE_TRY(const auto ids, insert_jobs(pool, database, std::span(given).subspan(i, 1), now, false));
    if (!job.unique_key.empty()) SLUICE_CHECK(give_key(database, job, ids.at(0), now));
    made.push_back({ids.at(0), true, given[i].more.state});
    if (job.batch) ++members[job.batch][given[i].more.state];
  }
  SLUICE_CHECK(note_members(database, members));
  SLUICE_CHECK(tally.close());
  return made;
}

Result<int> PostgresFlowStore::settle(int limit, Timestamp now) {
  // Batches first: their ends are what others wait for.
  SLUICE_TRY(const int folded, fold_batches(pool_, kFoldAtOnce, now));
  int settled = 0;
  std::int64_t change = 0;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    settled = 0;
    return database.each(
        fmt::format(
            "with s as materialized (select settle_left(?) as n where exists (select 1 from settling)) "
            "select n, case when n > 0 then {} end from s",
            pool_.touching()),
        [&](const Row& row) -> Result<void> {
          settled = static_cast<int>(row.integer(0));
          change = row.integer(1);
          return {};
        },
        limit);
  }));
  if (settled > 0) pool_.touched(change);
  return folded == kFoldAtOnce ? std::max(settled, limit) : std::max(settled, folded > 0 ? 1 : 0);
}

Result<std::vector<Job>> PostgresFlowStore::children(JobId parent, JobId after, int limit) {
  return pool_.once([&](Database& database) -> Result<std::vector<Job>> {
    std::vector<Job> jobs;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from job j left join lease l on l.job = j.id where j.parent = ? and j.parent "
                    "is not null and j.id > ? order by j.id limit ?",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto job, read_job(row));
          jobs.push_back(std::move(job));
          return {};
        },
        parent, after, std::clamp(limit, 1, kMostListed)));
    return jobs;
  });
}

}  // namespace sluice::jobs
