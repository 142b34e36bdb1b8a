// Plans -> a translation: each plan is emitted, days crossed with times.
#include "emit.h"

#include "cron_fields.h"
#include "emitter.h"
#include "zones.h"

#include <algorithm>

namespace english_cron {
namespace {

constexpr std::size_t kMostCrons = 60;

}  // namespace

bool Emitter::run() {
  if (plan_.never) return true;
  if (needs_interval()) return emit_interval();
  return emit_times() && emit_days() && cross();
}

bool Emitter::cross() {
  out_.crons.reserve(std::min(out_.crons.size() + days_.size() * times_.size(), kMostCrons + 1));
  for (const DayText& day : days_) {
    for (const TimeText& time : times_) {
      std::string weekday = day.weekday;
      if (time.next_day) {
        const Span at = plan_.windows.empty() ? Span{} : plan_.windows.front().span;
        if (!day.movable)
          return refuse(at, "a window past midnight can be limited to days of the week only", "on friday");
        if (weekday != "*") {
          auto shifted = parse_cron("0 0 * * " + weekday);
          warn("the hours after midnight belong to the night that began the day before");
          const unsigned bits = shifted ? shifted->weekdays : 0U;
          weekday = weekday_text(static_cast<std::uint8_t>((bits << 1 | bits >> 6) & 0x7FU));
        }
      }
      std::string cron;
      cron.reserve(time.text.size() + day.day.size() + day.month.size() + weekday.size() + 3);
      cron.append(time.text).append(" ").append(day.day).append(" ").append(day.month).append(" ").append(
          weekday);
      if (day.day != "*" && weekday != "*") {
        warn("day of month and day of week must both match (crontab(5) would take either)");
      }
      if (std::find(out_.crons.begin(), out_.crons.end(), cron) == out_.crons.end())
        out_.crons.push_back(std::move(cron));
      if (out_.crons.size() > kMostCrons)
        return refuse(Span{}, "this needs more than 60 cron expressions: split it");
    }
  }
  return true;
}

bool Emitter::refuse(Span at, std::string message, std::string suggestion) {
  error = {at.offset, at.length, std::move(message), std::move(suggestion)};
  return false;
}

void Emitter::warn(std::string text) {
  if (std::find(out_.warnings.begin(), out_.warnings.end(), text) == out_.warnings.end()) {
    out_.warnings.push_back(std::move(text));
  }
}

std::expected<Translation, PhraseError> emit(const Parsed& parsed, const TranslateOptions& options) {
  Translation out;
  out.warnings = parsed.warnings;
  out.zone_in_phrase = !parsed.zone.empty();
  out.zone = out.zone_in_phrase ? parsed.zone : canonical_zone(options.zone);
  const auto unknown_zone = [&options] {
    return std::unexpected(
        PhraseError{0, 0, "unknown time zone \"" + options.zone + "\" in the options", ""});
  };
  if (out.zone.empty()) return unknown_zone();
  std::optional<ZoneTable> zone;
  for (std::size_t i = 0; i < parsed.count; ++i) {
    const Plan& plan = i == 0 ? parsed.first : parsed.more[i - 1];
    Emitter emitter(plan, options, zone, out);
    if (!zone && emitter.needs_interval()) {
      zone = find_zone(out.zone);
      if (!zone) return unknown_zone();
    }
    if (!emitter.run()) return std::unexpected(std::move(emitter.error));
    if (out.every && parsed.count > 1) {
      const Span at = plan.fine ? plan.fine->span : (plan.coarse ? plan.coarse->span : Span{});
      return std::unexpected(
          PhraseError{at.offset, at.length, "a true interval cannot be joined with another schedule", ""});
    }
  }
  return out;
}

}  // namespace english_cron
