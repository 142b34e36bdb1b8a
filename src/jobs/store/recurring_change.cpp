#include "jobs/store/recurring_change.h"

#include "jobs/retry.h"

#include <fmt/format.h>

#include <cstdint>

namespace sluice::jobs {
namespace {

// The spec as it is stored: the parts that may be empty are filled in.
RecurringSpec filled(RecurringSpec spec) {
  if (spec.name.empty()) spec.name = spec.subject.empty() ? spec.id : spec.subject;
  spec.exclusive_key = exclusive_key_of(spec);
  return spec;
}

bool same_schedule(const RecurringSpec& a, const RecurringSpec& b) {
  return a.phrase == b.phrase && a.zone == b.zone && a.anchor == b.anchor && a.enabled == b.enabled;
}

bool same_rest(const RecurringSpec& a, const RecurringSpec& b) {
  return a.kind == b.kind && a.subject == b.subject && a.name == b.name && a.args == b.args &&
         a.queue == b.queue && a.missed == b.missed && a.catch_up_window == b.catch_up_window &&
         a.overlap == b.overlap && a.jitter == b.jitter && a.retry == b.retry &&
         a.exclusive_key == b.exclusive_key && a.timeout == b.timeout &&
         a.pause_after_failures == b.pause_after_failures;
}

}  // namespace

std::optional<Recurring> changed_by(const std::optional<Recurring>& found, const RecurringSpec& given,
                                    const FirePlanner& first_fire) {
  const RecurringSpec spec = filled(given);
  const bool keeps_time =
      found && !found->retired_at && found->error.empty() && same_schedule(found->spec, spec);
  if (keeps_time && same_rest(found->spec, spec)) return std::nullopt;
  Recurring recurring = found.value_or(Recurring{});
  recurring.spec = spec;
  if (!keeps_time) {
    FirePlan plan = first_fire(recurring);
    recurring.next_fire_at = spec.enabled && !recurring.paused_at ? plan.next_fire_at : std::nullopt;
    recurring.error = std::move(plan.error);
  }
  return recurring;
}

Result<void> write_recurring(Database& database, const Recurring& recurring, Timestamp now) {
  const RecurringSpec& spec = recurring.spec;
  const auto anchor = spec.anchor ? std::optional<Timestamp>(*spec.anchor) : std::nullopt;
  SLUICE_CHECK(database.run(
      "insert into recurring (id, kind, subject, name, args, queue, phrase, zone, anchor, missed, window_ms, "
      "overlap, "
      "jitter_ms, retry, enabled, exclusive_key, next_fire_at, error, updated_at, timeout_ms, "
      "pause_after_failures) "
      "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set "
      "kind = excluded.kind, subject = excluded.subject, name = excluded.name, args = excluded.args, "
      "queue = excluded.queue, phrase = excluded.phrase, zone = excluded.zone, anchor = excluded.anchor, "
      "missed = excluded.missed, window_ms = excluded.window_ms, overlap = excluded.overlap, "
      "jitter_ms = excluded.jitter_ms, retry = excluded.retry, enabled = excluded.enabled, "
      "exclusive_key = excluded.exclusive_key, next_fire_at = excluded.next_fire_at, error = excluded.error, "
      "timeout_ms = excluded.timeout_ms, pause_after_failures = excluded.pause_after_failures, "
      "retired_at = null, retired_reason = '', updated_at = excluded.updated_at",
      spec.id, spec.kind, spec.subject, spec.name, spec.args, spec.queue, spec.phrase, spec.zone, anchor,
      spec.missed, spec.catch_up_window.count(), spec.overlap, spec.jitter.count(), to_json(spec.retry),
      spec.enabled ? 1 : 0, spec.exclusive_key, recurring.next_fire_at, recurring.error, now,
      spec.timeout.count(), spec.pause_after_failures));
  return {};
}

Result<void> count_run(Database& database, std::string_view recurring_id, const CountedRun& run,
                       Timestamp now) {
  if (recurring_id.empty()) return {};
  if (!run.failed) {
    SLUICE_CHECK(
        database.run("update recurring set failures = 0 where id = ? and failures > 0", recurring_id));
    return {};
  }
  // The database's own rules, so that two runs that end at once are both counted.
  SLUICE_CHECK(database.run("update recurring set failures = failures + 1 where id = ?", recurring_id));
  SLUICE_CHECK(database.run(
      "update recurring set paused_at = ?1, paused_by = ?2, pause_reason = cast(failures as text) || ?3, "
      "next_fire_at = null, updated_at = ?1 where id = ?4 and pause_after_failures > 0 and failures >= "
      "pause_after_failures and paused_at is null and retired_at is null",
      now, kPausedByItself, failures_reason(run.job, run.code), recurring_id));
  return {};
}

std::string failures_reason(JobId job, std::string_view code) {
  return fmt::format(" failed runs in a row, the newest is job {} ({})", job.value(), code);
}

NewJob run_of(const RecurringSpec& spec) {
  NewJob job;
  job.kind = spec.kind;
  job.subject = spec.subject;
  job.name = spec.name;
  job.args = spec.args;
  job.queue = spec.queue;
  job.origin = Origin::schedule;
  if (spec.overlap != Overlap::allow) job.exclusive_key = spec.exclusive_key;
  job.retry = spec.retry;
  job.timeout = spec.timeout;
  job.recurring_id = spec.id;
  return job;
}

Timestamp jittered(const RecurringSpec& spec, Timestamp fire_at) {
  const std::chrono::microseconds most = spec.jitter;
  if (most.count() <= 0) return fire_at;
  // FNV-1a over id and time, and a last mixing: neighbouring times get delays far apart.
  constexpr std::uint64_t kPrime = 0x100000001b3, kMix = 0xff51afd7ed558ccd;
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * kPrime; };
  for (const char c : spec.id) add(static_cast<std::uint8_t>(c));
  auto time = static_cast<std::uint64_t>(fire_at.time_since_epoch().count());
  for (int i = 0; i < 8; ++i, time >>= 8) add(static_cast<std::uint8_t>(time & 0xff));
  hash = (hash ^ (hash >> 33)) * kMix;
  hash ^= hash >> 33;
  return fire_at + std::chrono::microseconds(hash % static_cast<std::uint64_t>(most.count()));
}

Encounter meet(const RecurringSpec& spec, const Tick& tick, const std::vector<Live>& live) {
  if (tick.catch_up_all || spec.overlap == Overlap::allow || live.empty()) return {};
  if (spec.overlap == Overlap::cancel_old) return {.blocking = {}, .reason = {}, .cancels = true};
  const auto skipped_for = [&](const Live& one) {
    const bool retried = one.state == JobState::scheduled && one.attempt > 0 && one.run_at <= tick.fire_at;
    return Encounter{
        .blocking = one,
        .reason = fmt::format("job {} {}", one.id.value(), retried ? "is tried again now" : "was not done"),
        .cancels = false};
  };
  if (spec.overlap == Overlap::skip) return skipped_for(live.front());
  // One may wait behind the one that runs; whatever waits already does this tick's work.
  for (const Live& one : live) {
    if (one.state != JobState::processing) return skipped_for(one);
  }
  return {};
}

}  // namespace sluice::jobs
