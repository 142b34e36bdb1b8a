// Stored definitions and retention on SQLite.
#include "jobs/sqlite/parts.h"

#include <algorithm>

namespace sluice::jobs {
namespace {

// Old jobs of one final state, oldest first. The newest successes of each subject are passed over: they tell
// when a loader worked last.
constexpr std::string_view kOldJobs =
    "select id from job indexed by job_finished where state = ?1 and finished_at is not null and finished_at "
    "< ?2 "
    "and (?1 <> 5 or subject = '' or ?3 <= (select count(*) from (select 1 from job newer indexed by "
    "job_subject "
    "where newer.subject = job.subject and newer.kind = job.kind and newer.subject <> '' and newer.state = 5 "
    "and newer.id > job.id "
    "limit ?3))) "
    // What others still wait for stays: it may be run again by hand, and they read its result as they run.
    "and not exists (select 1 from job child indexed by job_parent where child.parent = job.id and "
    "child.parent is not null and child.state in (0, 1, 3, 4)) "
    "order by finished_at limit ?4";

}  // namespace

Result<void> SqliteDefinitionStore::save(std::span<const StoredDefinition> definitions) {
  return file_.write([&](Database& database) -> Result<void> {
    for (const StoredDefinition& one : definitions) {
      SLUICE_CHECK(
          database.run("insert into definition (kind, name, path, text, hash, accepted_at, error) values (?, "
                       "?, ?, ?, ?, ?, '') "
                       "on conflict (kind, name) do update set path = excluded.path, text = excluded.text, "
                       "hash = excluded.hash, "
                       "accepted_at = excluded.accepted_at, error = ''",
                       one.kind, one.name, one.path, one.text, one.hash, one.accepted_at));
    }
    return {};
  });
}

Result<std::vector<StoredDefinition>> SqliteDefinitionStore::load() {
  return file_.read([&](Database& database) -> Result<std::vector<StoredDefinition>> {
    std::vector<StoredDefinition> all;
    SLUICE_CHECK(database.each(
        "select kind, name, path, text, hash, accepted_at, error from definition order by kind, name",
        [&](const Row& row) -> Result<void> {
          all.push_back(
              {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.time(5), row.text(6)});
          return {};
        }));
    return all;
  });
}

Result<void> SqliteDefinitionStore::set_error(std::string_view kind, std::string_view name,
                                              std::string_view error) {
  return file_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(
        database.run("update definition set error = ? where kind = ? and name = ?", error, kind, name));
    return {};
  });
}

Result<void> SqliteDefinitionStore::remove(std::string_view kind, std::string_view name) {
  return file_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(database.run("delete from definition where kind = ? and name = ?", kind, name));
    return {};
  });
}

Result<int> SqliteUpkeep::trim(const Retention& retention, int batch, Timestamp now) {
  return file_.write([&](Database& database) -> Result<int> {
    Account account(database, now);
    int removed = 0;
    const std::pair<JobState, std::chrono::hours> rules[] = {{JobState::succeeded, retention.succeeded},
                                                             {JobState::skipped, retention.skipped},
                                                             {JobState::deleted, retention.deleted},
                                                             {JobState::failed, retention.failed}};
    for (const auto& [state, keep] : rules) {
      std::vector<JobId> old;
      SLUICE_CHECK(database.each(
          kOldJobs,
          [&](const Row& row) -> Result<void> {
            old.emplace_back(row.integer(0));
            return {};
          },
          state, now - keep, std::max(retention.keep_per_subject, 0), batch - removed));
      for (const JobId id : old) {
        SLUICE_CHECK(database.run("delete from job_log where job = ?", id));
        SLUICE_CHECK(database.run("delete from batch where job = ?", id));
        SLUICE_CHECK(database.run("delete from job where id = ?", id));
      }
      account.forgotten(state, static_cast<std::int64_t>(old.size()));
      removed += static_cast<int>(old.size());
    }
    SLUICE_CHECK(database.run(
        "delete from unique_key where key in (select key from unique_key k indexed by unique_key_until where "
        "until <= ? and not exists (select 1 from job where id = k.job and state in (0, 1, 3)) limit ?)",
        now, batch));
    // Starts that count no longer, and rules of keys that neither a job nor a start has any more.
    SLUICE_CHECK(
        database.run("delete from limit_start where at <= ?1 - coalesce((select window_ms * 1000 from "
                     "limit_rule where key = limit_start.key), 0)",
                     now));
    SLUICE_CHECK(database.run(
        "delete from limit_rule where key in (select key from limit_rule r where not exists "
        "(select 1 from job indexed by job_of_limit where limit_key = r.key and limit_key is not "
        "null) and not exists (select 1 from limit_start s where s.key = r.key) limit ?)",
        batch));
    SLUICE_CHECK(database.run("delete from job_minute where minute < ?", now - retention.minutes));
    SLUICE_CHECK(account.close());
    return removed;
  });
}

}  // namespace sluice::jobs
