// Queues on SQLite: their rows, and what waits and runs in them.
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"
#include "jobs/store/queueing.h"

namespace sluice::jobs {

Result<bool> queue_is_held_back(Database& database, std::string_view queue) {
  bool held_back = false;
  SLUICE_CHECK(database.each(
      "select 1 from queue where (paused_at is not null or max_running is not null) and (?1 = '' or name = "
      "?1) "
      "limit 1",
      [&](const Row&) -> Result<void> {
        held_back = true;
        return {};
      },
      queue));
  return held_back;
}

Result<std::vector<QueueInfo>> SqliteQueueStore::list() {
  return file_.read([&](Database& database) -> Result<std::vector<QueueInfo>> {
    std::vector<QueueInfo> queues;
    // Names by steps through the index, one for each queue: thousands of jobs are not walked over.
    SLUICE_CHECK(database.each(
        "with recursive w(v) as (select min(queue) from job indexed by job_queue where queue <> 'default' "
        "union all select (select min(queue) from job indexed by job_queue where queue <> 'default' and "
        "queue > w.v) from w where w.v is not null), "
        "names(name) as (select v from w where v is not null union select name from queue union select "
        "'default') "
        "select n.name, case when n.name = 'default' then (select count(*) from (select 1 from ready where "
        "queue = 'default' limit ?1)) else (select count(*) from (select 1 from ready indexed by ready_queue "
        "where queue <> 'default' and queue = n.name limit ?1)) end as waiting, "
        "case when n.name = 'default' then (select count(*) from (select 1 from job indexed by job_state "
        "where state = 0 and state <> 1 and queue = 'default' limit ?1)) else (select count(*) from (select "
        "1 "
        "from job indexed by job_queue where queue <> 'default' and queue = n.name and state = 0 limit ?1)) "
        "end as later, (select count(*) from lease where queue = n.name) as running, "
        "case when n.name = 'default' then (select j.created_at from ready r cross join job j on j.id = "
        "r.job "
        "where r.queue = 'default' order by r.job limit 1) else (select created_at from job j indexed by "
        "job_queue where queue <> 'default' and queue = n.name and state = 1 and not exists (select 1 from "
        "lease where lease.job = j.id) order by id limit 1) end, "
        "q.name is not null as known, q.max_running, q.paused_at, coalesce(q.paused_by, ''), "
        "coalesce(q.pause_reason, '') from names n left join queue q on q.name = n.name where known or "
        "waiting > 0 or later > 0 or running > 0 or n.name = 'default' order by n.name",
        [&](const Row& row) -> Result<void> {
          QueueInfo queue{.name = row.text(0),
                          .waiting = row.integer(1),
                          .scheduled = row.integer(2),
                          .running = row.integer(3),
                          .oldest_waiting = row.maybe_time(4),
                          .max_running = {},
                          .paused_at = row.maybe_time(7),
                          .paused_by = row.text(8),
                          .pause_reason = row.text(9)};
          if (const auto most = row.maybe_integer(6)) queue.max_running = static_cast<int>(*most);
          queues.push_back(std::move(queue));
          return {};
        },
        kMostCounted));
    return queues;
  });
}

Result<void> SqliteQueueStore::pause(std::string_view queue, std::string_view by, std::string_view reason,
                                     Timestamp now) {
  SLUICE_CHECK(check_queue_name(queue));
  return file_.write([&](Database& database) { return pause_queue(database, queue, by, reason, now); });
}

Result<void> SqliteQueueStore::resume(std::string_view queue, Timestamp now) {
  SLUICE_CHECK(check_queue_name(queue));
  return file_.write([&](Database& database) { return resume_queue(database, queue, now); });
}

Result<void> SqliteQueueStore::set_max_running(std::string_view queue, std::optional<int> most,
                                               Timestamp now) {
  SLUICE_CHECK(check_queue_name(queue));
  SLUICE_CHECK(check_max_running(queue, most));
  return file_.write([&](Database& database) { return limit_queue(database, queue, most, now); });
}

}  // namespace sluice::jobs
