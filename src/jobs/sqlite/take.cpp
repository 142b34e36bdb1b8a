#include "jobs/sqlite/rows.h"

#include <fmt/format.h>

namespace sluice::jobs {

Result<Claimed> take(Database& database, Account& account, JobId id, std::string_view node, Timestamp now) {
  static const std::string query = fmt::format(
      "update job set state = ?, attempt = attempt + 1, lease = lease + 1, node = ?, started_at "
      "= ?, finished_at = null, duration_ms = null, progress_rows = null, progress_bytes = null, "
      "progress_total = null, cancel_requested_at = null where id = ? returning {}, lease",
      job_columns());
  Claimed claimed;
  SLUICE_CHECK(database.each(
      query,
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(claimed.job, read_job(row));
        claimed.lease = {id, row.integer(row.size() - 1)};
        return {};
      },
      JobState::processing, node, now, id));
  SLUICE_CHECK(account.step({.job = id,
                             .from = JobState::enqueued,
                             .to = JobState::processing,
                             .attempt = claimed.job.attempt,
                             .node = node}));
  return claimed;
}

}  // namespace sluice::jobs
