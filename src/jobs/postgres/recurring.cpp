// Recurring jobs on PostgreSQL.
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
