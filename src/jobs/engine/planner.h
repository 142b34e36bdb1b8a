// Decides which nominal times of a recurring job fire now, and when the next one is. Pure but for its cache
// of compiled phrases; safe from any thread.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/recurring.h"
#include "jobs/store.h"

#include <english_cron/schedule.h>

#include <mutex>
#include <string>
#include <unordered_map>

namespace sluice::jobs {

class Planner {
 public:
  // Refuses what cannot be fired: unknown phrase or zone, kinds of overlap that are not there.
  Result<void> check(const RecurringSpec& spec);

  // For a new or edited schedule: counted from now, nothing is caught up.
  FirePlan first(const Recurring& recurring, Timestamp now);

  // For a due one: the ticks to fire, by its rule for missed times.
  FirePlan due(const Recurring& recurring, Timestamp now);

 private:
  Result<english_cron::Schedule> compiled(const RecurringSpec& spec);

  std::mutex mutex_;
  std::unordered_map<std::string, english_cron::Schedule> cache_;  // by phrase, zone and anchor
};

}  // namespace sluice::jobs
