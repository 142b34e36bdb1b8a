#include "jobs/store/clock_mending.h"

#include "jobs/store/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace sluice::jobs {
namespace {

Result<std::vector<Sooner>> sooner_ticks(Database& database, std::string_view recurring,
                                         const FirePlanner& first_fire, Timestamp now) {
  std::vector<Sooner> sooner;
  SLUICE_CHECK(database.each(
      fmt::format("select {} from {} where next_fire_at is not null and next_fire_at > ?",
                  recurring_columns(), recurring),
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(const auto found, read_recurring(row));
        const FirePlan plan = first_fire(found);
        if (plan.error.empty() && plan.next_fire_at && *plan.next_fire_at < *found.next_fire_at)
          sooner.push_back({found.spec.id, {}, *plan.next_fire_at});
        return {};
      },
      now));
  return sooner;
}

// A retry's pause is never longer than its policy's max_delay, whatever the source wished.
Result<std::vector<Sooner>> sooner_retries(Database& database, std::string_view job, Timestamp now) {
  std::vector<Sooner> sooner;
  SLUICE_CHECK(database.each(
      fmt::format("select id, run_at, retry from {} where state = 0 and run_at > ? and attempt > 0", job),
      [&](const Row& row) -> Result<void> {
        const auto policy = retry_policy_from_json(row.text(2));
        if (!policy) return {};  // its job is told of when its turn comes; it must not hold up the others
        const Timestamp latest = now + std::max(policy->max_delay, std::chrono::milliseconds(0));
        if (row.time(1) > latest) sooner.push_back({{}, JobId(row.integer(0)), latest});
        return {};
      },
      now));
  return sooner;
}

// A run that jitter put off comes as long after now as after its nominal time; one that somebody put off by
// hand, past its jitter, keeps its date.
Result<std::vector<Sooner>> sooner_runs(Database& database, std::string_view job, Timestamp now) {
  std::vector<Sooner> sooner;
  SLUICE_CHECK(database.each(
      fmt::format("select job.id, run_at, fire_at, jitter_ms from {} join recurring on recurring.id = "
                  "recurring_id where state = 0 and run_at > ? and attempt = 0 and fire_at is not null",
                  job),
      [&](const Row& row) -> Result<void> {
        const auto delay = row.time(1) - row.time(2);
        const std::chrono::milliseconds jitter(row.integer(3));
        if (delay >= delay.zero() && delay < jitter && row.time(1) > now + jitter)
          sooner.push_back({{}, JobId(row.integer(0)), now + delay});
        return {};
      },
      now));
  return sooner;
}

}  // namespace

Result<std::vector<Sooner>> find_sooner(Database& database, std::string_view recurring, std::string_view job,
                                        const FirePlanner& first_fire, Timestamp now) {
  SLUICE_TRY(auto all, sooner_ticks(database, recurring, first_fire, now));
  SLUICE_TRY(const auto retries, sooner_retries(database, job, now));
  all.insert(all.end(), retries.begin(), retries.end());
  SLUICE_TRY(const auto runs, sooner_runs(database, job, now));
  all.insert(all.end(), runs.begin(), runs.end());
  return all;
}

Result<Mended> bring_forward(Database& database, const std::vector<Sooner>& sooner, Timestamp now) {
  Mended mended;
  for (const Sooner& one : sooner) {
    // Unless somebody has edited, paused or claimed it since.
    SLUICE_TRY(const int changed,
               one.job ? database.run("update job set run_at = ?1 where id = ?2 and state = 0 and "
                                      "(attempt > 0 or fire_at is not null) and run_at > ?1",
                                      one.at, one.job)
                       : database.run("update recurring set next_fire_at = ?1, updated_at = ?2 where id = "
                                      "?3 and next_fire_at > ?1",
                                      one.at, now, one.recurring));
    if (changed == 0) continue;
    if (one.job) {
      mended.jobs.push_back(one.job);
    } else {
      mended.recurring.push_back(one.recurring);
    }
  }
  return mended;
}

}  // namespace sluice::jobs
