#include "emit.h"

#include "cron_fields.h"
#include "zones.h"

#include <algorithm>
#include <bit>
#include <map>

namespace english_cron {
namespace {

constexpr std::uint32_t kAllDays = 0xFFFFFFFEU;
constexpr std::uint16_t kAllMonths = 0x1FFEU;
constexpr std::int64_t kFirstMonday = 4;  // 1970-01-05, in days
constexpr std::int64_t kDaySeconds = 86400;
constexpr std::size_t kMostCrons = 60;

struct TimeText {
  std::string text;  // the fields up to the hour
  bool next_day = false;
};
struct DayText {
  std::string day, month, weekday;
  bool movable = true;  // the weekday alone decides, so the day after can be said
};

class Emitter {
 public:
  Emitter(const Plan& plan, const TranslateOptions& options, const ZoneTable& zone, Translation& out)
      : plan_(plan), options_(options), zone_(zone), out_(out) {}

  bool run() {
    if (plan_.never) return true;
    if (needs_interval()) return emit_interval();
    return emit_times() && emit_days() && cross();
  }
  PhraseError error;

 private:
  bool refuse(Span at, std::string message, std::string suggestion = {}) {
    error = {at.offset, at.length, std::move(message), std::move(suggestion)};
    return false;
  }
  void warn(std::string text) {
    if (std::find(out_.warnings.begin(), out_.warnings.end(), text) == out_.warnings.end()) {
      out_.warnings.push_back(std::move(text));
    }
  }

  int fine_minutes() const { return plan_.fine->unit == Unit::hours ? plan_.fine->n * 60 : plan_.fine->n; }

  bool divides() const {
    if (plan_.fine->unit == Unit::seconds) return 3600 % plan_.fine->n == 0;
    return fine_minutes() <= 1440 && 1440 % fine_minutes() == 0;
  }

  bool windowed() const {
    return std::any_of(plan_.windows.begin(), plan_.windows.end(), [](const Window& w) { return w.starts; });
  }

  bool needs_interval() const {
    if (plan_.start_day) return true;
    if (plan_.fine && plan_.fine->unit != Unit::seconds && !divides() && !windowed()) return true;
    if (plan_.fine && plan_.fine->unit == Unit::seconds && !divides()) return true;
    if (!plan_.coarse || plan_.coarse->n == 1) return false;
    return plan_.coarse->unit == Unit::weeks ||
           (options_.anchor && (plan_.coarse->unit == Unit::days ||
                                (plan_.coarse->unit == Unit::months && 12 % plan_.coarse->n != 0)));
  }

  std::int64_t local_anchor_day() const {
    if (plan_.start_day) return *plan_.start_day;
    if (!options_.anchor) return kFirstMonday;
    return std::chrono::floor<std::chrono::days>(
               std::chrono::sys_seconds(std::chrono::seconds(local_anchor())))
        .time_since_epoch()
        .count();
  }
  std::int64_t local_anchor() const {
    const std::int64_t utc = options_.anchor->time_since_epoch().count();
    return utc + zone_.offsets[zone_.segment_at(utc)];
  }
  static std::chrono::sys_seconds instant(std::int64_t utc) {
    return std::chrono::sys_seconds(std::chrono::seconds(utc));
  }

  bool emit_interval() {
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
        anchor = zone_.resolve(*plan_.start_day * kDaySeconds + plan_.start_second).utc;
      } else if (options_.anchor) {
        anchor = options_.anchor->time_since_epoch().count();
      }
      out_.every = Interval{step.n, step.unit, instant(anchor)};
      return true;
    }
    if (!plan_.coarse)
      return refuse(plan_.start_span, "a start date needs an interval before it", "every 2 weeks");
    return emit_calendar_interval(*plan_.coarse, days_named);
  }

  bool emit_calendar_interval(const Step& step, bool days_named) {
    if (!plan_.windows.empty() || plan_.minute_list != 0 || plan_.hour_list != 0 || plan_.second_list != 0) {
      return refuse(step.span, "this interval takes times of day only");
    }
    std::int64_t day = local_anchor_day();
    std::int64_t second = plan_.start_second;
    if (!plan_.start_day && options_.anchor) second = local_anchor() - day * kDaySeconds;
    if (!plan_.moments.empty()) second = plan_.moments.front();
    const Days& days = plan_.days;
    const bool only_weekday = step.unit == Unit::weeks && std::popcount(days.weekdays) == 1 &&
                              days.days == 0 && !days.has_dates && !days.special() && plan_.months == 0 &&
                              !plan_.except.any() && plan_.except_months == 0;
    if (plan_.moments.size() <= 1 && (!days_named || only_weekday)) {
      if (only_weekday) {
        const int weekday = static_cast<int>((day + 4) % 7);
        day += (std::countr_zero(days.weekdays) - weekday + 7) % 7;
      } else if (step.unit == Unit::weeks && !plan_.start_day && !options_.anchor) {
        warn("weeks begin on Monday: name the day to choose another");
      }
      out_.every = Interval{step.n, step.unit, instant(zone_.resolve(day * kDaySeconds + second).utc)};
      return true;
    }
    if (step.unit == Unit::days && days_named) {
      return refuse(step.span, "an interval of days and named days contradict each other", "every 2 weeks");
    }
    out_.every = Interval{step.n, step.unit, instant(zone_.resolve(day * kDaySeconds).utc)};
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

  // --- times of day
  // -------------------------------------------------------------------------------------------------

  void add_times(const Minutes& minutes, std::uint64_t seconds, ListStyle minute_style, ListStyle hour_style,
                 bool next_day) {
    const std::string prefix =
        seconds == 1 ? ""
                     : field_text(seconds, 0, 59,
                                  minute_style == ListStyle::fixed ? ListStyle::fixed : ListStyle::spread) +
                           " ";
    std::array<bool, 24> done{};
    for (std::size_t h = 0; h < 24; ++h) {
      if (minutes.hours[h] == 0 || done[h]) continue;
      std::uint64_t hours = 0;
      for (std::size_t other = h; other < 24; ++other) {
        if (minutes.hours[other] != minutes.hours[h]) continue;
        hours |= std::uint64_t{1} << other;
        done[other] = true;
      }
      times_.push_back({prefix + field_text(minutes.hours[h], 0, 59, minute_style) + " " +
                            field_text(hours, 0, 23, hour_style),
                        next_day});
    }
  }

  // Minutes of the window; those past midnight go to `next`.
  static void fill(const Window& window, int step, Minutes& today, Minutes& next) {
    const int end = window.to < window.from ? window.to + 1440 : window.to;
    for (int m = window.from; m <= end; m += step) (m < 1440 ? today : next).add(m % 1440);
  }

  void remove_excepted(Minutes& today, Minutes& next) const {
    for (const Window& window : plan_.except_windows) {
      Minutes cut;
      fill(window, 1, cut, cut);
      for (std::size_t h = 0; h < 24; ++h) {
        today.hours[h] &= ~cut.hours[h];
        next.hours[h] &= ~cut.hours[h];
      }
    }
  }

  bool emit_times() {
    if (!plan_.moments.empty()) return emit_moments();
    if (!plan_.has_time()) {
      if (!plan_.windows.empty())
        return refuse(plan_.windows.front().span, "a window needs an interval: how often within it?",
                      "every hour");
      if (!plan_.except_windows.empty())
        return refuse(plan_.except_windows.front().span, "leaving out a window needs an interval",
                      "every hour");
      const bool bare_month = plan_.coarse && plan_.coarse->unit == Unit::months && plan_.coarse->bare &&
                              !plan_.coarse->quarter && (plan_.coarse->n == 1 || plan_.coarse->n == 12) &&
                              !plan_.days.any() && plan_.months == 0;
      times_.push_back(
          {bare_month ? "1 1" : "0 0", false});  // monthly and yearly run at 01:01, as Nox has it
      return true;
    }
    Minutes today;
    Minutes next;
    const bool seconds = plan_.fine && plan_.fine->unit == Unit::seconds;
    if (plan_.fine && !seconds && plan_.second_list == 0) {
      if (!fine_times(today, next)) return false;
    } else {
      if (plan_.fine && !seconds && plan_.fine->n != 1) {
        return refuse(plan_.fine->span, "seconds go with every minute or with a list of minutes");
      }
      listed_times(today);
      limit(today, next);
    }
    remove_excepted(today, next);
    if (!today.any() && !next.any())
      return refuse(plan_.windows.empty() ? Span{} : plan_.windows.front().span,
                    "no run is left inside the window");
    if (same_day_enough()) {
      for (std::size_t h = 0; h < 24; ++h) today.hours[h] |= next.hours[h];
      next = {};
    }
    const bool listed = plan_.minute_list != 0;
    const ListStyle minute_style = listed && !plan_.minute_range ? ListStyle::fixed : ListStyle::spread;
    const ListStyle hour_style =
        plan_.hour_list != 0 && !plan_.hour_range ? ListStyle::fixed : ListStyle::spread;
    if (seconds) return add_seconds(today, next);
    std::uint64_t second_bits = plan_.second_list != 0 ? plan_.second_list : 1;
    add_times(today, second_bits, minute_style, hour_style, false);
    add_times(next, second_bits, minute_style, hour_style, true);
    return true;
  }

  // Without named days, what runs past midnight may be written as times of the same day.
  bool same_day_enough() const {
    return !plan_.days.any() && plan_.months == 0 && !plan_.except.any() && plan_.except_months == 0 &&
           (!plan_.coarse || (plan_.coarse->unit == Unit::days && plan_.coarse->n == 1));
  }

  bool emit_moments() {
    if (!plan_.windows.empty())
      return refuse(plan_.windows.front().span, "a window goes with an interval, not with times of day",
                    "every hour");
    if (plan_.minute_list != 0 || plan_.hour_list != 0 || plan_.second_list != 0) {
      return refuse(Span{}, "times of day and minutes of the hour: separate whole schedules with \";\"", ";");
    }
    std::map<int, Minutes> by_second;
    for (const int moment : plan_.moments) by_second[moment % 60].add(moment / 60);
    for (auto& [second, minutes] : by_second) {
      Minutes none;
      remove_excepted(minutes, none);
      add_times(minutes, std::uint64_t{1} << second, ListStyle::fixed, ListStyle::fixed, false);
    }
    return !times_.empty() || refuse(plan_.except_windows.front().span, "no run is left");
  }

  bool fine_times(Minutes& today, Minutes& next) {
    const int step = fine_minutes();
    if (plan_.minute_list != 0 || plan_.hour_list != 0) {
      if (plan_.fine->unit != Unit::hours && step != 1) {
        return refuse(plan_.fine->span,
                      "an interval of minutes and minutes of the hour contradict each other", "every hour");
      }
      Minutes grid;
      if (plan_.fine->unit == Unit::hours) {
        for (int m = 0; m < 1440; m += step) grid.hours[static_cast<std::size_t>(m / 60)] = plan_.minute_list;
      } else {
        listed_times(grid);
      }
      for (std::size_t h = 0; h < 24; ++h) {
        if (plan_.hour_list != 0 && (plan_.hour_list >> h & 1U) == 0) grid.hours[h] = 0;
      }
      today = grid;
      limit(today, next);
      return true;
    }
    if (windowed()) {
      for (const Window& window : plan_.windows) fill(window, step, today, next);
      return true;
    }
    for (int m = 0; m < 1440; m += step) today.add(m);
    limit(today, next);
    return true;
  }

  void listed_times(Minutes& out) const {
    for (std::size_t h = 0; h < 24; ++h) {
      if (plan_.hour_list != 0 && (plan_.hour_list >> h & 1U) == 0) continue;
      if (plan_.minute_list != 0) {
        out.hours[h] = plan_.minute_list;
      } else {
        const bool on_the_hour = plan_.hour_list != 0 && !plan_.fine && plan_.second_list == 0;
        out.hours[h] = on_the_hour ? 1 : (std::uint64_t{1} << 60) - 1;
      }
    }
  }

  // Keeps what lies inside the windows.
  void limit(Minutes& today, Minutes& next) const {
    if (plan_.windows.empty()) return;
    Minutes inside;
    Minutes after;
    for (const Window& window : plan_.windows) fill(window, 1, inside, after);
    for (std::size_t h = 0; h < 24; ++h) {
      next.hours[h] = today.hours[h] & after.hours[h];
      today.hours[h] &= inside.hours[h];
    }
  }

  bool add_seconds(Minutes today, Minutes next) {
    const int n = plan_.fine->n;
    std::map<std::uint64_t, std::uint64_t> minutes_of;  // seconds -> the minutes of the hour that have them
    std::array<std::uint64_t, 60> of_minute{};
    for (int s = 0; s < 3600; s += n)
      of_minute[static_cast<std::size_t>(s / 60)] |= std::uint64_t{1} << (s % 60);
    for (std::size_t m = 0; m < 60; ++m) {
      if (of_minute[m] != 0) minutes_of[of_minute[m]] |= std::uint64_t{1} << m;
    }
    // The end of a window belongs to it to the second: no run at 17:00:10 of "until 17:00".
    std::vector<std::pair<int, bool>> ends;
    for (const Window& window : plan_.windows) {
      const bool following = window.to < window.from;
      Minutes& minutes_there = following ? next : today;
      if (window.to == 1439 || !minutes_there.has(window.to)) continue;
      minutes_there.hours[static_cast<std::size_t>(window.to / 60)] &=
          ~(std::uint64_t{1} << (window.to % 60));
      if ((of_minute[static_cast<std::size_t>(window.to % 60)] & 1U) != 0)
        ends.emplace_back(window.to, following);
    }
    for (const auto& [bits, minutes] : minutes_of) {
      for (const bool following : {false, true}) {
        Minutes part = following ? next : today;
        for (std::uint64_t& hour : part.hours) hour &= minutes;
        add_times(part, bits, ListStyle::spread, ListStyle::spread, following);
      }
    }
    for (const auto& [minute, following] : ends) {
      Minutes only;
      only.add(minute);
      add_times(only, 1, ListStyle::spread, ListStyle::spread, following);
    }
    return true;
  }

  // --- days
  // ---------------------------------------------------------------------------------------------------------

  bool emit_days() {
    Days days = plan_.days;
    std::uint16_t months = plan_.months;
    std::string month_step;
    std::string day_step;
    if (plan_.coarse && !apply_coarse(*plan_.coarse, days, months, month_step, day_step)) return false;
    if (!plan_.coarse && months != 0 && !days.any() && !plan_.has_time() && !plan_.except.any()) {
      days.days = 1U << 1;
      warn("a month alone is read as its first day, at midnight");
    }
    const Days& except = plan_.except;
    if (except.special())
      return refuse(Span{}, "days that move within the month cannot be left out", "on the 1st");
    if (plan_.except_months != 0) {
      months = static_cast<std::uint16_t>((months != 0 ? months : kAllMonths) & ~plan_.except_months);
      if (months == 0) return refuse(Span{}, "the exception leaves no month");
    }
    const std::uint16_t in_months = months != 0 ? months : kAllMonths;
    const auto weekday_rest = static_cast<std::uint8_t>(0x7FU & ~except.weekdays);
    const bool cut_weekdays = except.weekdays != 0;
    if (weekday_rest == 0) return refuse(Span{}, "the exception leaves no day");
    const std::string rest_text = cut_weekdays ? weekday_text(weekday_rest) : "*";

    if (plan_.both) {
      for (const DayText& day : month_days(days, in_months, month_step)) add_specials_of_week(days, day);
      Days no_weekdays = days;
      no_weekdays.weekdays = 0;
      no_weekdays.nth = {};
      no_weekdays.last_weekdays = 0;
      for (const DayText& special : specials(no_weekdays, month_text(in_months, month_step), "*"))
        add_specials_of_week(days, special);
      return true;
    }
    if (days.weekdays != 0) {
      const auto left = static_cast<std::uint8_t>(days.weekdays & weekday_rest);
      if (left == 0) return refuse(Span{}, "the exception leaves no day");
      Days all;
      all.days = kAllDays;
      for (DayText& day : month_days(all, in_months, month_step)) {
        day.weekday = weekday_text(left);
        day.movable = day.day == "*" && day.month == "*";
        days_.push_back(day);
      }
    }
    if (days.days != 0 || days.has_dates || !days.any()) {
      Days base = days;
      if (!days.any()) base.days = kAllDays;
      for (DayText& day : month_days(base, in_months, month_step)) {
        if (!day_step.empty() && day.day == "*") day.day = day_step;
        day.weekday = rest_text;
        day.movable = day.day == "*" && day.month == "*";
        days_.push_back(day);
      }
    }
    for (DayText& day : specials(days, month_text(in_months, month_step), rest_text))
      days_.push_back(std::move(day));
    return !days_.empty() || refuse(Span{}, "no day is left");
  }

  bool apply_coarse(const Step& step, Days& days, std::uint16_t& months, std::string& month_step,
                    std::string& day_step) {
    if (step.unit == Unit::weeks) {
      if (!days.any()) {
        days.weekdays = 1U << 1;
        warn("no day is named: Monday is taken");
      }
      return true;
    }
    if (step.unit == Unit::days) {
      if (step.n == 1) return true;
      if (days.any()) return refuse(step.span, "an interval of days and named days contradict each other");
      if (step.n > 31)
        return refuse(step.span, "an interval longer than a month needs a start date", "starting 2026-01-05");
      day_step = "*/" + std::to_string(step.n);
      out_.exact = false;
      warn(
          "cron counts the days anew each month, from the 1st: add \"starting YYYY-MM-DD\" for equal "
          "intervals");
      return true;
    }
    if (step.n > 12)
      return refuse(step.span, "an interval longer than a year needs a start date", "starting 2026-01-05");
    if (step.n == 12) {
      const bool fixed = days.weekdays != 0 || days.days != 0 || days.special();
      if (months == 0 && fixed) return refuse(step.span, "which month of the year?", "of january");
      if (months == 0 && !days.has_dates) months = 1U << 1;
    } else if (step.n > 1) {
      if (months != 0 || days.has_dates)
        return refuse(step.span, "an interval of months and named months contradict each other");
      if (step.quarter) {
        for (int m = 1; m <= 12; m += step.n) months |= static_cast<std::uint16_t>(1U << m);
      } else {
        month_step = "*/" + std::to_string(step.n);
        for (int m = 1; m <= 12; m += step.n) months |= static_cast<std::uint16_t>(1U << m);
      }
      quarter_ = step.quarter;
      if (12 % step.n != 0) {
        out_.exact = false;
        warn(
            "cron counts the months anew each year, from January: add \"starting YYYY-MM-DD\" for equal "
            "intervals");
      }
    }
    if (!days.any()) days.days = 1U << 1;
    return true;
  }

  std::string month_text(std::uint16_t months, const std::string& step) const {
    if (!step.empty()) return step;
    return field_text(months, 1, 12, quarter_ ? ListStyle::fixed : ListStyle::tidy);
  }

  static std::string weekday_text(std::uint8_t weekdays) {
    if (weekdays == 0b1000001) return "6,0";
    return field_text(weekdays, 0, 6, ListStyle::tidy);
  }

  // Days of the month and dates, less the exceptions, grouped by the months that share them.
  std::vector<DayText> month_days(const Days& days, std::uint16_t months, const std::string& step) const {
    std::vector<std::pair<std::uint32_t, std::uint16_t>> groups;
    for (unsigned m = 1; m <= 12; ++m) {
      const bool in = (months >> m & 1U) != 0;
      std::uint32_t bits = (in ? days.days : 0) | (in || plan_.months == 0 ? days.dates[m] : 0);
      bits &= ~(plan_.except.days | plan_.except.dates[m]);
      if (bits == 0) continue;
      const auto known =
          std::find_if(groups.begin(), groups.end(), [bits](const auto& g) { return g.first == bits; });
      if (known == groups.end()) {
        groups.emplace_back(bits, static_cast<std::uint16_t>(1U << m));
      } else {
        known->second |= static_cast<std::uint16_t>(1U << m);
      }
    }
    std::vector<DayText> out;
    for (const auto& [bits, in] : groups) {
      out.push_back(
          {field_text(bits, 1, 31, ListStyle::tidy), month_text(in, in == months ? step : ""), "*", false});
    }
    return out;
  }

  std::vector<DayText> specials(const Days& days, const std::string& month, const std::string& rest) const {
    std::vector<DayText> out;
    const auto add = [&](std::string day, std::string weekday) {
      out.push_back({std::move(day), month, std::move(weekday), false});
    };
    for (int n = 30; n >= 0; --n) {
      const std::string before = n == 0 ? "L" : "L-" + std::to_string(n);
      if ((days.days_before_last >> n & 1U) != 0) add(before, rest);
      if ((days.last_nearest >> n & 1U) != 0) add(before + "W", rest);
    }
    for (int n = 1; n <= 31; ++n) {
      if ((days.nearest >> n & 1U) != 0) add(std::to_string(n) + "W", rest);
    }
    for (std::size_t k = 1; k <= 5; ++k) {
      for (int w = 0; w < 7; ++w) {
        const bool kept = (plan_.except.weekdays >> w & 1U) == 0;
        if ((days.nth[k] >> w & 1U) != 0 && kept) add("*", std::to_string(w) + "#" + std::to_string(k));
      }
    }
    for (int w = 0; w < 7; ++w) {
      if ((days.last_weekdays >> w & 1U) != 0 && (plan_.except.weekdays >> w & 1U) == 0)
        add("*", std::to_string(w) + "L");
    }
    return out;
  }

  void add_specials_of_week(const Days& days, const DayText& base) {
    DayText day = base;
    if (days.weekdays != 0) {
      day.weekday = weekday_text(days.weekdays);
      days_.push_back(day);
    }
    Days week;
    week.nth = days.nth;
    week.last_weekdays = days.last_weekdays;
    for (const DayText& special : specials(week, base.month, "*")) {
      day.weekday = special.weekday;
      days_.push_back(day);
    }
  }

  bool cross() {
    for (const DayText& day : days_) {
      for (const TimeText& time : times_) {
        std::string weekday = day.weekday;
        if (time.next_day) {
          const Span at = plan_.windows.empty() ? Span{} : plan_.windows.front().span;
          if (!day.movable)
            return refuse(at, "a window past midnight can be limited to days of the week only", "on friday");
          if (weekday != "*") {
            auto shifted = parse_cron("0 0 * * " + weekday);
            const unsigned bits = shifted ? shifted->weekdays : 0U;
            weekday = weekday_text(static_cast<std::uint8_t>((bits << 1 | bits >> 6) & 0x7FU));
          }
        }
        std::string cron = time.text + " " + day.day + " " + day.month + " " + weekday;
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

  const Plan& plan_;
  const TranslateOptions& options_;
  const ZoneTable& zone_;
  Translation& out_;
  std::vector<TimeText> times_;
  std::vector<DayText> days_;
  bool quarter_ = false;
};

}  // namespace

std::expected<Translation, PhraseError> emit(const Parsed& parsed, const TranslateOptions& options) {
  Translation out;
  out.warnings = parsed.warnings;
  out.zone_in_phrase = !parsed.zone.empty();
  out.zone = out.zone_in_phrase ? parsed.zone : canonical_zone(options.zone);
  const auto zone = find_zone(out.zone);
  if (!zone)
    return std::unexpected(
        PhraseError{0, 0, "unknown time zone \"" + options.zone + "\" in the options", ""});
  for (const Plan& plan : parsed.plans) {
    Emitter emitter(plan, options, *zone, out);
    if (!emitter.run()) return std::unexpected(std::move(emitter.error));
    if (out.every && parsed.plans.size() > 1) {
      const Span at = plan.fine ? plan.fine->span : (plan.coarse ? plan.coarse->span : Span{});
      return std::unexpected(
          PhraseError{at.offset, at.length, "a true interval cannot be joined with another schedule", ""});
    }
  }
  return out;
}

}  // namespace english_cron
