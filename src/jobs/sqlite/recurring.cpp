// Recurring jobs on SQLite.
#include "jobs/sqlite/changing.h"
#include "jobs/sqlite/parts.h"
#include "jobs/store/recurring_change.h"

#include <fmt/format.h>

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

// False: it was there, as it is.
Result<bool> upsert_one(Database& database, const RecurringSpec& given, const FirePlanner& first_fire,
                        Timestamp now) {
  SLUICE_TRY(const auto found, find(database, given.id));
  const auto changed = changed_by(found, given, first_fire);
  if (!changed) return false;
  SLUICE_CHECK(write_recurring(database, *changed, now));
  return true;
}

Result<std::vector<Live>> live_jobs(Database& database, std::string_view exclusive_key) {
  std::vector<Live> live;
  SLUICE_CHECK(database.each(
      "select j.id, case when l.job is null then j.state else 2 end, coalesce(l.attempt, j.attempt), "
      "j.run_at "
      "from job j indexed by job_live_key left join lease l on l.job = j.id where j.exclusive_key = ?1 and "
      "j.exclusive_key is not null and j.state in (0, 1) and (j.state <> 0 or j.attempt > 0 or j.fire_at is "
      "not null) order by j.id",
      [&](const Row& row) -> Result<void> {
        live.push_back({JobId(row.integer(0)), static_cast<JobState>(row.integer(1)),
                        static_cast<int>(row.integer(2)), row.time(3)});
        return {};
      },
      exclusive_key));
  return live;
}

Result<std::optional<Fired>> fire_tick(Database& database, Account& account, const Recurring& recurring,
                                       const Tick& tick) {
  const RecurringSpec& spec = recurring.spec;
  SLUICE_TRY(const int guarded,
             database.run("insert or ignore into fired (recurring_id, fire_at, job) values (?, ?, 0)",
                          spec.id, tick.fire_at));
  if (guarded == 0) return std::nullopt;
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
    if (*more.run_at > account.now()) more.state = JobState::scheduled;
  }
  if (encounter.cancels) {
    for (const Live& old : live) SLUICE_CHECK(cancel_one(database, account, old.id, kCancelledByTick));
  }
  SLUICE_TRY(const JobId id, account.insert_job(run_of(spec), more));
  SLUICE_CHECK(database.run("update fired set job = ? where recurring_id = ? and fire_at = ?", id, spec.id,
                            tick.fire_at));
  return Fired{spec.id, spec.subject, tick.fire_at, id, more.state};
}

}  // namespace

Result<std::vector<std::string>> SqliteRecurringStore::upsert(std::span<const RecurringSpec> specs,
                                                              const FirePlanner& first_fire, Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<std::string>> {
    std::vector<std::string> changed;
    for (const RecurringSpec& spec : specs) {
      SLUICE_TRY(const bool wrote, upsert_one(database, spec, first_fire, now));
      if (wrote) changed.push_back(spec.id);
    }
    return changed;
  });
}

Result<std::vector<JobId>> SqliteRecurringStore::retire(std::string_view id, std::string_view reason,
                                                        Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<JobId>> {
    SLUICE_TRY(const auto found, find(database, id));
    if (!found) return no_such_recurring(id);
    SLUICE_CHECK(
        database.run("update recurring set retired_at = ?, retired_reason = ?, next_fire_at = null, "
                     "updated_at = ? where id = ? and retired_at is null",
                     now, reason, now, id));
    struct Waiting {
      JobId id;
      JobState state;
      int attempt;
    };
    std::vector<Waiting> waiting;
    for (const JobState state : {JobState::scheduled, JobState::enqueued, JobState::awaiting}) {
      SLUICE_CHECK(database.each(
          "select id, attempt from job indexed by job_recurring where recurring_id = ? and recurring_id is "
          "not null and state = ? and not exists (select 1 from lease where lease.job = job.id) order by id",
          [&](const Row& row) -> Result<void> {
            waiting.push_back({JobId(row.integer(0)), state, static_cast<int>(row.integer(1))});
            return {};
          },
          id, state));
    }
    Account account(database, now);
    std::vector<JobId> deleted;
    for (const Waiting& job : waiting) {
      SLUICE_CHECK(leave_ready(database, job.id));
      SLUICE_CHECK(database.run("update job set state = ?, finished_at = ?, reason = ? where id = ?",
                                JobState::deleted, now, reason, job.id));
      SLUICE_CHECK(account.step({.job = job.id,
                                 .from = job.state,
                                 .to = JobState::deleted,
                                 .attempt = job.attempt,
                                 .reason = reason}));
      deleted.push_back(job.id);
    }
    SLUICE_CHECK(account.close());
    return deleted;
  });
}

Result<void> SqliteRecurringStore::pause(std::string_view id, std::string_view by, std::string_view reason,
                                         Timestamp now) {
  return file_.write([&](Database& database) -> Result<void> {
    SLUICE_TRY(const int changed, database.run("update recurring set paused_at = coalesce(paused_at, ?), "
                                               "paused_by = ?, pause_reason = ?, next_fire_at = null, "
                                               "updated_at = ? where id = ? and retired_at is null",
                                               now, by, reason, now, id));
    if (changed == 0) return no_such_recurring(id);
    return {};
  });
}

Result<void> SqliteRecurringStore::resume(std::string_view id, const FirePlanner& first_fire, Timestamp now) {
  return file_.write([&](Database& database) -> Result<void> {
    SLUICE_TRY(auto found, find(database, id));
    if (!found || found->retired_at) return no_such_recurring(id);
    if (!found->paused_at) return {};
    const FirePlan plan = first_fire(*found);
    SLUICE_CHECK(
        database.run("update recurring set paused_at = null, paused_by = '', pause_reason = '', failures = "
                     "0, next_fire_at = ?, error = ?, "
                     "updated_at = ? where id = ?",
                     found->spec.enabled ? plan.next_fire_at : std::nullopt, plan.error, now, id));
    return {};
  });
}

Result<std::vector<Fired>> SqliteRecurringStore::fire_due(const FirePlanner& plan, int limit, Timestamp now) {
  return file_.write([&](Database& database) -> Result<std::vector<Fired>> {
    std::vector<Recurring> due;
    SLUICE_CHECK(database.each(
        fmt::format(
            "select {} from recurring indexed by recurring_next where next_fire_at is not null and "
            "next_fire_at <= ? and paused_at is null and retired_at is null order by next_fire_at limit "
            "?",
            recurring_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto one, read_recurring(row));
          due.push_back(std::move(one));
          return {};
        },
        now, limit));
    Account account(database, now);
    std::vector<Fired> fired;
    for (const Recurring& recurring : due) {
      const FirePlan decided = plan(recurring);
      std::optional<Timestamp> last_fire_at = recurring.last_fire_at;
      JobId last_job = recurring.last_job;
      for (const Tick& tick : decided.ticks) {
        SLUICE_TRY(const auto one, fire_tick(database, account, recurring, tick));
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
    SLUICE_CHECK(account.close());
    return fired;
  });
}

Result<std::optional<Timestamp>> SqliteRecurringStore::next_fire() {
  return file_.read([&](Database& database) -> Result<std::optional<Timestamp>> {
    std::optional<Timestamp> next;
    SLUICE_CHECK(database.each(
        "select next_fire_at from recurring indexed by recurring_next where next_fire_at is not null "
        "order by next_fire_at limit 1",
        [&](const Row& row) -> Result<void> {
          next = row.time(0);
          return {};
        }));
    return next;
  });
}

Result<std::vector<Recurring>> SqliteRecurringStore::list(bool with_retired) {
  return file_.read([&](Database& database) -> Result<std::vector<Recurring>> {
    std::vector<Recurring> all;
    RetryMemo memo;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from recurring where retired_at is null or ? order by id",
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

Result<std::optional<Recurring>> SqliteRecurringStore::get(std::string_view id) {
  return file_.read([&](Database& database) { return find(database, id); });
}

}  // namespace sluice::jobs
