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

jobs::RecurringSpec recurring_spec(const definition::LoaderDefinition& definition) {
  const LoaderSpec& loader = definition.spec;
  jobs::RecurringSpec spec;
  spec.id = recurring_id(loader.name);
  spec.kind = kLoadKind;
  spec.subject = loader.name;
  spec.phrase = loader.schedule.manual ? "never" : loader.schedule.phrase;
  spec.zone = loader.schedule.timezone;
  if (!loader.schedule.anchor.empty()) {
    // Checked when the definition was read; a text that is no time never gets here.
    const auto anchor = parse_time(loader.schedule.anchor, loader.schedule.timezone);
    if (anchor) spec.anchor = std::chrono::floor<std::chrono::seconds>(*anchor);
  }
  spec.missed = loader.schedule.missed == Missed::skip  ? jobs::Missed::skip
                : loader.schedule.missed == Missed::all ? jobs::Missed::all
                                                        : jobs::Missed::once;
  spec.catch_up_window = loader.schedule.catch_up_window;
  spec.overlap = overlap_of(definition.pacing.overlap);
  spec.jitter = definition.pacing.jitter;
  spec.retry = retry_policy(loader.schedule.retry);
  spec.timeout = loader.schedule.timeout;
  spec.enabled = loader.enabled;
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
      if (!past.last_finished) return true;
      const auto compiled = english_cron::Schedule::compile(loader.schedule);
      if (!compiled) return false;
      const auto due = compiled->previous(now, true);
      return due && *due > *past.last_finished;
    }
  }
  return false;
}

}  // namespace sluice::service
