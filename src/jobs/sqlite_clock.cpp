// Times that a clock ahead has written, on SQLite.
#include "jobs/sqlite_parts.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

struct Sooner {
  std::string recurring;
  JobId job;
  Timestamp at{};
};

Result<std::vector<Sooner>> sooner_ticks(Database& database, const FirePlanner& first_fire, Timestamp now) {
  std::vector<Sooner> sooner;
  SLUICE_CHECK(database.each(
      fmt::format("select {} from recurring indexed by recurring_next where next_fire_at is not null and "
                  "next_fire_at > ?",
                  recurring_columns()),
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(const auto recurring, read_recurring(row));
        const FirePlan plan = first_fire(recurring);
        if (plan.error.empty() && plan.next_fire_at && *plan.next_fire_at < *recurring.next_fire_at)
          sooner.push_back({recurring.spec.id, {}, *plan.next_fire_at});
        return {};
      },
      now));
  return sooner;
}

// A retry's pause is never longer than its policy's max_delay, whatever the source wished.
Result<std::vector<Sooner>> sooner_retries(Database& database, Timestamp now) {
  std::vector<Sooner> sooner;
  SLUICE_CHECK(database.each(
      "select id, run_at, retry from job indexed by job_due where state = 0 and run_at > ? and attempt > 0",
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(const auto policy, retry_policy_from_json(row.text(2)));
        const Timestamp latest = now + std::max(policy.max_delay, std::chrono::milliseconds(0));
        if (row.time(1) > latest) sooner.push_back({{}, JobId(row.integer(0)), latest});
        return {};
      },
      now));
  return sooner;
}

}  // namespace

Result<Mended> SqliteUpkeep::clock_set_back(const FirePlanner& first_fire, Timestamp now) {
  // Mostly there is nothing to mend: look first, without the lock of a writer.
  SLUICE_TRY(const auto sooner, file_.read([&](Database& database) -> Result<std::vector<Sooner>> {
    SLUICE_TRY(auto all, sooner_ticks(database, first_fire, now));
    SLUICE_TRY(const auto retries, sooner_retries(database, now));
    all.insert(all.end(), retries.begin(), retries.end());
    return all;
  }));
  Mended mended;
  if (sooner.empty()) return mended;
  SLUICE_CHECK(file_.write([&](Database& database) -> Result<void> {
    for (const Sooner& one : sooner) {
      // Unless somebody has edited, paused or claimed it since.
      SLUICE_TRY(const int changed,
                 one.job
                     ? database.run("update job set run_at = ?1 where id = ?2 and state = 0 and attempt > "
                                    "0 and run_at > ?1",
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
    return {};
  }));
  return mended;
}

}  // namespace sluice::jobs
