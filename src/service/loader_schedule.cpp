#include "service/loader_schedule.h"

#include "english_cron/schedule.h"
#include "service/schedule_text.h"

namespace sluice::service {
namespace {

jobs::Overlap overlap_of(definition::Overlap overlap) {
  switch (overlap) {
    case definition::Overlap::skip:
      return jobs::Overlap::skip;
    case definition::Overlap::queue_one:
      return jobs::Overlap::queue_one;
    case definition::Overlap::allow:
      return jobs::Overlap::allow;
    case definition::Overlap::cancel_old:
      return jobs::Overlap::cancel_old;
  }
  return jobs::Overlap::skip;
}

// All but who it is and what it runs.
template <class Definition>
jobs::RecurringSpec common_spec(const Definition& definition) {
  const ScheduleSpec& schedule = definition.spec.schedule;
  jobs::RecurringSpec spec;
  spec.subject = definition.spec.name;
  spec.phrase = schedule.manual ? "never" : schedule.phrase;
  spec.zone = schedule.timezone;
  if (!schedule.anchor.empty()) {
    // Checked when the definition was read; a text that is no time never gets here.
    const auto anchor = parse_time(schedule.anchor, schedule.timezone);
    if (anchor) spec.anchor = std::chrono::floor<std::chrono::seconds>(*anchor);
  }
  spec.missed = schedule.missed == Missed::skip  ? jobs::Missed::skip
                : schedule.missed == Missed::all ? jobs::Missed::all
                                                 : jobs::Missed::once;
  spec.catch_up_window = schedule.catch_up_window;
  spec.overlap = overlap_of(definition.pacing.overlap);
  spec.jitter = definition.pacing.jitter;
  spec.retry = retry_policy(schedule.retry);
  spec.timeout = schedule.timeout;
  spec.enabled = definition.spec.enabled;
  return spec;
}

// Whether a tick came since it ran last.
template <class Definition>
bool missed_a_tick(const Definition& definition, const std::optional<Timestamp>& last_finished,
                   Timestamp now) {
  if (!last_finished) return true;
  const auto compiled = english_cron::Schedule::compile(definition.schedule);
  if (!compiled) return false;
  const auto due = compiled->previous(now, true);
  return due && *due > *last_finished;
}

}  // namespace

std::string recurring_id(std::string_view loader) { return "load:" + std::string(loader); }

jobs::RetryPolicy retry_policy(const JobRetrySpec& spec) {
  jobs::RetryPolicy policy;
  policy.limit = spec.limit;
  policy.delay = spec.delay;
  policy.backoff = spec.exponential ? jobs::Backoff::exponential : jobs::Backoff::fixed;
  policy.double_delay_limit = spec.double_delay_limit;
  policy.max_delay = spec.max_delay;
  return policy;
}

std::string task_recurring_id(std::string_view task) { return "job:" + std::string(task); }

std::string recurring_id(const definition::Runnable& runnable) {
  return runnable.loader != nullptr ? recurring_id(runnable.loader->spec.name)
                                    : task_recurring_id(runnable.task->spec.name);
}

jobs::RecurringSpec recurring_spec(const definition::LoaderDefinition& definition) {
  auto spec = common_spec(definition);
  spec.id = recurring_id(definition.spec.name);
  spec.kind = kLoadKind;
  return spec;
}

jobs::RecurringSpec recurring_spec(const definition::TaskDefinition& definition) {
  auto spec = common_spec(definition);
  spec.id = task_recurring_id(definition.spec.name);
  spec.kind = kind_of(definition.spec);
  return spec;
}

bool runs_now(const definition::LoaderDefinition& loader, const LoaderPast& past, bool starting,
              Timestamp now) {
  const auto& schedule = loader.spec.schedule;
  if (!loader.spec.enabled) return false;
  switch (schedule.run_on_startup) {
    case RunOnStartup::never:
      return false;
    case RunOnStartup::always:
      return starting || !past.ever_loaded;
    case RunOnStartup::if_never_loaded:
      return !schedule.manual && !past.ever_loaded;
    case RunOnStartup::if_missed: {
      if (schedule.manual || !starting) return false;
      return missed_a_tick(loader, past.last_finished, now);
    }
  }
  return false;
}

bool runs_now(const definition::TaskDefinition& task, const std::optional<Timestamp>& last_finished,
              Timestamp now) {
  const auto& schedule = task.spec.schedule;
  if (!task.spec.enabled) return false;
  if (schedule.run_on_startup == RunOnStartup::always) return true;
  if (schedule.run_on_startup != RunOnStartup::if_missed || schedule.manual) return false;
  return last_finished && missed_a_tick(task, last_finished, now);
}

}  // namespace sluice::service
