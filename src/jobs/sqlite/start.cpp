// Jobs that are enqueued and claimed in one transaction, on SQLite.
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>

namespace sluice::jobs {

Result<std::vector<Begun>> SqliteJobStore::start(std::span<const NewJob> jobs, std::string_view node,
                                                 Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<Begun>> {
    Account account(database, now);
    std::vector<Begun> begun;
    begun.reserve(jobs.size());
    for (const NewJob& job : jobs) {
      if (!may_start_at_once(job))
        return fail(ErrorCode::internal, fmt::format("a job of kind {} cannot start at once", job.kind));
      SLUICE_TRY(const JobId id, account.insert_job(job, {.state = JobState::enqueued}));
      SLUICE_TRY(const bool held_back, queue_is_held_back(database, job.queue));
      if (held_back) {
        begun.push_back({.id = id, .claimed = {}});
        continue;
      }
      SLUICE_TRY(auto claimed, take(database, account, id, node, now));
      begun.push_back({.id = id, .claimed = std::move(claimed)});
    }
    SLUICE_CHECK(account.close());
    return begun;
  });
}

}  // namespace sluice::jobs
