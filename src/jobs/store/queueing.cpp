#include "jobs/store/queueing.h"

namespace sluice::jobs {

Result<void> pause_queue(Database& database, std::string_view queue, std::string_view by,
                         std::string_view reason, Timestamp now) {
  SLUICE_CHECK(database.run(
      "insert into queue (name, paused_at, paused_by, pause_reason, updated_at) values (?1, ?2, ?3, ?4, "
      "?2) on conflict (name) do update set paused_at = coalesce(queue.paused_at, excluded.paused_at), "
      "paused_by = excluded.paused_by, pause_reason = excluded.pause_reason, updated_at = "
      "excluded.updated_at",
      queue, now, by, reason));
  return {};
}

Result<void> resume_queue(Database& database, std::string_view queue, Timestamp now) {
  SLUICE_CHECK(
      database.run("update queue set paused_at = null, paused_by = '', pause_reason = '', updated_at = ? "
                   "where name = ? and paused_at is not null",
                   now, queue));
  return {};
}

Result<void> limit_queue(Database& database, std::string_view queue, std::optional<int> most, Timestamp now) {
  SLUICE_CHECK(
      database.run("insert into queue (name, max_running, updated_at) values (?1, ?2, ?3) on conflict (name) "
                   "do update set max_running = excluded.max_running, updated_at = excluded.updated_at",
                   queue, most, now));
  return {};
}

}  // namespace sluice::jobs
