// Recurring jobs on PostgreSQL.
#include "jobs/postgres/changing.h"
#include "jobs/postgres/parts.h"
#include "jobs/store/recurring_change.h"

#include <fmt/format.h>

#include <map>

namespace sluice::jobs {
namespace {

Result<std::optional<Recurring>> find(Database& database, std::string_view id) {
  std::optional<Recurring> found;
  SLUICE_CHECK(database.each(
      fmt::format("select {} from recurring where id = ?", recurring_columns()),
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(found, read_recurring(row));
        return {};
      },
      id));
  return found;
}

std::unexpected<Error> no_such_recurring(std::string_view id) {
  return fail(ErrorCode::not_found, fmt::format("there is no recurring job \"{}\"", id));
}

Result<std::vector<Live>> live_jobs(Database& database, std::string_view exclusive_key) {
  std::vector<Live> live;
  SLUICE_CHECK(database.each(
      "select j.id, case when l.job is null then j.state else 2 end, j.attempt, j.run_at from job j left "
      "join lease l on l.job = j.id where j.exclusive_key = ?1 and j.exclusive_key is not null and j.state "
      "in (0, 1) and (j.state = 1 or j.attempt > 0 or j.fire_at is not null) order by j.id",
      [&](const Row& row) -> Result<void> {
        live.push_back({JobId(row.integer(0)), static_cast<JobState>(row.integer(1)),
                        static_cast<int>(row.integer(2)), row.time(3)});
        return {};
      },
      exclusive_key));
  return live;
}

struct Waiting {
  JobId id;
  JobState state;
  int attempt;
};

// The jobs of it that have not begun, taken from the workers.
Result<std::vector<Waiting>> take_waiting(Database& database, std::string_view id) {
  std::vector<Waiting> waiting;
  const auto add = [&](const Row& row) -> Result<void> {
    waiting.push_back(
        {JobId(row.integer(0)), static_cast<JobState>(row.integer(1)), static_cast<int>(row.integer(2))});
    return {};
  };
  SLUICE_CHECK(database.each(
      "with r as (delete from ready using job j where ready.job = j.id and j.recurring_id = ? and "
      "j.recurring_id is not null and j.state = 1 returning j.id, j.state, j.attempt) select * from r order "
      "by id",
      add, id));
  SLUICE_CHECK(database.each(
      "select id, state, attempt from job where recurring_id = ? and recurring_id is not null and state in "
      "(0, 3) order by id for update",
      add, id));
  return waiting;
}

}  // namespace

Result<void> PostgresRecurringStore::alone(Database& database) {
  return database.each(fmt::format("select pg_advisory_xact_lock({})", pool_.lock_name(3)),
                       [](const Row&) -> Result<void> { return {}; });
}

Result<std::vector<std::string>> PostgresRecurringStore::upsert(std::span<const RecurringSpec> specs,
                                                                const FirePlanner& first_fire,
                                                                Timestamp now) {
  return pool_.write([&](Database& database) -> Result<std::vector<std::string>> {
    SLUICE_CHECK(alone(database));
    std::vector<std::string> ids;
    for (const RecurringSpec& spec : specs) ids.push_back(spec.id);
    std::map<std::string, Recurring, std::less<>> known;
    RetryMemo memo;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from recurring where id = any(?::text[])", recurring_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto one, read_recurring(row, &memo));
          known.insert_or_assign(one.spec.id, std::move(one));
          return {};
        },
        array_text(ids)));
    std::vector<std::string> changed;
    for (const RecurringSpec& spec : specs) {
      const auto found = known.find(spec.id);
      const auto wanted =
          changed_by(found == known.end() ? std::nullopt : std::optional(found->second), spec, first_fire);
      if (!wanted) continue;
      SLUICE_CHECK(write_recurring(database, *wanted, now));
      known.insert_or_assign(spec.id, *wanted);
      changed.push_back(spec.id);
    }
    return changed;
  });
}

Result<std::vector<JobId>> PostgresRecurringStore::retire(std::string_view id, std::string_view reason,
                                                          Timestamp now) {
  return pool_.write([&](Database& database) -> Result<std::vector<JobId>> {
    SLUICE_CHECK(alone(database));
    SLUICE_TRY(const auto found, find(database, id));
    if (!found) return no_such_recurring(id);
    SLUICE_CHECK(
        database.run("update recurring set retired_at = ?, retired_reason = ?, next_fire_at = null, "
                     "updated_at = ? where id = ? and retired_at is null",
                     now, reason, now, id));
    SLUICE_TRY(const auto waiting, take_waiting(database, id));
    Tally tally(database, now);
    std::vector<JobId> deleted;
    for (const Waiting& job : waiting) {
      SLUICE_CHECK(database.run(
          "update job set state = ?, finished_at = ?, reason = ?, history = history || ? where id = ?",
          JobState::deleted, now, reason, history_line(JobState::deleted, now, job.attempt, {}, reason),
          job.id));
      SLUICE_CHECK(tally.step(job.id, job.state, JobState::deleted));
      deleted.push_back(job.id);
    }
    SLUICE_CHECK(tally.close());
    return deleted;
  });
}

Result<void> PostgresRecurringStore::pause(std::string_view id, std::string_view by, std::string_view reason,
                                           Timestamp now) {
  return pool_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(alone(database));
    SLUICE_TRY(const int changed, database.run("update recurring set paused_at = coalesce(paused_at, ?), "
                                               "paused_by = ?, pause_reason = ?, next_fire_at = null, "
                                               "updated_at = ? where id = ? and retired_at is null",
                                               now, by, reason, now, id));
    if (changed == 0) return no_such_recurring(id);
    return {};
  });
}

Result<void> PostgresRecurringStore::resume(std::string_view id, const FirePlanner& first_fire,
                                            Timestamp now) {
  return pool_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(alone(database));
    SLUICE_TRY(const auto found, find(database, id));
    if (!found || found->retired_at) return no_such_recurring(id);
    if (!found->paused_at) return {};
    const FirePlan plan = first_fire(*found);
    SLUICE_CHECK(
        database.run("update recurring set paused_at = null, paused_by = '', pause_reason = '', failures = "
                     "0, next_fire_at = ?, error = ?, updated_at = ? where id = ?",
                     found->spec.enabled ? plan.next_fire_at : std::nullopt, plan.error, now, id));
    return {};
  });
}

Result<std::optional<Fired>> PostgresRecurringStore::fire_tick(Database& database, const Recurring& recurring,
                                                               const Tick& tick, Timestamp now) {
  const RecurringSpec& spec = recurring.spec;
  SLUICE_TRY(const int guarded, database.run("insert into fired (recurring_id, fire_at, job) values (?, ?, "
                                             "0) on conflict do nothing",
                                             spec.id, tick.fire_at));
  if (guarded == 0) return std::nullopt;
  const NewJob job = run_of(spec);
  SLUICE_TRY(const auto live, live_jobs(database, spec.exclusive_key));
  const Encounter encounter = meet(spec, tick, live);
  InsertedJob more;
  more.fire_at = tick.fire_at;
  more.reason = encounter.reason;
  if (encounter.blocking) {
    more.state = JobState::skipped;
    more.blocking_job = encounter.blocking->id;
  } else {
    more.run_at = jittered(spec, tick.fire_at);
    if (*more.run_at > now) more.state = JobState::scheduled;
  }
  if (encounter.cancels) {
    for (const Live& old : live) SLUICE_CHECK(cancel_one(database, old.id, kCancelledByTick, now));
  }
  const PostgresNewJob given{&job, more};
  SLUICE_TRY(const auto ids, insert_jobs(pool_, database, std::span(&given, 1), now, false));
  SLUICE_CHECK(database.run("update fired set job = ? where recurring_id = ? and fire_at = ?", ids.at(0),
                            spec.id, tick.fire_at));
  return Fired{spec.id, spec.subject, tick.fire_at, ids.at(0), more.state};
}

Result<std::vector<Fired>> PostgresRecurringStore::fire_due(const FirePlanner& plan, int limit,
                                                            Timestamp now) {
  return pool_.write([&](Database& database) -> Result<std::vector<Fired>> {
    SLUICE_CHECK(alone(database));
    std::vector<Recurring> due;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from recurring where next_fire_at is not null and next_fire_at <= ? order by "
                    "next_fire_at, id limit ?",
                    recurring_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto one, read_recurring(row));
          due.push_back(std::move(one));
          return {};
        },
        now, limit));
    std::vector<Fired> fired;
    for (const Recurring& recurring : due) {
      SLUICE_TRY(const bool free, try_lock_key(database, recurring.spec.exclusive_key));
      if (!free) continue;  // a caller's transaction holds it: next round
      const FirePlan decided = plan(recurring);
      std::optional<Timestamp> last_fire_at = recurring.last_fire_at;
      JobId last_job = recurring.last_job;
      for (const Tick& tick : decided.ticks) {
        SLUICE_TRY(const auto one, fire_tick(database, recurring, tick, now));
        if (!one) continue;
        last_fire_at = tick.fire_at;
        if (one->state != JobState::skipped) last_job = one->job;
        fired.push_back(*one);
      }
      SLUICE_CHECK(database.run(
          "update recurring set next_fire_at = ?, last_fire_at = ?, last_job = ?, error = ? where id = ?",
          decided.error.empty() ? decided.next_fire_at : std::nullopt, last_fire_at,
          last_job ? std::optional(last_job) : std::nullopt, decided.error, recurring.spec.id));
      // The guard rows behind the horizon, of this one only: never a scan of them all.
      SLUICE_CHECK(database.run("delete from fired where recurring_id = ? and fire_at < ?", recurring.spec.id,
                                now - recurring.spec.catch_up_window - kRememberFired));
    }
    return fired;
  });
}

Result<std::optional<Timestamp>> PostgresRecurringStore::next_fire() {
  return pool_.once([&](Database& database) -> Result<std::optional<Timestamp>> {
    std::optional<Timestamp> next;
    SLUICE_CHECK(database.each(
        "select next_fire_at from recurring where next_fire_at is not null order by next_fire_at limit 1",
        [&](const Row& row) -> Result<void> {
          next = row.time(0);
          return {};
        }));
    return next;
  });
}

Result<std::vector<Recurring>> PostgresRecurringStore::list(bool with_retired) {
  return pool_.once([&](Database& database) -> Result<std::vector<Recurring>> {
    std::vector<Recurring> all;
    RetryMemo memo;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from recurring where retired_at is null or ? = 1 order by id",
                    recurring_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto one, read_recurring(row, &memo));
          all.push_back(std::move(one));
          return {};
        },
        with_retired ? 1 : 0));
    return all;
  });
}

Result<std::optional<Recurring>> PostgresRecurringStore::get(std::string_view id) {
  return pool_.once([&](Database& database) { return find(database, id); });
}

}  // namespace sluice::jobs
