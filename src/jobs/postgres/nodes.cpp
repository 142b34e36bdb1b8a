// Who is alive, on PostgreSQL: a row per node that expires by the database's clock.
#include "jobs/postgres/parts.h"
#include "jobs/store/ending.h"
#include "jobs/store/recurring_change.h"
#include "jobs/store/rows.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

struct Lost {
  JobId id;
  std::string subject, recurring_id;
  int crashes = 0;
  Held held;
};

// Of a dead node only those that nobody holds: the others are found again, by their leases.
Result<std::vector<Lost>> jobs_of(Database& database, std::string_view node, bool crashed) {
  std::vector<Lost> jobs;
  SLUICE_CHECK(database.each(
      fmt::format(
          "select l.job, l.token, l.attempt, l.cancel_requested_at is not null, l.reason, j.subject, "
          "j.crashes, j.recurring_id from lease l join job j on j.id = l.job where l.node = ? order by "
          "l.job for update of {}",
          crashed ? "l, j skip locked" : "l"),
      [&](const Row& row) -> Result<void> {
        Lost job{JobId(row.integer(0)), row.text(5), row.text(7), static_cast<int>(row.integer(6)), {}};
        job.held = Held{.state = JobState::processing,
                        .lease = row.integer(1),
                        .attempt = static_cast<int>(row.integer(2)),
                        .started_at = {},
                        .node = std::string(node),
                        .exclusive_key = {},
                        .cancelled = row.integer(3) != 0,
                        .reason = row.text(4)};
        jobs.push_back(std::move(job));
        return {};
      },
      node));
  return jobs;
}

Result<JobState> take_back_one(Database& database, Tally& tally, const Lost& job, bool crashed,
                               Timestamp now) {
  SLUICE_TRY(const auto retired, retired_for(database, job.recurring_id));
  const TakenBack taken = take_back_of(job.held, job.crashes, retired, crashed);
  SLUICE_CHECK(tally.step(job.id, JobState::processing, taken.to));
  const auto failed_as = [&](std::string_view text) {
    return taken.to == JobState::failed ? std::optional(text) : std::nullopt;
  };
  // The number of the lease moves on, so that the dead may not speak.
  SLUICE_CHECK(database.run(
      "update job j set state = ?1, lease = l.token + 1, crashes = ?2, attempt = l.attempt - ?3, node = "
      "l.node, started_at = l.started_at, finished_at = ?4, error_code = coalesce(?5, j.error_code), "
      "error_message = coalesce(?6, j.error_message), reason = ?7, history = j.history || history_line(2, "
      "l.started_at, l.attempt, l.node, '') || ?8 from lease l where j.id = ?9 and l.job = j.id",
      taken.to, taken.crashes, taken.to == JobState::enqueued ? 1 : 0,
      is_final(taken.to) ? std::optional(now) : std::nullopt, failed_as("worker_lost"),
      failed_as(taken.reason),
      taken.to == JobState::deleted ? std::string_view(taken.reason) : std::string_view(),
      history_line(taken.to, now, job.held.attempt, job.held.node, taken.reason), job.id));
  if (!crashed) {
    SLUICE_CHECK(database.run(
        "delete from limit_start s using lease l where l.job = ? and l.limit_key = s.key and s.at = "
        "l.started_at and s.job = l.job",
        job.id));
  }
  SLUICE_CHECK(database.run("delete from lease where job = ?", job.id));
  if (taken.to == JobState::failed) {
    SLUICE_CHECK(
        count_run(database, job.recurring_id, {.job = job.id, .failed = true, .code = "worker_lost"}, now));
  }
  if (taken.to == JobState::enqueued) SLUICE_CHECK(make_ready(database, job.id));
  return taken.to;
}

}  // namespace

Result<void> PostgresNodeStore::join(const Node& node) {
  SLUICE_CHECK(pool_.write([&](Database& database) -> Result<void> {
    SLUICE_TRY(
        const int made,
        database.run(
            "insert into node (id, name, pid, version, workers, started_at, kinds, expires_at, skew_us) "
            "values (?, ?, ?, ?, ?, ?, ?, now() + interval '30 seconds', ?::bigint - (extract(epoch "
            "from clock_timestamp()) * 1000000)::bigint) on conflict do nothing",
            node.id, node.name, node.pid, node.version, node.workers, node.started_at,
            node.kinds ? std::optional(kinds_text(*node.kinds)) : std::nullopt, wall_clock_us()));
    if (made == 0) return fail(ErrorCode::conflict, fmt::format("node {} is alive already", node.id));
    return {};
  }));
  watch_.begin(node);
  return {};
}

Result<void> PostgresNodeStore::leave(std::string_view id, Timestamp now) {
  watch_.end(id);
  return pool_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(database.run("delete from node where id = ?", id));
    SLUICE_TRY(const auto jobs, take_back(database, id, false, now));
    static_cast<void>(jobs);
    return {};
  });
}

Result<std::vector<Rescued>> PostgresNodeStore::take_back(Database& database, std::string_view node,
                                                          bool crashed, Timestamp now) {
  std::vector<Rescued> taken;
  Tally tally(database, now);
  SLUICE_TRY(const auto lost, jobs_of(database, node, crashed));
  for (const Lost& job : lost) {
    SLUICE_TRY(const JobState to, take_back_one(database, tally, job, crashed, now));
    taken.push_back({job.id, job.subject, std::string(node), to});
  }
  SLUICE_CHECK(database.run("update ready set pinned_node = null where pinned_node = ?", node));
  SLUICE_CHECK(
      database.run("update job set pinned_node = null where pinned_node = ? and pinned_node is not null and "
                   "state in (0, 1)",
                   node));
  SLUICE_CHECK(tally.close());
  return taken;
}

Result<std::vector<Node>> PostgresNodeStore::nodes() {
  return pool_.once([&](Database& database) -> Result<std::vector<Node>> {
    std::vector<Node> nodes;
    SLUICE_CHECK(database.each(
        "select id, name, pid, version, workers, started_at, (select count(*) from lease where node = "
        "node.id), skew_us, expires_at < now(), kinds from node order by started_at, id",
        [&](const Row& row) -> Result<void> {
          Node node{row.text(0),
                    row.text(1),
                    row.integer(2),
                    row.text(3),
                    static_cast<int>(row.integer(4)),
                    row.time(5),
                    static_cast<int>(row.integer(6))};
          if (const auto skew = row.maybe_integer(7))
            node.clock_skew = std::chrono::round<std::chrono::milliseconds>(std::chrono::microseconds(*skew));
          node.expired = row.integer(8) != 0;
          node.kinds = kinds_of(row.text(9));
          nodes.push_back(std::move(node));
          return {};
        }));
    return nodes;
  });
}

Result<std::vector<Rescued>> PostgresNodeStore::rescue_dead(Timestamp now) {
  std::vector<Rescued> rescued;
  // After the database was away, everybody's time may be over: first they get the chance to say they live.
  if (!watch_.settled()) return rescued;
  std::vector<std::string> dead;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    SLUICE_CHECK(fold_tally(pool_, database));
    dead.clear();
    // By their rows, and by what jobs say of them, should a row be missing.
    return database.each(
        "select id from node where expires_at < now() union select node from lease l where not exists "
        "(select 1 from node where id = l.node) union select pinned_node from job j where pinned_node is "
        "not null and state in (0, 1) and not exists (select 1 from node where id = j.pinned_node)",
        [&](const Row& row) -> Result<void> {
          dead.push_back(row.text(0));
          return {};
        });
  }));
  for (const std::string& id : dead) {
    SLUICE_TRY(const auto jobs, pool_.write([&](Database& database) -> Result<std::vector<Rescued>> {
      // Unless it has spoken since. One rescuer at a time: the others wait here and find nothing.
      SLUICE_CHECK(database.run("delete from node where id = ? and expires_at < now()", id));
      bool alive = false;
      SLUICE_CHECK(database.each(
          "select 1 from node where id = ?",
          [&](const Row&) -> Result<void> {
            alive = true;
            return {};
          },
          id));
      if (alive) return std::vector<Rescued>();
      return take_back(database, id, true, now);
    }));
    rescued.insert(rescued.end(), jobs.begin(), jobs.end());
  }
  return rescued;
}

Result<std::vector<std::pair<JobId, std::string>>> PostgresNodeStore::cancel_requests(std::string_view id) {
  return pool_.once([&](Database& database) -> Result<std::vector<std::pair<JobId, std::string>>> {
    std::vector<std::pair<JobId, std::string>> requests;
    SLUICE_CHECK(database.each(
        "select job, reason from lease where node = ? and cancel_requested_at is not null order by job",
        [&](const Row& row) -> Result<void> {
          requests.emplace_back(JobId(row.integer(0)), row.text(1));
          return {};
        },
        id));
    return requests;
  });
}

Result<std::vector<Lease>> PostgresNodeStore::leases(std::string_view id) {
  if (watch_.silent_for_long()) return std::vector<Lease>();
  return pool_.once([&](Database& database) -> Result<std::vector<Lease>> {
    std::vector<Lease> leases;
    SLUICE_CHECK(database.each(
        "select job, token from lease where node = ?",
        [&](const Row& row) -> Result<void> {
          leases.push_back({JobId(row.integer(0)), row.integer(1)});
          return {};
        },
        id));
    return leases;
  });
}

Result<bool> PostgresNodeStore::changed_elsewhere() { return pool_.changed_elsewhere(); }

void PostgresNodeStore::on_change_elsewhere(std::function<void()> wake) { watch_.on_news(std::move(wake)); }

}  // namespace sluice::jobs
