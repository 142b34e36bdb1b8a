#include "jobs/store/ending.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

struct Pause {
  std::optional<Timestamp> until;
  std::string told;  // for the history; empty = nothing but the policy's own pause
};

// How long a retry waits: as the policy says, longer when the source wishes it, but a schedule is not kept
// silent by a job that only waits.
Result<Pause> pause_of(const Completion& completion, const Held& held, const NextTick& next_tick,
                       Timestamp now) {
  Pause pause{completion.run_at, {}};
  if (completion.to != JobState::scheduled || !completion.wish) return pause;
  const Timestamp earliest = completion.run_at.value_or(now);
  const Wish& wish = *completion.wish;
  if (wish.asked <= earliest) return pause;
  std::optional<Timestamp> tick;
  if (!held.exclusive_key.empty()) {
    SLUICE_TRY(tick, next_tick(held.exclusive_key));
  }
  const Timestamp granted = std::max(earliest, wish.granted);
  const bool ticks_first = tick && *tick < granted;
  pause.until = ticks_first ? std::max(earliest, *tick) : granted;
  pause.told = fmt::format("the source asks to wait until {}", format_utc(wish.asked));
  if (*pause.until < wish.asked) {
    pause.told += fmt::format("; tried again at {}: {}", format_utc(*pause.until),
                              ticks_first ? "its schedule fires then" : "maxDelay allows no longer pause");
  }
  return pause;
}

std::string joined(std::string first, std::string_view second) {
  if (!first.empty() && !second.empty()) first += "; ";
  first += second;
  return first;
}

}  // namespace

bool goes_on(JobState state) { return state == JobState::scheduled || state == JobState::enqueued; }

Result<Ending> end_of(const Completion& completion, const Held& held,
                      const std::optional<std::string>& retired, const NextTick& next_tick, Timestamp now) {
  Ending ending;
  ending.to = completion.to;
  ending.reason = completion.reason;
  ending.why = completion.reason;
  if (ending.why.empty() && completion.error)
    ending.why = fmt::format("{}: {}", completion.error->code, completion.error->message);
  // A job that would go on is over when somebody wanted that while its attempt came to its end.
  std::optional<std::string> over;
  if (held.cancelled && (goes_on(ending.to) || ending.to == JobState::held)) over = held.reason;
  if (!over && goes_on(ending.to)) over = retired;
  if (over) {
    ending.to = JobState::deleted;
    ending.reason = *over;
    ending.why = joined(*over, ending.why.empty() ? "" : "its attempt had ended with " + ending.why);
  }
  SLUICE_TRY(const Pause pause, pause_of(completion, held, next_tick, now));
  ending.until = pause.until;
  if (ending.to == JobState::scheduled) ending.why = joined(std::move(ending.why), pause.told);
  if (ending.to != JobState::held && ending.to != JobState::deleted) ending.reason.clear();
  if (completion.duration_ms) {
    ending.duration_ms = *completion.duration_ms;
  } else if (held.started_at) {
    ending.duration_ms = std::max<std::int64_t>(
        0, std::chrono::floor<std::chrono::milliseconds>(now - *held.started_at).count());
  }
  return ending;
}

std::string late_reason(std::chrono::milliseconds latency_limit) {
  return fmt::format("it waited longer than its latency limit of {} ms and was not run",
                     latency_limit.count());
}

TakenBack take_back_of(const Held& held, int crashes, const std::optional<std::string>& retired,
                       bool crashed) {
  TakenBack taken;
  taken.crashes = crashes + (crashed ? 1 : 0);
  taken.reason = crashed ? fmt::format("its process died (node {})", held.node) : "its node left";
  if (held.cancelled || retired) {
    taken.to = JobState::deleted;
    taken.reason = held.cancelled ? held.reason : *retired;
  } else if (taken.crashes >= kMaxCrashes) {
    taken.to = JobState::failed;
    taken.reason = fmt::format("its process died {} times while it ran; find out why before you run it again",
                               taken.crashes);
  }
  return taken;
}

}  // namespace sluice::jobs
