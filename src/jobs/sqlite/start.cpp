// Jobs that are enqueued and claimed in one transaction, on SQLite.
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

Result<Claimed> take_new(Database& database, Account& account, JobId id, std::string_view node,
                         Timestamp now) {
  SLUICE_CHECK(database.run(
      "insert into lease (job, token, node, attempt, started_at, queue) select id, lease + 1, ?1, attempt + "
      "1, ?2, queue from job where id = ?3",
      node, now, id));
  SLUICE_CHECK(account.count({.job = id, .from = JobState::enqueued, .to = JobState::processing}));
  static const std::string query = fmt::format(
      "select {}, l.token from lease l cross join job j on j.id = l.job where l.job = ?", live_job_columns());
  Claimed claimed;
  SLUICE_CHECK(database.each(
      query,
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(claimed.job, read_job(row));
        claimed.lease = {id, row.integer(row.size() - 1)};
        return {};
      },
      id));
  return claimed;
}

}  // namespace

Result<std::vector<Begun>> SqliteJobStore::start(std::span<const NewJob> jobs, std::string_view node,
                                                 Timestamp now) {
  return file_.write_together([&](Database& database) -> Result<std::vector<Begun>> {
    Account account(database, now);
    std::vector<Begun> begun;
    begun.reserve(jobs.size());
    for (const NewJob& job : jobs) {
      if (!may_start_at_once(job))
        return fail(ErrorCode::internal, fmt::format("a job of kind {} cannot start at once", job.kind));
      SLUICE_TRY(const bool held_back, queue_is_held_back(database, job.queue));
      SLUICE_TRY(const JobId id, account.insert_job(job, {.state = JobState::enqueued}, held_back));
      if (held_back) {
        begun.push_back({.id = id, .claimed = {}});
        continue;
      }
      SLUICE_TRY(auto claimed, take_new(database, account, id, node, now));
      begun.push_back({.id = id, .claimed = std::move(claimed)});
    }
    SLUICE_CHECK(account.close());
    return begun;
  });
}

}  // namespace sluice::jobs
