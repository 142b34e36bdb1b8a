#include "jobs/postgres/batching.h"

#include "jobs/postgres/parts.h"
#include "jobs/store/batching.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;
// What is not folded yet counts too.
constexpr std::string_view kSelect =
    "select j.id, j.name, j.started_by, j.state, j.created_at, j.finished_at, j.batch, b.total + "
    "coalesce(s.total, 0), b.succeeded + coalesce(s.succeeded, 0), b.failed + coalesce(s.failed, 0), "
    "b.deleted + coalesce(s.deleted, 0) from batch b join job j on j.id = b.job left join lateral (select "
    "sum(total) as total, sum(succeeded) as succeeded, sum(failed) as failed, sum(deleted) as deleted from "
    "batch_step where batch = b.job) s on true";

}  // namespace

Result<void> lock_batch(Database& database, JobId batch) {
  std::optional<JobState> state;
  // Two statements: the second sees what was written while the first one waited.
  SLUICE_CHECK(database.each(
      "select 1 from batch where job = ? for share", [](const Row&) -> Result<void> { return {}; }, batch));
  SLUICE_CHECK(database.each(
      "select j.state from batch b join job j on j.id = b.job where b.job = ?",
      [&](const Row& row) -> Result<void> {
        state = static_cast<JobState>(row.integer(0));
        return {};
      },
      batch));
  return may_join(batch, state);
}

Result<void> note_members(Database& database, const NewMembers& members) {
  for (const auto& [batch, by_state] : members) {
    std::array<int, 4> counts{};
    int total = 0;
    for (const auto& [state, n] : by_state) {
      counts[static_cast<std::size_t>(class_of(state))] += n;
      total += n;
    }
    SLUICE_CHECK(database.run(
        "insert into batch_step (batch, total, succeeded, failed, deleted) values (?, ?, ?, ?, ?)", batch,
        total, counts[1], counts[2], counts[3]));
  }
  return {};
}

Result<int> fold_batches(PostgresPool& pool, int most, Timestamp now) {
  int folded = 0;
  std::int64_t change = 0;
  SLUICE_CHECK(pool.once([&](Database& database) -> Result<void> {
    folded = 0;
    return database.each(
        fmt::format("with f as materialized (select fold_batches(?, ?) as n where exists (select 1 from "
                    "batch_step)) select n, case when n > 0 then {} end from f",
                    pool.touching()),
        [&](const Row& row) -> Result<void> {
          folded = static_cast<int>(row.integer(0));
          change = row.integer(1);
          return {};
        },
        most, now);
  }));
  if (folded > 0) pool.touched(change);
  return folded;
}

Result<JobId> PostgresFlowStore::create_batch(const NewBatch& batch, Timestamp now) {
  SLUICE_TRY(const NewJob job, standing_for(batch));
  jobs_.forget_mark();
  SLUICE_TRY(const JobId id, pool_.write([&](Database& database) -> Result<JobId> {
    PostgresNewJob standing{&job, {}};
    standing.more.state = JobState::awaiting;
    if (batch.batch) {
      SLUICE_CHECK(lock_batch(database, batch.batch));
      SLUICE_CHECK(note_members(database, {{batch.batch, {{JobState::awaiting, 1}}}}));
    }
    SLUICE_TRY(const auto made, insert_jobs(pool_, database, std::span(&standing, 1), now, false));
    SLUICE_CHECK(database.run("insert into batch (job) values (?)", made.at(0)));
    std::vector<NewJob> members = batch.jobs;
    for (NewJob& member : members) member.batch = made.at(0);
    SLUICE_TRY(const auto enqueued, enqueue_in(pool_, database, members, now));
    // With no new member at all, as when all were there already by their keys, it ends as soon as it is
    // folded.
    SLUICE_CHECK(note_members(database, {{made.at(0), {}}}));
    static_cast<void>(enqueued);
    return made.at(0);
  }));
  return id;
}

Result<std::optional<Batch>> PostgresFlowStore::batch(JobId id) {
  return pool_.once([&](Database& database) -> Result<std::optional<Batch>> {
    std::optional<Batch> found;
    SLUICE_CHECK(database.each(
        fmt::format("{} where b.job = ?", kSelect),
        [&](const Row& row) -> Result<void> {
          found = read_batch(row);
          return {};
        },
        id));
    return found;
  });
}

Result<std::vector<Batch>> PostgresFlowStore::batches(std::optional<JobId> before, int limit) {
  return pool_.once([&](Database& database) -> Result<std::vector<Batch>> {
    std::vector<Batch> all;
    SLUICE_CHECK(database.each(
        fmt::format("{} where b.job < ? order by b.job desc limit ?", kSelect),
        [&](const Row& row) -> Result<void> {
          all.push_back(read_batch(row));
          return {};
        },
        before ? before->value() : INT64_MAX, std::clamp(limit, 1, kMostListed)));
    return all;
  });
}

}  // namespace sluice::jobs
