// Occurrences on the time line: wall-clock search, then the rules for gaps and overlaps.
#include "english_cron/schedule.h"

#include "calendar.h"
#include "cron_fields.h"
#include "interval.h"
#include "zones.h"

#include <algorithm>
#include <optional>

namespace english_cron {

struct Schedule::State {
  std::vector<CronFields> crons;  // only those that can match
  std::optional<Interval> every;
  ZoneTable zone;
};

namespace {

std::int64_t day_of(std::int64_t seconds) {
  return (seconds >= 0 ? seconds : seconds - (kDaySeconds - 1)) / kDaySeconds;
}

// At or after `from`. A run that a gap moved to the gap's end belongs to the wall-clock time inside the gap:
// asked inclusively from that very end it is not offered (as Cronos does), which `offer_moved` = false stands
// for.
std::int64_t next_of(const CronFields& cron, const ZoneTable& zone, std::int64_t from, bool offer_moved) {
  const std::size_t here = zone.segment_at(from);
  const std::int64_t offset = zone.offset(here);
  std::int64_t earliest = from + offset;
  if (offer_moved && from == zone.start(here) && zone.offset(here - 1) < offset) {
    const std::int64_t inside = next_local(cron, from + zone.offset(here - 1));
    if (inside != kNoTime && inside < earliest) return from;
  }
  if (!cron.interval && here > 0 && zone.offset(here - 1) > offset) {
    // The second pass through repeated time: fixed times have had their run in the first.
    earliest = std::max(earliest, zone.start(here) + zone.offset(here - 1));
  }
  const std::int64_t local = next_local(cron, earliest);
  if (local == kNoTime) return kNoTime;
  const std::int64_t end = zone.end(here);
  if (local < end + offset) return local - offset;
  if (cron.interval && here + 1 < zone.size() && zone.offset(here + 1) < offset) {
    const std::int64_t again = next_local(cron, end + zone.offset(here + 1));
    if (again != kNoTime && again < local) return again - zone.offset(here + 1);
  }
  return zone.resolve(local).utc;
}

std::int64_t previous_of(const CronFields& cron, const ZoneTable& zone, std::int64_t from) {
  std::size_t here = zone.segment_at(from);
  std::int64_t latest = from + zone.offset(here);
  std::int64_t local = previous_local(cron, latest);
  for (;;) {
    if (local == kNoTime) return kNoTime;
    const std::int64_t offset = zone.offset(here);
    if (here == 0) return local - offset;
    const std::int64_t start = zone.start(here);
    const std::int64_t before = zone.offset(here - 1);
    const std::int64_t first = cron.interval || before < offset ? start + offset : start + before;
    if (local >= first) return local - offset;
    if (before < offset && local >= start + before) return start;  // inside the gap
    --here;
    latest = start - 1 + before;
    if (before > offset || local > latest) local = previous_local(cron, latest);
  }
}

// Crons that count only in the interval's days, weeks or months.
std::int64_t next_filtered(const Schedule::State& state, std::int64_t from) {
  const ZoneTable& zone = state.zone;
  const std::int64_t limit = from + std::int64_t{400} * 366 * kDaySeconds;
  while (from < limit) {
    const std::int64_t day = day_of(from + zone.offset_at(from));
    const Period period = period_at(*state.every, zone, day, true);
    from = std::max(from, zone.resolve(period.first_day * kDaySeconds).utc);
    std::int64_t best = kNoTime;
    for (const CronFields& cron : state.crons) {
      const std::int64_t found = next_of(cron, zone, from, true);
      if (found != kNoTime && (best == kNoTime || found < best)) best = found;
    }
    if (best == kNoTime) return kNoTime;
    const std::int64_t end = zone.resolve(period.end_day * kDaySeconds).utc;
    if (best < end) return best;
    from = std::max(end, from + 1);
  }
  return kNoTime;
}

std::int64_t previous_filtered(const Schedule::State& state, std::int64_t from) {
  const ZoneTable& zone = state.zone;
  const std::int64_t anchor = state.every->anchor.time_since_epoch().count();
  while (from >= anchor) {
    const std::int64_t day = day_of(from + zone.offset_at(from));
    const Period period = period_at(*state.every, zone, day, false);
    if (period.first_day == period.end_day) return kNoTime;
    from = std::min(from, zone.resolve(period.end_day * kDaySeconds).utc - 1);
    std::int64_t best = kNoTime;
    for (const CronFields& cron : state.crons) best = std::max(best, previous_of(cron, zone, from));
    const std::int64_t start = zone.resolve(period.first_day * kDaySeconds).utc;
    if (best >= start) return best;
    if (best == kNoTime) return kNoTime;
    from = start - 1;
  }
  return kNoTime;
}

std::int64_t next_of(const Schedule::State& state, std::int64_t from, bool offer_moved) {
  if (state.every) {
    return state.crons.empty() ? english_cron::next_of(*state.every, state.zone, from)
                               : next_filtered(state, from);
  }
  std::int64_t best = kNoTime;
  for (const CronFields& cron : state.crons) {
    const std::int64_t found = next_of(cron, state.zone, from, offer_moved);
    if (found != kNoTime && (best == kNoTime || found < best)) best = found;
  }
  return best;
}

std::int64_t previous_of(const Schedule::State& state, std::int64_t from) {
  if (state.every) {
    return state.crons.empty() ? english_cron::previous_of(*state.every, state.zone, from)
                               : previous_filtered(state, from);
  }
  std::int64_t best = kNoTime;
  for (const CronFields& cron : state.crons) best = std::max(best, previous_of(cron, state.zone, from));
  return best;
}

std::optional<std::chrono::sys_seconds> to_result(std::int64_t seconds) {
  if (seconds == kNoTime) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

}  // namespace

Schedule::Schedule(std::shared_ptr<const State> state) : state_(std::move(state)) {}

std::expected<Schedule, PhraseError> Schedule::compile(const Translation& translation) {
  auto state = std::make_shared<State>();
  auto zone = find_zone(translation.zone);
  if (!zone) {
    return std::unexpected(
        PhraseError{0, translation.zone.size(), "unknown time zone \"" + translation.zone + "\"", ""});
  }
  state->zone = std::move(*zone);
  bool any = translation.crons.empty();
  for (const std::string& text : translation.crons) {
    auto fields = parse_cron(text);
    if (!fields) return std::unexpected(std::move(fields.error()));
    if (!can_match(*fields)) continue;
    state->crons.push_back(*fields);
    any = true;
  }
  if (any) state->every = translation.every;  // crons that never match leave an interval nothing to pick
  if (state->every && state->every->n < 1) {
    return std::unexpected(PhraseError{0, 0, "an interval must be at least 1", ""});
  }
  return Schedule(std::move(state));
}

std::optional<std::chrono::sys_seconds> Schedule::next(Instant after, bool inclusive) const {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(after);
  const bool exact = whole == after;
  const bool at = exact && inclusive;
  return to_result(next_of(*state_, whole.time_since_epoch().count() + (exact && !inclusive ? 1 : 0), !at));
}

std::optional<std::chrono::sys_seconds> Schedule::previous(Instant before, bool inclusive) const {
  const auto whole = std::chrono::floor<std::chrono::seconds>(before);
  const bool exact = whole == before;
  return to_result(previous_of(*state_, whole.time_since_epoch().count() - (exact && !inclusive ? 1 : 0)));
}

std::vector<std::chrono::sys_seconds> Schedule::between(Instant from, Instant to, std::size_t limit) const {
  std::vector<std::chrono::sys_seconds> out;
  auto found = next(from - std::chrono::microseconds(1));  // a run moved to `from` by a gap counts
  while (found && *found <= to && out.size() < limit) {
    out.push_back(*found);
    found = next(*found);
  }
  return out;
}

bool Schedule::never() const { return state_->crons.empty() && !state_->every; }

std::string format_local(std::chrono::sys_seconds time, std::string_view zone) {
  const auto table = find_zone(zone);
  const std::int64_t utc = time.time_since_epoch().count();
  const std::int64_t offset = table ? table->offset_at(utc) : 0;
  const std::int64_t local = utc + offset;
  const std::int64_t day = day_of(local);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const std::int64_t second = local - day * kDaySeconds;

  const auto two = [](std::string& out, std::int64_t value) {
    out += static_cast<char>('0' + value / 10 % 10);
    out += static_cast<char>('0' + value % 10);
  };
  const int year = static_cast<int>(date.year());
  std::string out = year < 0 ? "-" : "";
  const std::string digits = std::to_string(std::abs(year));
  out.append(digits.size() < 4 ? 4 - digits.size() : 0, '0').append(digits) += '-';
  two(out, static_cast<unsigned>(date.month()));
  out += '-';
  two(out, static_cast<unsigned>(date.day()));
  out += 'T';
  two(out, second / 3600);
  out += ':';
  two(out, second / 60 % 60);
  out += ':';
  two(out, second % 60);
  const std::int64_t shift = std::abs(offset);
  out += offset < 0 ? '-' : '+';
  two(out, shift / 3600);
  out += ':';
  two(out, shift / 60 % 60);
  if (shift % 60 != 0) {  // local mean times of long ago
    out += ':';
    two(out, shift % 60);
  }
  return out;
}

}  // namespace english_cron
