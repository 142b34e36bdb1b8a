// A phrase explained: the JSON of `sluice cron --json` and of GET /api/v1/schedule, and the same for people.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "definition/catalog.h"
#include "english_cron/schedule.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::service {

struct ScheduleQuestion {
  std::string phrase;
  std::string zone = "UTC";  // used when the phrase names none
  Timestamp from{};
  int count = 5;           // next times wanted, 0 to 1000
  bool inclusive = false;  // a time equal to `from` counts
};

struct ScheduleAnswer {
  bool ok = false;
  std::string json;  // one object, exactly as DESIGN section 3 has it
  std::string text;  // several lines, for a terminal; a refusal has a caret under the word
};

ScheduleAnswer answer(const ScheduleQuestion& question);

// The next `count` times after `from` (or from it on, when inclusive); fewer when the schedule ends.
std::vector<std::chrono::sys_seconds> next_times(const english_cron::Schedule& schedule, Timestamp from,
                                                 int count, bool inclusive = false);
// Those of a loader or a job; none when it has no times of its own.
std::vector<std::chrono::sys_seconds> next_times(const definition::LoaderDefinition& loader, Timestamp from,
                                                 int count);
std::vector<std::chrono::sys_seconds> next_times(const definition::TaskDefinition& task, Timestamp from,
                                                 int count);

// "2026-01-05T09:30:00Z", "2026-01-05T09:30+01:00", "2026-01-05 09:30" or "2026-01-05" (the last two in the
// zone).
Result<Timestamp> parse_time(std::string_view text, std::string_view zone);

}  // namespace sluice::service
