// Stored definitions, retention, and times that a clock ahead has written, on PostgreSQL.
#include "jobs/postgres/parts.h"
#include "jobs/store/clock_mending.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

// Old jobs of one final state, oldest first. The newest successes of each subject are passed over: they tell
// when a loader worked last.
constexpr std::string_view kForget =
    "with old as materialized (select id from job j where state = ?1 and finished_at is not null and "
    "finished_at < ?2 and (?1 <> 5 or subject = '' or ?3 <= (select count(*) from (select 1 from job newer "
    "where newer.subject = j.subject and newer.kind = j.kind and newer.subject <> '' and newer.state = 5 and "
    "newer.id > j.id limit "
    "?3) as newest)) "
    // What others still wait for stays: it may be run again by hand, and they read its result as they run.
    "and (j.waited_for is null or not exists (select 1 from job child where child.parent = j.id and "
    "child.parent is not null and child.state in (0, 1, 3, 4))) order by finished_at limit ?4 for update "
    "skip locked), "
    "lines as (delete from job_log using old where job_log.job = old.id), "
    "batches as (delete from batch using old where batch.job = old.id) "
    "delete from job using old where job.id = old.id";

// Rules of keys that no job has any more, and starts that count no longer. Locked first, then looked at: who
// enqueues under such a key at the same time locks its rule too, and is seen, or makes a new one.
Result<void> forget_rules(Database& database, int batch, Timestamp now) {
  SLUICE_CHECK(database.run(
      "delete from limit_start s using limit_rule r where s.key = r.key and s.at <= ? - r.window_ms * 1000",
      now));
  constexpr std::string_view kUnused =
      "not exists (select 1 from job where limit_key = r.key and limit_key is not null) and not exists "
      "(select 1 "
      "from limit_start s where s.key = r.key)";
  std::vector<std::string> keys;
  SLUICE_CHECK(database.each(
      fmt::format("select key from limit_rule r where {} order by key limit ? for update skip locked",
                  kUnused),
      [&](const Row& row) -> Result<void> {
        keys.push_back(row.text(0));
        return {};
      },
      batch));
  if (!keys.empty()) {
    SLUICE_CHECK(
        database.run(fmt::format("delete from limit_rule r where key = any(?::text[]) and {}", kUnused),
                     array_text(keys)));
  }
  return {};
}

}  // namespace

Result<void> fold_tally(PostgresPool& pool, Database& database) {
  SLUICE_CHECK(database.run(fmt::format(
      "with mine as materialized (select pg_try_advisory_xact_lock({}) as alone), "
      "d as (delete from tally where (select alone from mine) returning *), "
      "c as (insert into job_count (state, n) select state, sum(n) from d group by state having sum(n) <> 0 "
      "on conflict (state) do update set n = job_count.n + excluded.n) "
      "insert into job_minute (minute, state, n, ms, amount) select minute, state, sum(finished), sum(ms), "
      "sum(amount) from d where finished > 0 group by minute, state on conflict (minute, state) do update "
      "set "
      "n = job_minute.n + excluded.n, ms = job_minute.ms + excluded.ms, amount = job_minute.amount + "
      "excluded.amount",
      pool.lock_name(4))));
  return {};
}

Result<void> PostgresDefinitionStore::save(std::span<const StoredDefinition> definitions) {
  return pool_.write([&](Database& database) -> Result<void> {
    for (const StoredDefinition& one : definitions) {
      SLUICE_CHECK(database.run(
          "insert into definition (kind, name, path, text, hash, accepted_at, error) values (?, ?, ?, ?, ?, "
          "?, '') on conflict (kind, name) do update set path = excluded.path, text = excluded.text, hash = "
          "excluded.hash, accepted_at = excluded.accepted_at, error = ''",
          one.kind, one.name, one.path, one.text, one.hash, one.accepted_at));
    }
    return {};
  });
}

Result<std::vector<StoredDefinition>> PostgresDefinitionStore::load() {
  return pool_.once([&](Database& database) -> Result<std::vector<StoredDefinition>> {
    std::vector<StoredDefinition> all;
    SLUICE_CHECK(database.each(
        "select kind, name, path, text, hash, accepted_at, error from definition order by kind collate "
        "\"C\", name collate \"C\"",
        [&](const Row& row) -> Result<void> {
          all.push_back(
              {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.time(5), row.text(6)});
          return {};
        }));
    return all;
  });
}

Result<void> PostgresDefinitionStore::set_error(std::string_view kind, std::string_view name,
                                                std::string_view error) {
  return pool_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(
        database.run("update definition set error = ? where kind = ? and name = ?", error, kind, name));
    return {};
  });
}

Result<void> PostgresDefinitionStore::remove(std::string_view kind, std::string_view name) {
  return pool_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(database.run("delete from definition where kind = ? and name = ?", kind, name));
    return {};
  });
}

Result<int> PostgresUpkeep::trim(const Retention& retention, int batch, Timestamp now) {
  return pool_.write([&](Database& database) -> Result<int> {
    Tally tally(database, now);
    int removed = 0;
    const std::pair<JobState, std::chrono::hours> rules[] = {{JobState::succeeded, retention.succeeded},
                                                             {JobState::skipped, retention.skipped},
                                                             {JobState::deleted, retention.deleted},
                                                             {JobState::failed, retention.failed}};
    for (const auto& [state, keep] : rules) {
      if (removed >= batch) break;
      SLUICE_TRY(const int gone, database.run(kForget, state, now - keep,
                                              std::max(retention.keep_per_subject, 0), batch - removed));
      tally.forgotten(state, gone);
      removed += gone;
    }
    SLUICE_CHECK(database.run(
        "delete from unique_key where key in (select key from unique_key k where until <= ? and not exists "
        "(select 1 from job where id = k.job and state in (0, 1, 3)) limit ? for update skip locked)",
        now, batch));
    SLUICE_CHECK(forget_rules(database, batch, now));
    SLUICE_CHECK(tally.close());
    SLUICE_CHECK(fold_tally(pool_, database));
    SLUICE_CHECK(database.run("delete from job_minute where minute < ?", now - retention.minutes));
    return removed;
  });
}

Result<Mended> PostgresUpkeep::clock_set_back(const FirePlanner& first_fire, Timestamp now) {
  // Mostly there is nothing to mend: look first.
  SLUICE_TRY(const auto sooner, pool_.read([&](Database& database) {
    return find_sooner(database, "recurring", "job", first_fire, now);
  }));
  if (sooner.empty()) return Mended{};
  return pool_.write([&](Database& database) { return bring_forward(database, sooner, now); });
}

}  // namespace sluice::jobs
