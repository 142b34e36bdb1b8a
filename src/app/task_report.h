// Runs of jobs (*.job.yaml) for people and for machines: what they did, as `run`, `show` and lists print it.
#pragma once

#include "definition/catalog.h"
#include "jobs/job.h"

#include <string>
#include <string_view>

namespace sluice::app {

// Whether jobs of this kind are runs of a *.job.yaml.
bool is_task_kind(std::string_view kind);
// "3 rows changed", "200, 12 bytes", "exit code 0"; empty when it left no result.
std::string task_text(const jobs::Job& job);
// What `run --json` prints: {"name","kind","job","state","attempt","startedAt","durationMs"}, then the keys
// of the result (docs/jobs.md), then "error".
std::string task_json(const jobs::Job& job);
// DESIGN, section 3: as that of a load with the same error.
int exit_code_for_task(const jobs::Job& job);

// "every day at 02:00 (UTC)", "after Country", "by hand only": when it runs by itself.
std::string when_text(const ScheduleSpec& schedule, const english_cron::Translation& translation,
                      const definition::After& after);

}  // namespace sluice::app
