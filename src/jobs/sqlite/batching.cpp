#include "jobs/sqlite/batching.h"

#include "jobs/sqlite/following.h"
#include "jobs/sqlite/parts.h"
#include "jobs/store/batching.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;
constexpr std::string_view kColumns =
    "j.id, j.name, j.started_by, j.state, j.created_at, j.finished_at, j.batch, b.total, b.succeeded, "
    "b.failed, b.deleted";

Result<std::optional<Batch>> find(Database& database, JobId id) {
  std::optional<Batch> found;
  SLUICE_CHECK(database.each(
      fmt::format("select {} from batch b join job j on j.id = b.job where b.job = ?", kColumns),
      [&](const Row& row) -> Result<void> {
        found = read_batch(row);
        return {};
      },
      id));
  return found;
}

// Its own job goes where the members' states take it.
Result<void> move_on(Database& database, Account& account, JobId id) {
  SLUICE_TRY(const auto batch, find(database, id));
  if (!batch) return {};
  const JobState to = batch_state(*batch);
  if (to == batch->state) return {};
  const std::string why = is_final(to) ? ended_text(*batch) : reopened_text();
  SLUICE_CHECK(database.run("update job set state = ?, finished_at = ?, reason = ? where id = ?", to,
                            is_final(to) ? std::optional(account.now()) : std::nullopt,
                            to == JobState::deleted ? std::string_view(why) : std::string_view(), id));
  // From one end to the other by way of waiting, as if a member had run in between.
  if (is_final(to) && is_final(batch->state)) {
    SLUICE_CHECK(
        account.step({.job = id, .from = batch->state, .to = JobState::awaiting, .reason = reopened_text()}));
    return account.step({.job = id, .from = JobState::awaiting, .to = to, .reason = why});
  }
  return account.step({.job = id, .from = batch->state, .to = to, .reason = why});
}

}  // namespace

Result<void> count_members(Database& database, Account& account, std::span<const Account::Moved> moved) {
  if (moved.empty()) return {};
  bool any = false;
  SLUICE_CHECK(database.each("select 1 from batch limit 1", [&](const Row&) -> Result<void> {
    any = true;
    return {};
  }));
  if (!any) return {};
  std::map<JobId, std::array<std::int64_t, 4>> by_batch;
  for (const Account::Moved& one : moved) {
    SLUICE_CHECK(database.each(
        "select batch from job where id = ? and batch is not null",
        [&](const Row& row) -> Result<void> {
          auto& changes = by_batch[JobId(row.integer(0))];
          --changes[static_cast<std::size_t>(class_of(one.from))];
          ++changes[static_cast<std::size_t>(class_of(one.to))];
          return {};
        },
        one.job));
  }
  for (const auto& [id, changes] : by_batch) {
    SLUICE_CHECK(
        database.run("update batch set succeeded = succeeded + ?, failed = failed + ?, deleted = deleted + ? "
                     "where job = ?",
                     changes[1], changes[2], changes[3], id));
    SLUICE_CHECK(move_on(database, account, id));
  }
  return {};
}

Result<void> join_batch(Database& database, JobId batch, JobState state) {
  SLUICE_TRY(const auto found, find(database, batch));
  SLUICE_CHECK(may_join(batch, found ? std::optional(found->state) : std::nullopt));
  const int counts_as = class_of(state);
  SLUICE_CHECK(database.run(
      "update batch set total = total + 1, succeeded = succeeded + ?, failed = failed + ?, deleted = deleted "
      "+ ? where job = ?",
      counts_as == 1 ? 1 : 0, counts_as == 2 ? 1 : 0, counts_as == 3 ? 1 : 0, batch));
  return {};
}

Result<JobId> SqliteFlowStore::create_batch(const NewBatch& batch, Timestamp now) {
  return file_.write([&](Database& database) -> Result<JobId> {
    Account account(database, now);
    SLUICE_TRY(const NewJob job, standing_for(batch));
    if (batch.batch) SLUICE_CHECK(join_batch(database, batch.batch, JobState::awaiting));
    InsertedJob awaiting;
    awaiting.state = JobState::awaiting;
    SLUICE_TRY(const JobId id, account.insert_job(job, awaiting));
    SLUICE_CHECK(database.run(
        "insert into batch (job, total, succeeded, failed, deleted) values (?, 0, 0, 0, 0)", id));
    std::vector<NewJob> members = batch.jobs;
    for (NewJob& member : members) member.batch = id;
    SLUICE_TRY(const auto made, enqueue_in(database, account, members));
    static_cast<void>(made);
    // Members may have been judged at once, or be held by other batches' keys.
    SLUICE_CHECK(move_on(database, account, id));
    SLUICE_CHECK(account.close());
    return id;
  });
}

Result<std::optional<Batch>> SqliteFlowStore::batch(JobId id) {
  return file_.read([&](Database& database) { return find(database, id); });
}

Result<std::vector<Batch>> SqliteFlowStore::batches(std::optional<JobId> before, int limit) {
  return file_.read([&](Database& database) -> Result<std::vector<Batch>> {
    std::vector<Batch> all;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from batch b join job j on j.id = b.job where b.job < ? order by b.job desc "
                    "limit ?",
                    kColumns),
        [&](const Row& row) -> Result<void> {
          all.push_back(read_batch(row));
          return {};
        },
        before ? before->value() : INT64_MAX, std::clamp(limit, 1, kMostListed)));
    return all;
  });
}

}  // namespace sluice::jobs
