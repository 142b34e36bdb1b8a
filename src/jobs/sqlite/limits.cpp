#include "jobs/sqlite/limits.h"

#include "jobs/sqlite/parts.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace sluice::jobs {
namespace {

constexpr int kMostOffered = 100;

Result<std::optional<KeyLimit>> rule_of(Database& database, std::string_view key) {
  std::optional<KeyLimit> rule;
  SLUICE_CHECK(database.each(
      "select at_once, starts, window_ms from limit_rule where key = ?",
      [&](const Row& row) -> Result<void> {
        rule = KeyLimit{static_cast<int>(row.integer(0)), static_cast<int>(row.integer(1)),
                        std::chrono::milliseconds(row.integer(2))};
        return {};
      },
      key));
  return rule;
}

Result<int> count(Database& database, std::string_view query, std::string_view key) {
  std::int64_t n = 0;
  SLUICE_CHECK(database.each(
      query,
      [&](const Row& row) -> Result<void> {
        n = row.integer(0);
        return {};
      },
      key));
  return static_cast<int>(n);
}

Result<std::vector<std::string>> texts(Database& database, std::string_view query) {
  std::vector<std::string> found;
  SLUICE_CHECK(database.each(query, [&](const Row& row) -> Result<void> {
    found.push_back(row.text(0));
    return {};
  }));
  return found;
}

// When the oldest start that counts leaves the window; asked for while jobs of the key are put aside.
Result<void> plan_wake(Database& database, std::string_view key, const KeyLimit& rule) {
  if (rule.starts == 0) return {};
  SLUICE_CHECK(database.run(
      "update limit_rule set wake_at = (select min(at) from limit_start where key = ?1) + ?2 where key = ?1 "
      "and exists (select 1 from ready indexed by ready_limit where blocked = 2 and limit_key = ?1)",
      key, rule.window.count() * 1000));
  return {};
}

// A key's blocked ones in the order of the index, so that thousands of one key cost one step.
constexpr std::string_view kBlockedKeys =
    "with recursive k(v) as (select min(exclusive_key) from ready indexed by ready_key where blocked = 1 and "
    "exclusive_key is not null union all select (select min(exclusive_key) from ready indexed by ready_key "
    "where blocked = 1 and exclusive_key > k.v) from k where k.v is not null) select v from k where v is not "
    "null";
constexpr std::string_view kBlockedLimits =
    "with recursive k(v) as (select min(limit_key) from ready indexed by ready_limit where blocked = 2 and "
    "limit_key is not null union all select (select min(limit_key) from ready indexed by ready_limit where "
    "blocked = 2 and limit_key > k.v) from k where k.v is not null) select v from k where v is not null";

}  // namespace

Result<void> save_rule(Database& database, std::string_view key, const KeyLimit& limit) {
  SLUICE_CHECK(database.run(
      "insert into limit_rule (key, at_once, starts, window_ms) values (?, ?, ?, ?) on conflict (key) do "
      "update set at_once = excluded.at_once, starts = excluded.starts, window_ms = excluded.window_ms where "
      "at_once <> excluded.at_once or starts <> excluded.starts or window_ms <> excluded.window_ms",
      key, limit.at_once, limit.starts, limit.window.count()));
  return {};
}

Result<int> room_of_limit(Database& database, std::string_view key, Timestamp now) {
  int room = std::numeric_limits<int>::max();
  SLUICE_TRY(const auto rule, rule_of(database, key));
  if (!rule) return room;
  if (rule->at_once > 0) {
    SLUICE_TRY(const int running, count(database,
                                        "select count(*) from lease indexed by lease_limit where limit_key "
                                        "= ?",
                                        key));
    room = std::min(room, rule->at_once - running);
  }
  if (rule->starts > 0) {
    SLUICE_CHECK(database.run("delete from limit_start where key = ? and at <= ?", key, now - rule->window));
    SLUICE_TRY(const int started, count(database, "select count(*) from limit_start where key = ?", key));
    room = std::min(room, rule->starts - started);
  }
  return std::max(room, 0);
}

Result<void> note_start(Database& database, std::string_view key, JobId job, Timestamp now) {
  SLUICE_TRY(const auto rule, rule_of(database, key));
  if (!rule || rule->starts == 0) return {};
  SLUICE_CHECK(
      database.run("insert or ignore into limit_start (key, at, job) values (?, ?, ?)", key, now, job));
  return plan_wake(database, key, *rule);
}

Result<void> put_aside(Database& database, JobId job, BlockedBy by) {
  SLUICE_CHECK(database.run("update ready set blocked = ? where job = ?", by, job));
  return {};
}

Result<void> put_aside_if_blocked(Database& database, JobId id, const NewJob& job, Timestamp now) {
  if (!job.exclusive_key.empty()) {
    bool blocked = false;
    SLUICE_CHECK(database.each(
        "select 1 from lease indexed by lease_key where exclusive_key = ?1 union all select 1 from ready "
        "indexed by ready_key where blocked in (0, 1, 2) and exclusive_key = ?1 and priority <= ?2 and job "
        "<> "
        "?3 limit 1",
        [&](const Row&) -> Result<void> {
          blocked = true;
          return {};
        },
        job.exclusive_key, job.priority, id));
    if (blocked) return put_aside(database, id, BlockedBy::exclusive_key);
  }
  if (job.limit_key.empty()) return {};
  SLUICE_TRY(const int room, room_of_limit(database, job.limit_key, now));
  std::int64_t before = 0;
  SLUICE_CHECK(database.each(
      "select count(*) from (select 1 from ready indexed by ready_limit where blocked in (0, 2) and "
      "limit_key = ?1 and priority <= ?2 and job <> ?3 limit ?4)",
      [&](const Row& row) -> Result<void> {
        before = row.integer(0);
        return {};
      },
      job.limit_key, job.priority, id, std::max(room, 1)));
  if (before < room) return {};
  SLUICE_CHECK(put_aside(database, id, BlockedBy::limit_key));
  SLUICE_TRY(const auto rule, rule_of(database, job.limit_key));
  return rule ? plan_wake(database, job.limit_key, *rule) : Result<void>();
}

Result<void> forget_start(Database& database, std::string_view key, JobId job, std::optional<Timestamp> at) {
  if (key.empty() || !at) return {};
  SLUICE_CHECK(database.run("delete from limit_start where key = ? and at = ? and job = ?", key, *at, job));
  return {};
}

Result<int> release_key(Database& database, std::string_view exclusive_key) {
  if (exclusive_key.empty()) return 0;
  return database.run(
      "update ready set blocked = 0 where job = (select job from ready r indexed by ready_key where blocked "
      "= "
      "1 and exclusive_key = ?1 and not exists (select 1 from queue where queue.name = r.queue and paused_at "
      "is not null) order by priority, run_at, job limit 1) and not exists (select 1 from lease indexed by "
      "lease_key where exclusive_key = ?1)",
      exclusive_key);
}

Result<int> release_limit(Database& database, std::string_view limit_key, Timestamp now, bool one_more) {
  if (limit_key.empty()) return 0;
  SLUICE_TRY(int room, room_of_limit(database, limit_key, now));
  SLUICE_TRY(const int offered, count(database,
                                      "select count(*) from ready indexed by ready_limit where blocked = 0 "
                                      "and limit_key = ?",
                                      limit_key));
  // What is offered may be for nobody here, but there is no end to offering for that.
  const bool more = one_more && offered < room + kMostOffered;
  room = std::max(room - offered, more ? std::min(room, 1) : 0);
  int released = 0;
  if (room > 0) {
    SLUICE_TRY(
        released,
        database.run(
            "update ready set blocked = 0 where job in (select job from ready r indexed by ready_limit "
            "where blocked = 2 and limit_key = ?1 and not exists (select 1 from queue where queue.name "
            "= r.queue and paused_at is not null) order by priority, run_at, job limit ?2)",
            limit_key, room));
  }
  SLUICE_CHECK(
      database.run("update limit_rule set wake_at = null where key = ? and wake_at <= ?", limit_key, now));
  SLUICE_TRY(const auto rule, rule_of(database, limit_key));
  if (rule && room <= 0) SLUICE_CHECK(plan_wake(database, limit_key, *rule));
  return released;
}

Result<int> release_due(Database& database, Timestamp now) {
  std::vector<std::string> keys;
  SLUICE_CHECK(database.each(
      "select key from limit_rule indexed by limit_rule_wake where wake_at is not null and wake_at <= ?",
      [&](const Row& row) -> Result<void> {
        keys.push_back(row.text(0));
        return {};
      },
      now));
  int released = 0;
  for (const std::string& key : keys) {
    SLUICE_TRY(const int some, release_limit(database, key, now, true));
    released += some;
  }
  return released;
}

Result<int> SqliteJobStore::release_waiting(Timestamp now) {
  // Mostly nobody waits: look without the writer.
  const auto any = file_.read([](Database& database) -> Result<bool> {
    bool found = false;
    SLUICE_CHECK(database.each(
        "select exists (select 1 from ready indexed by ready_key where exclusive_key is not null and blocked "
        "= 1) or exists (select 1 from ready indexed by ready_limit where limit_key is not null and blocked "
        "= "
        "2)",
        [&](const Row& row) -> Result<void> {
          found = row.integer(0) != 0;
          return {};
        }));
    return found;
  });
  if (!any) return std::unexpected(any.error());
  if (!*any) return 0;
  return file_.write([&](Database& database) -> Result<int> {
    int released = 0;
    SLUICE_TRY(const auto keys, texts(database, kBlockedKeys));
    for (const std::string& key : keys) {
      SLUICE_TRY(const int some, release_key(database, key));
      released += some;
    }
    SLUICE_TRY(const auto limits, texts(database, kBlockedLimits));
    for (const std::string& key : limits) {
      SLUICE_TRY(const int some, release_limit(database, key, now, true));
      released += some;
    }
    return released;
  });
}

}  // namespace sluice::jobs
