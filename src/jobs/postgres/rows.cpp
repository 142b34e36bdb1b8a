#include "jobs/postgres/rows.h"

#include "jobs/store/unique.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sluice::jobs {
namespace {

nlohmann::json or_null(const std::string& text) {
  return text.empty() ? nlohmann::json() : nlohmann::json(storable(text));
}
nlohmann::json micros(std::optional<Timestamp> time) {
  return time ? nlohmann::json(time->time_since_epoch().count()) : nlohmann::json();
}

nlohmann::json row_of(const PostgresNewJob& given, Timestamp now) {
  const NewJob& job = *given.job;
  const InsertedJob& more = given.more;
  return {{"kind", storable(job.kind)},
          {"subject", storable(job.subject)},
          {"name", storable(name_of(job))},
          {"queue", storable(job.queue)},
          {"state", static_cast<int>(more.state)},
          {"origin", static_cast<int>(job.origin)},
          {"priority", job.priority},
          {"run_at", micros(std::max(more.run_at.value_or(job.run_at.value_or(now)), now))},
          {"finished_at", micros(is_final(more.state) ? std::optional(now) : std::nullopt)},
          {"max_attempts", job.retry.limit + 1},
          {"pinned_node", or_null(job.pinned_node)},
          {"exclusive_key", or_null(job.exclusive_key)},
          {"recurring_id", or_null(job.recurring_id)},
          {"fire_at", micros(more.fire_at)},
          {"blocking_job", more.blocking_job ? nlohmann::json(more.blocking_job.value()) : nlohmann::json()},
          {"started_by", storable(job.started_by)},
          {"reason", storable(more.reason)},
          {"history", history_line(more.state, now, 0, {}, more.reason)},
          {"retry", to_json(job.retry)},
          {"limit_key", or_null(job.limit_key)},
          {"timeout_ms", job.timeout.count()},
          {"latency_ms", job.latency_limit.count()},
          {"args", storable(job.args)},
          {"parent", job.parent ? nlohmann::json(job.parent.value()) : nlohmann::json()},
          {"follows", job.parent ? nlohmann::json(static_cast<int>(job.follows)) : nlohmann::json()},
          {"delay_ms", job.delay ? nlohmann::json(job.delay->count()) : nlohmann::json()},
          {"unique_key", or_null(job.unique_key)},
          {"batch", job.batch ? nlohmann::json(job.batch.value()) : nlohmann::json()}};
}

// A new job that comes after others of its key need not be looked at by claims: it is put aside, and let back
// when they are done. With statements of their own for jobs without any key, which pay nothing.
constexpr std::string_view kBornBlocked =
    "case when exclusive_key is not null and (row_number() over (partition by exclusive_key order by "
    "priority, run_at, id) > 1 or exists (select 1 from ready o where o.exclusive_key = j.exclusive_key and "
    "o.blocked = 0 and o.priority <= j.priority) or exists (select 1 from lease o where o.exclusive_key = "
    "j.exclusive_key)) then 1 when limit_key is not null and (exists (select 1 from ready o where "
    "o.limit_key "
    "= j.limit_key and o.blocked = 2) or row_number() over (partition by limit_key order by priority, "
    "run_at, "
    "id) > (select least(nullif(at_once, 0), "
    "nullif(starts, 0)) from limit_rule where key = j.limit_key)) then 2 else 0 end";

std::string insert_query(const PostgresPool& pool, bool touch, bool any_key) {
  return fmt::format(
      "with v as materialized (select * from rows from (json_to_recordset(?1::json) as (kind text, subject "
      "text, name text, queue text, state smallint, origin smallint, priority int, run_at bigint, "
      "finished_at bigint, max_attempts int, pinned_node text, exclusive_key text, recurring_id text, "
      "fire_at bigint, blocking_job bigint, started_by text, reason text, history text, retry text, args "
      "text, parent bigint, follows smallint, delay_ms bigint, unique_key text, batch bigint, limit_key "
      "text, "
      "timeout_ms bigint, latency_ms bigint)) with "
      "ordinality), "
      "j as (insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
      "finished_at, max_attempts, pinned_node, exclusive_key, recurring_id, fire_at, blocking_job, "
      "started_by, reason, history, retry, args, parent, follows, delay_ms, unique_key, batch, "
      "limit_key, timeout_ms, latency_ms) select kind, "
      "subject, name, queue, state, origin, "
      "priority, ?2::bigint, run_at, finished_at, max_attempts, pinned_node, exclusive_key, recurring_id, "
      "fire_at, blocking_job, started_by, reason, history, retry, args, parent, follows, delay_ms, "
      "unique_key, batch, limit_key, timeout_ms, latency_ms from v order by ordinality returning "
      "id, state, priority, run_at, kind, exclusive_key, pinned_node, finished_at, queue, limit_key, "
      "latency_ms), "
      "r as (insert into ready (job, priority, run_at, kind, exclusive_key, pinned_node, token, attempt, "
      "queue, limit_key, latest, blocked) select id, priority, run_at, kind, exclusive_key, pinned_node, 1, "
      "0, "
      "queue, limit_key, case when latency_ms > 0 then run_at + latency_ms * 1000 end, {} from j where state "
      "= 1), "
      "t as (insert into tally (state, n, minute, finished) select state, count(*), ?3::bigint, "
      "count(finished_at) from j group by state) "
      "select id, {} from j",
      any_key ? kBornBlocked : "0", touch ? pool.touching() : "0");
}

}  // namespace

Result<std::vector<JobId>> insert_jobs(PostgresPool& pool, Database& database,
                                       std::span<const PostgresNewJob> jobs, Timestamp now, bool touch,
                                       bool first_of_key) {
  std::vector<JobId> ids;
  if (jobs.empty()) return ids;
  nlohmann::json rows = nlohmann::json::array();
  bool any_key = false;
  for (const PostgresNewJob& job : jobs) {
    any_key = any_key || (!first_of_key && !job.job->exclusive_key.empty()) || !job.job->limit_key.empty();
    if (!initial_allowed(job.more.state))
      return fail(ErrorCode::internal, fmt::format("a new job cannot be {}", to_string(job.more.state)));
    rows.push_back(row_of(job, now));
  }
  ids.reserve(jobs.size());
  std::int64_t change = 0;
  SLUICE_CHECK(database.each(
      insert_query(pool, touch, any_key),
      [&](const Row& row) -> Result<void> {
        ids.emplace_back(row.integer(0));
        change = row.integer(1);
        return {};
      },
      rows.dump(), now, minute_of(now)));
  if (touch) pool.touched(change);
  return ids;
}

Result<void> lock_key(Database& database, std::string_view exclusive_key) {
  return database.each(
      fmt::format("select pg_advisory_xact_lock({}, hashtext(current_schema() || '.' || ?::text))",
                  PostgresPool::lock_family(2)),
      [](const Row&) -> Result<void> { return {}; }, exclusive_key);
}

Result<std::set<std::string>> try_lock_keys(Database& database, const std::set<std::string>& exclusive_keys) {
  std::set<std::string> locked;
  if (exclusive_keys.empty()) return locked;
  SLUICE_CHECK(database.each(
      fmt::format("select key from unnest(?::text[]) as k(key) where pg_try_advisory_xact_lock({}, "
                  "hashtext(current_schema() || '.' || key))",
                  PostgresPool::lock_family(2)),
      [&](const Row& row) -> Result<void> {
        locked.insert(row.text(0));
        return {};
      },
      array_text({exclusive_keys.begin(), exclusive_keys.end()})));
  return locked;
}

Result<std::optional<JobId>> find_live_job(Database& database, std::string_view exclusive_key) {
  std::optional<JobId> found;
  SLUICE_CHECK(database.each(
      "select id from job where exclusive_key = ?1 and exclusive_key is not null and state in (0, 1) and "
      "(state = 1 or attempt > 0 or fire_at is not null) order by id limit 1",
      [&](const Row& row) -> Result<void> {
        found = JobId(row.integer(0));
        return {};
      },
      exclusive_key));
  return found;
}

Result<std::optional<std::string>> retired_for(Database& database, std::string_view recurring_id) {
  std::optional<std::string> reason;
  if (recurring_id.empty()) return reason;
  SLUICE_CHECK(database.each(
      "select retired_reason, retired_at is not null from recurring where id = ? for share",
      [&](const Row& row) -> Result<void> {
        if (row.integer(1) != 0) reason = row.text(0);
        return {};
      },
      recurring_id));
  return reason;
}

Result<void> make_ready(Database& database, JobId job) {
  SLUICE_CHECK(database.run(
      "insert into ready (job, priority, run_at, kind, exclusive_key, pinned_node, token, attempt, queue, "
      "limit_key, latest) select id, priority, run_at, kind, exclusive_key, pinned_node, lease + 1, attempt, "
      "queue, limit_key, case when latency_ms > 0 and started_at is null then run_at + latency_ms * 1000 end "
      "from job where id = ?",
      job));
  return {};
}

Result<void> Tally::step(JobId job, JobState from, JobState to, std::int64_t duration_ms,
                         std::int64_t amount) {
  if (!transition_allowed(from, to)) {
    return fail(ErrorCode::internal,
                fmt::format("job {} cannot go from {} to {}", job.value(), to_string(from), to_string(to)));
  }
  --counts_[static_cast<std::size_t>(from)].n;
  Count& count = counts_[static_cast<std::size_t>(to)];
  ++count.n;
  if (!is_final(to)) return {};
  ++count.finished;
  count.ms += duration_ms;
  count.amount += amount;
  return {};
}

Result<void> Tally::close() {
  for (const JobState state : kJobStates) {
    const Count count = std::exchange(counts_[static_cast<std::size_t>(state)], {});
    if (count.n == 0 && count.finished == 0) continue;
    SLUICE_CHECK(
        database_.run("insert into tally (state, n, minute, finished, ms, amount) values (?, ?, ?, ?, ?, ?)",
                      state, count.n, minute_of(now_), count.finished, count.ms, count.amount));
  }
  return {};
}

}  // namespace sluice::jobs
