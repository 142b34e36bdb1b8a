#include "jobs/store/recurring_change.h"

#include "jobs/retry.h"

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
         a.exclusive_key == b.exclusive_key;
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
      "jitter_ms, retry, enabled, exclusive_key, next_fire_at, error, updated_at) "
      "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set "
      "kind = excluded.kind, subject = excluded.subject, name = excluded.name, args = excluded.args, "
      "queue = excluded.queue, phrase = excluded.phrase, zone = excluded.zone, anchor = excluded.anchor, "
      "missed = excluded.missed, window_ms = excluded.window_ms, overlap = excluded.overlap, "
      "jitter_ms = excluded.jitter_ms, retry = excluded.retry, enabled = excluded.enabled, "
      "exclusive_key = excluded.exclusive_key, next_fire_at = excluded.next_fire_at, error = excluded.error, "
      "retired_at = null, retired_reason = '', updated_at = excluded.updated_at",
      spec.id, spec.kind, spec.subject, spec.name, spec.args, spec.queue, spec.phrase, spec.zone, anchor,
      spec.missed, spec.catch_up_window.count(), spec.overlap, spec.jitter.count(), to_json(spec.retry),
      spec.enabled ? 1 : 0, spec.exclusive_key, recurring.next_fire_at, recurring.error, now));
  return {};
}

NewJob run_of(const RecurringSpec& spec) {
  NewJob job;
  job.kind = spec.kind;
  job.subject = spec.subject;
  job.name = spec.name;
  job.args = spec.args;
  job.queue = spec.queue;
  job.origin = Origin::schedule;
  job.exclusive_key = spec.exclusive_key;
  job.retry = spec.retry;
  job.recurring_id = spec.id;
  return job;
}

}  // namespace sluice::jobs
