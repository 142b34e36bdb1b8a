#include "jobs/engine/planner.h"

#include <english_cron/translation.h>
#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

// Many loaders share few phrases; past this the cache starts anew rather than grow without end.
constexpr std::size_t kCachedPhrases = 4096;
constexpr std::chrono::hours kMostJitter{24};

Timestamp widen(std::chrono::sys_seconds time) { return time; }

std::optional<Timestamp> next_after(const english_cron::Schedule& schedule, Timestamp time) {
  const auto next = schedule.next(time);
  return next ? std::optional(widen(*next)) : std::nullopt;
}

// All nominal times in [from, now], the newest kMaxCatchUp of them, oldest first.
std::vector<Timestamp> times_between(const english_cron::Schedule& schedule, Timestamp from, Timestamp now) {
  std::vector<Timestamp> times;
  auto time = schedule.previous(now, true);
  while (time && widen(*time) >= from && times.size() < kMaxCatchUp) {
    times.push_back(*time);
    time = schedule.previous(*time);
  }
  std::reverse(times.begin(), times.end());
  return times;
}

}  // namespace

Result<english_cron::Schedule> Planner::compiled(const RecurringSpec& spec) {
  std::string key = fmt::format("{}\n{}\n{}", spec.phrase, spec.zone,
                                spec.anchor ? spec.anchor->time_since_epoch().count() : -1);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = cache_.find(key); found != cache_.end()) return found->second;
  }
  const auto refused = [&](const english_cron::PhraseError& error) {
    std::string message = fmt::format("schedule \"{}\": {}", spec.phrase, error.message);
    if (!error.suggestion.empty()) message += fmt::format(" (did you mean \"{}\"?)", error.suggestion);
    return fail(ErrorCode::invalid_definition, std::move(message), "recurring job " + spec.id);
  };
  const auto translation = english_cron::translate(spec.phrase, {.zone = spec.zone, .anchor = spec.anchor});
  if (!translation) return refused(translation.error());
  auto schedule = english_cron::Schedule::compile(*translation);
  if (!schedule) return refused(schedule.error());
  std::lock_guard lock(mutex_);
  if (cache_.size() >= kCachedPhrases) cache_.clear();
  return cache_.emplace(std::move(key), *std::move(schedule)).first->second;
}

Result<void> Planner::check(const RecurringSpec& spec) {
  const std::string where = "recurring job " + spec.id;
  if (spec.id.empty() || spec.kind.empty()) {
    return fail(ErrorCode::invalid_argument, "a recurring job needs an id and a kind", where);
  }
  if (spec.jitter.count() < 0 || spec.jitter > kMostJitter) {
    return fail(ErrorCode::invalid_definition, "the jitter must be between nothing and a day", where);
  }
  if (spec.catch_up_window.count() < 0) {
    return fail(ErrorCode::invalid_definition, "the catch-up window must not be negative", where);
  }
  SLUICE_CHECK(compiled(spec));
  return {};
}

FirePlan Planner::first(const Recurring& recurring, Timestamp now) {
  auto schedule = compiled(recurring.spec);
  if (!schedule) return {.ticks = {}, .next_fire_at = {}, .error = schedule.error().message};
  return {.ticks = {}, .next_fire_at = next_after(*schedule, now), .error = {}};
}

FirePlan Planner::due(const Recurring& recurring, Timestamp now) {
  const RecurringSpec& spec = recurring.spec;
  auto schedule = compiled(spec);
  if (!schedule) return {.ticks = {}, .next_fire_at = {}, .error = schedule.error().message};
  FirePlan plan{.ticks = {}, .next_fire_at = next_after(*schedule, now), .error = {}};
  if (!recurring.next_fire_at || *recurring.next_fire_at > now) return plan;

  // A tick on time fires whatever the window says; older ones are what "missed" is about.
  const Timestamp oldest = std::max<Timestamp>(
      *recurring.next_fire_at, now - std::max<std::chrono::microseconds>(spec.catch_up_window, kOnTime));
  if (spec.missed == Missed::all) {
    for (const Timestamp time : times_between(*schedule, oldest, now)) {
      plan.ticks.push_back({time, now - time > kOnTime});
    }
    return plan;
  }
  const auto newest = schedule->previous(now, true);
  if (!newest || widen(*newest) < oldest) return plan;
  if (spec.missed == Missed::once || now - widen(*newest) <= kOnTime) plan.ticks.push_back({*newest, false});
  return plan;
}

}  // namespace sluice::jobs
