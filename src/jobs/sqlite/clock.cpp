// Times that a clock ahead has written, on SQLite.
#include "jobs/sqlite/parts.h"
#include "jobs/store/clock_mending.h"

namespace sluice::jobs {

Result<Mended> SqliteUpkeep::clock_set_back(const FirePlanner& first_fire, Timestamp now) {
  // Mostly there is nothing to mend: look first, without the lock of a writer.
  SLUICE_TRY(const auto sooner, file_.read([&](Database& database) {
    return find_sooner(database, "recurring indexed by recurring_next", "job indexed by job_due", first_fire,
                       now);
  }));
  if (sooner.empty()) return Mended{};
  return file_.write([&](Database& database) { return bring_forward(database, sooner, now); });
}

}  // namespace sluice::jobs
