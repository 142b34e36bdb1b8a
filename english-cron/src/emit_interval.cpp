// True intervals: what cron cannot say, as a function of the anchor.
#include "emitter.h"

#include <algorithm>
#include <bit>

namespace english_cron {
namespace {

constexpr std::int64_t kFirstMonday = 4;  // 1970-01-05, in days

std::chrono::sys_seconds instant(std::int64_t utc) {
  return std::chrono::sys_seconds(std::chrono::seconds(utc));
}

}  // namespace

int Emitter::fine_minutes() const {
  return plan_.fine->unit == Unit::hours ? plan_.fine->n * 60 : plan_.fine->n;
}

bool Emitter::divides() const {
  if (plan_.fine->unit == Unit::seconds) return 3600 % plan_.fine->n == 0;
  return fine_minutes() <= 1440 && 1440 % fine_minutes() == 0;
}

bool Emitter::windowed() const {
  return std::any_of(plan_.windows.begin(), plan_.windows.end(), [](const Window& w) { return w.starts; });
}

bool Emitter::needs_interval() const {
  if (plan_.start_day) return true;
  if (plan_.fine && plan_.fine->unit != Unit::seconds && !divides() && !windowed()) return true;
  if (plan_.fine && plan_.fine->unit == Unit::seconds && !divides()) return true;
  if (!plan_.coarse || plan_.coarse->n == 1) return false;
  return plan_.coarse->unit == Unit::weeks ||
         (options_.anchor && (plan_.coarse->unit == Unit::days ||
                              (plan_.coarse->unit == Unit::months && 12 % plan_.coarse->n != 0)));
}

std::int64_t Emitter::local_anchor_day() const {
  if (plan_.start_day) return *plan_.start_day;
  if (!options_.anchor) return kFirstMonday;
  return std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(local_anchor())))
      .time_since_epoch()
      .count();
}

std::int64_t Emitter::local_anchor() const {
  const std::int64_t utc = options_.anchor->time_since_epoch().count();
  return utc + zone_->offset_at(utc);
}

bool Emitter::emit_interval() {
  const bool days_named =
      plan_.days.any() || plan_.months != 0 || plan_.except.any() || plan_.except_months != 0;
  if (plan_.fine) {
    const Step& step = *plan_.fine;
    const bool limits = days_named || !plan_.windows.empty() || !plan_.except_windows.empty() ||
                        plan_.coarse || plan_.minute_list != 0 || plan_.hour_list != 0 ||
                        plan_.second_list != 0;
    if (limits) {
      return refuse(step.span,
                    "this interval does not divide the day, so it cannot be limited to days or times: give "
                    "it a window that starts it each day, or an interval that divides the day",
                    "every 30 minutes");
    }
    std::int64_t anchor = kFirstMonday * kDaySeconds;
    if (plan_.start_day) {
      anchor = zone_->resolve(*plan_.start_day * kDaySeconds + plan_.start_second).utc;
    } else if (options_.anchor) {
      anchor = options_.anchor->time_since_epoch().count();
    }
    out_.every = Interval{step.n, step.unit, instant(anchor)};
    return true;
  }
  if (plan_.coarse) return emit_calendar_interval(*plan_.coarse, days_named);
  if (!plan_.windows.empty() || (!plan_.has_time() && !days_named))
    return refuse(plan_.start_span, "a start date needs an interval before it", "every 2 weeks");
  // Days alone: every week, month or day that has them, from then on.
  const bool of_week = plan_.days.of_week() && !plan_.days.of_month() && plan_.days.nth == Days{}.nth;
  const Unit unit =
      of_week && plan_.days.last_weekdays == 0 ? Unit::weeks : (days_named ? Unit::months : Unit::days);
  return emit_calendar_interval(Step{1, unit, true, false, plan_.start_span}, days_named);
}

bool Emitter::emit_calendar_interval(const Step& step, bool days_named) {
  if (!plan_.windows.empty() || plan_.minute_list != 0 || plan_.hour_list != 0 || plan_.second_list != 0) {
    return refuse(step.span, "this interval takes times of day only");
  }
  std::int64_t day = local_anchor_day();
  std::int64_t second = plan_.start_second;
  if (!plan_.start_day && options_.anchor) second = local_anchor() - day * kDaySeconds;
  if (!plan_.moments.empty()) second = plan_.moments.front();
  const Days& days = plan_.days;
  const bool only_weekday = step.unit == Unit::weeks && std::popcount(days.weekdays) == 1 && days.days == 0 &&
                            !days.has_dates && !days.special() && plan_.months == 0 && !plan_.except.any() &&
                            plan_.except_months == 0;
  if (plan_.moments.size() <= 1 && (!days_named || only_weekday)) {
    if (only_weekday) {
      const int weekday = static_cast<int>((day + 4) % 7);
      day += (std::countr_zero(days.weekdays) - weekday + 7) % 7;
    } else if (step.unit == Unit::weeks && !plan_.start_day && !options_.anchor) {
      warn("weeks begin on Monday: name the day to choose another");
    }
    out_.every = Interval{step.n, step.unit, instant(zone_->resolve(day * kDaySeconds + second).utc)};
    return true;
  }
  if (step.unit == Unit::days && days_named) {
    return refuse(step.span, "an interval of days and named days contradict each other", "every 2 weeks");
  }
  out_.every = Interval{step.n, step.unit, instant(zone_->resolve(day * kDaySeconds).utc)};
  Plan inner = plan_;
  inner.coarse.reset();
  inner.start_day.reset();
  if (inner.moments.empty()) inner.moments.push_back(static_cast<int>(second));
  if (step.unit == Unit::weeks && !days.any())
    inner.days.weekdays = static_cast<std::uint8_t>(1U << ((day + 4) % 7));
  if (step.unit == Unit::months && !days.any()) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    inner.days.days = 1U << static_cast<unsigned>(date.day());
  }
  Emitter emitter(inner, options_, zone_, out_);
  if (emitter.emit_times() && emitter.emit_days() && emitter.cross()) {
    const bool one_kind =
        emitter.days_.size() == 1 && (step.unit != Unit::weeks || emitter.days_.front().day == "*");
    return one_kind ||
           refuse(step.span, "this interval takes one kind of days: separate whole schedules with \";\"",
                  ";");
  }
  error = std::move(emitter.error);
  return false;
}

}  // namespace english_cron
