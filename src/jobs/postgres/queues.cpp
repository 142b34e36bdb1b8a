// Queues on PostgreSQL: their rows, what waits and runs in them, and claims that serve them in turn.
#include "jobs/postgres/parts.h"
#include "jobs/store/queueing.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sluice::jobs {
namespace {

// The queues with jobs that may be claimed, one step through the index for each.
constexpr std::string_view kWaiting =
    "with recursive w(v) as ((select queue from ready where blocked = 0 order by queue limit 1) union all "
    "select (select queue from ready where blocked = 0 and queue > w.v order by queue limit 1) from w where "
    "w.v is not null) select w.v, q.max_running is not null from w left join queue q on q.name = w.v where "
    "w.v is not null and q.paused_at is null";

constexpr std::string_view kAmong =
    "select n.name, q.max_running is not null from unnest(?::text[]) with ordinality as n(name, nth) left "
    "join queue q on q.name = n.name where q.paused_at is null and exists (select 1 from ready r where "
    "r.queue = n.name and r.blocked = 0) order by n.nth";

}  // namespace

Result<std::optional<int>> room_of_queue(Database& database, std::string_view queue) {
  std::optional<int> room;
  SLUICE_CHECK(database.each(
      "select max_running, paused_at is not null from queue where name = ? for update",
      [&](const Row& row) -> Result<void> {
        if (const auto most = row.maybe_integer(0)) room = static_cast<int>(*most);
        if (row.integer(1) != 0) room = 0;
        return {};
      },
      queue));
  if (!room || *room == 0) return room;
  SLUICE_CHECK(database.each(
      "select count(*) from lease where queue = ?",
      [&](const Row& row) -> Result<void> {
        room = std::max(0, *room - static_cast<int>(row.integer(0)));
        return {};
      },
      queue));
  return room;
}

Result<std::vector<Claimed>> PostgresJobStore::claim_in_turn(const ClaimRequest& request, int slots,
                                                             Timestamp now) {
  std::vector<QueueShare> open;
  std::map<std::string, bool> limited;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    open.clear();
    limited.clear();
    const auto note = [&](const Row& row) -> Result<void> {
      const auto asked = std::ranges::find(request.queues, row.text(0), &QueueShare::name);
      open.push_back({row.text(0), asked == request.queues.end() ? 1 : asked->weight});
      limited[open.back().name] = row.integer(1) != 0;
      return {};
    };
    if (request.queues.empty()) return database.each(kWaiting, note);
    std::vector<std::string> names;
    names.reserve(request.queues.size());
    for (const QueueShare& share : request.queues) names.push_back(share.name);
    return database.each(kAmong, note, array_text(names));
  }));
  std::vector<Claimed> claimed;
  while (slots > 0 && !open.empty()) {
    std::vector<QueueTurns::Turn> turns;
    {
      std::lock_guard lock(mutex_);
      turns = turns_[request.node].next(open, slots);
    }
    for (const auto& [queue, jobs] : turns) {
      auto some =
          claim_from(without(request, claimed), {.queue = queue, .limited = limited[queue]}, jobs, now);
      if (!some) {
        if (claimed.empty()) return some;
        return claimed;  // what was taken is not lost; the error comes with the next call
      }
      slots -= static_cast<int>(some->size());
      // Nothing left there: its slots go to the others.
      if (static_cast<int>(some->size()) < jobs)
        std::erase_if(open, [&](const QueueShare& share) { return share.name == queue; });
      claimed.insert(claimed.end(), std::make_move_iterator(some->begin()),
                     std::make_move_iterator(some->end()));
    }
  }
  return claimed;
}

Result<std::vector<QueueInfo>> PostgresQueueStore::list() {
  return pool_.read([&](Database& database) -> Result<std::vector<QueueInfo>> {
    std::vector<QueueInfo> queues;
    SLUICE_CHECK(database.each(
        "with recursive w(v) as ((select queue from job where queue <> 'default' order by queue limit 1) "
        "union all select (select queue from job where queue <> 'default' and queue > w.v order by queue "
        "limit 1) from w where w.v is not null), "
        "names(name) as (select v from w where v is not null union select name from queue union select "
        "'default'), "
        "running as materialized (select queue, count(*) as n from lease group by queue) "
        "select n.name, wait.n, case when n.name = 'default' then (select count(*) from (select 1 from job "
        "where state = 0 and queue = 'default' limit ?1) as counted) else (select count(*) from (select 1 "
        "from job where queue = n.name and queue <> 'default' and state = 0 limit ?1) as counted) end as "
        "later, coalesce(running.n, 0), (select j.created_at from ready r join job j on j.id = r.job where "
        "r.queue = n.name order by r.job limit 1), q.max_running, q.paused_at, coalesce(q.paused_by, ''), "
        "coalesce(q.pause_reason, ''), q.name is not null from names n left join queue q on q.name = n.name "
        "left join running on running.queue = n.name cross join lateral (select count(*) as n from (select 1 "
        "from ready r where r.queue = n.name limit ?1) as counted) as wait order by n.name collate \"C\"",
        [&](const Row& row) -> Result<void> {
          QueueInfo queue{.name = row.text(0),
                          .waiting = row.integer(1),
                          .scheduled = row.integer(2),
                          .running = row.integer(3),
                          .oldest_waiting = row.maybe_time(4),
                          .max_running = {},
                          .paused_at = row.maybe_time(6),
                          .paused_by = row.text(7),
                          .pause_reason = row.text(8)};
          if (const auto most = row.maybe_integer(5)) queue.max_running = static_cast<int>(*most);
          const bool used = queue.waiting > 0 || queue.scheduled > 0 || queue.running > 0;
          if (used || row.integer(9) != 0 || queue.name == "default") queues.push_back(std::move(queue));
          return {};
        },
        kMostCounted));
    return queues;
  });
}

Result<void> PostgresQueueStore::pause(std::string_view queue, std::string_view by, std::string_view reason,
                                       Timestamp now) {
  SLUICE_CHECK(check_queue_name(queue));
  return pool_.write([&](Database& database) { return pause_queue(database, queue, by, reason, now); });
}

Result<void> PostgresQueueStore::resume(std::string_view queue, Timestamp now) {
  SLUICE_CHECK(check_queue_name(queue));
  return pool_.write([&](Database& database) { return resume_queue(database, queue, now); });
}

Result<void> PostgresQueueStore::set_max_running(std::string_view queue, std::optional<int> most,
                                                 Timestamp now) {
  SLUICE_CHECK(check_queue_name(queue));
  SLUICE_CHECK(check_max_running(queue, most));
  return pool_.write([&](Database& database) { return limit_queue(database, queue, most, now); });
}

}  // namespace sluice::jobs
