// Jobs that are born with a lease, on PostgreSQL: one statement enqueues and claims.
#include "jobs/postgres/parts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::jobs {
namespace {

// j: the jobs. l: their leases, unless the node is taken for dead or their queue is paused or limited. r:
// otherwise they wait as others do.
constexpr std::string_view kStart =
    "with v as materialized (select * from rows from (json_to_recordset(?1::json) as (kind text, subject "
    "text, name text, queue text, origin smallint, priority int, max_attempts int, started_by text, history "
    "text, retry text, args text)) with ordinality), "
    "j as (insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
    "max_attempts, started_by, history, retry, args) select kind, subject, name, queue, 1, origin, priority, "
    "?2::bigint, ?2::bigint, max_attempts, started_by, history, retry, args from v order by ordinality "
    "returning *), "
    "l as (insert into lease (job, token, node, attempt, started_at, claim, queue) select id, 1, ?3::text, "
    "1, "
    "?2::bigint, ?4::text, queue from j where not exists (select 1 from queue q where q.name = j.queue and "
    "(q.paused_at is not null or q.max_running is not null)) and exists (select 1 from node where id = "
    "?3::text and expires_at > "
    "now()) "
    "returning *), "
    "r as (insert into ready (job, priority, run_at, kind, queue, token, attempt) select id, priority, "
    "run_at, "
    "kind, queue, "
    "1, 0 from j where not exists (select 1 from l where l.job = j.id)), "
    "t as (insert into tally (state, n) select case when l.job is null then 1 else 2 end, count(*) from j "
    "left join l on l.job = j.id group by 1) "
    "select {}, l.token, {} from j left join l on l.job = j.id order by j.id";

}  // namespace

Result<std::vector<Begun>> PostgresJobStore::start(std::span<const NewJob> jobs, std::string_view node,
                                                   Timestamp now) {
  std::vector<Begun> begun;
  if (jobs.empty()) return begun;
  nlohmann::json rows = nlohmann::json::array();
  for (const NewJob& job : jobs) {
    if (!may_start_at_once(job))
      return fail(ErrorCode::internal, fmt::format("a job of kind {} cannot start at once", job.kind));
    const std::string& name = !job.name.empty() ? job.name : !job.subject.empty() ? job.subject : job.kind;
    rows.push_back({{"kind", storable(job.kind)},
                    {"subject", storable(job.subject)},
                    {"name", storable(name)},
                    {"queue", storable(job.queue)},
                    {"origin", static_cast<int>(job.origin)},
                    {"priority", job.priority},
                    {"max_attempts", job.retry.limit + 1},
                    {"started_by", storable(job.started_by)},
                    {"history", history_line(JobState::enqueued, now, 0, {}, {})},
                    {"retry", to_json(job.retry)},
                    {"args", storable(job.args)}});
  }
  const std::string claim = new_claim_id();
  std::int64_t change = 0;
  const auto done = pool_.once([&](Database& database) -> Result<void> {
    begun.clear();
    return database.each(
        fmt::format(kStart, live_job_columns(), pool_.touching()),
        [&](const Row& row) -> Result<void> {
          Begun one{.id = JobId(row.integer(0)), .claimed = {}};
          if (const auto token = row.maybe_integer(row.size() - 2)) {
            SLUICE_TRY(auto job, read_job(row));
            one.claimed = Claimed{std::move(job), {one.id, *token}};
          }
          change = row.integer(row.size() - 1);
          begun.push_back(std::move(one));
          return {};
        },
        rows.dump(), now, node, claim);
  });
  if (!done) {
    // Should they have been started all the same, the next claim finds them.
    std::lock_guard lock(mutex_);
    uncertain_claims_.emplace(claim, std::chrono::steady_clock::now());
    return std::unexpected(done.error());
  }
  pool_.touched(change);
  for (std::size_t i = 0; i < begun.size(); ++i) {
    if (!begun[i].claimed) forget_mark_after(jobs[i].priority, now);
  }
  return begun;
}

}  // namespace sluice::jobs
