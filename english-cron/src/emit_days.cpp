// Days, as the day, month and weekday fields of crons.
#include "emitter.h"
#include "short_list.h"

#include <algorithm>

namespace english_cron {
namespace {

constexpr std::uint32_t kAllDays = 0xFFFFFFFEU;
constexpr std::uint16_t kAllMonths = 0x1FFEU;

std::string with_start(const Step& step) {
  return "every " + std::to_string(step.n) + " " + std::string(to_string(step.unit)) + " starting 2026-01-05";
}

}  // namespace

bool Emitter::emit_days() {
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
  std::uint8_t but_last = 0;  // weekdays without the last one of each month
  if (except.special() && !leave_out_moving(days, but_last)) return false;
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
    return !days_.empty() || refuse(Span{}, "no day is left");
  }
  Days all;
  all.days = kAllDays;
  if (days.weekdays != 0) {
    const auto left = static_cast<std::uint8_t>(days.weekdays & weekday_rest);
    if (left == 0) return refuse(Span{}, "the exception leaves no day");
    for (DayText& day : month_days(all, in_months, month_step)) {
      day.weekday = weekday_text(left);
      day.movable = day.day == "*" && day.month == "*";
      days_.push_back(day);
    }
  }
  if (but_last != 0) {
    constexpr std::uint32_t kLastWeek = 0x7F;
    for (DayText& day : month_days(all, in_months, month_step, kLastWeek)) {
      day.weekday = weekday_text(but_last);
      days_.push_back(day);
    }
  }
  if (days.days != 0 || days.has_dates || (!days.any() && but_last == 0)) {
    Days base = days;
    if (!days.any()) base.days = kAllDays;
    for (DayText& day : month_days(base, in_months, month_step)) {
      if (!day_step.empty() && day.day == "*") day.day = day_step;
      day.weekday = rest_text;
      day.movable = day.day == "*" && day.month == "*";
      days_.push_back(day);
    }
  }
  if (days.special()) {
    for (DayText& day : specials(days, month_text(in_months, month_step), rest_text))
      days_.push_back(std::move(day));
  }
  if (february_unsaid_)
    return refuse(Span{}, "this exception falls on other days of february in leap years: name the days",
                  "on the 1st");
  return !days_.empty() || refuse(Span{}, "no day is left");
}

bool Emitter::apply_coarse(const Step& step, Days& days, std::uint16_t& months, std::string& month_step,
                           std::string& day_step) {
  const bool only_last = days.days == 0 && !days.has_dates && days.nearest == 0 && days.weekdays == 0 &&
                         (days.days_before_last != 0 || days.last_nearest != 0 || days.last_weekdays != 0);
  if (step.quarter && only_last && months == 0)
    return refuse(step.span, "of the first or the last month of the quarter?",
                  "on the last day of the quarter");
  if (step.unit == Unit::weeks && days.of_month() && !plan_.both)
    return refuse(step.span, "a week has no such day: name days of the week, or leave the weeks out",
                  "every month");
  if (step.unit == Unit::months && days.weekdays != 0 && !plan_.both) {
    if (step.n == 1 || (step.n == 12 && months != 0))
      return refuse(step.span, "which of these days of the " + std::string(step.n == 12 ? "year?" : "month?"),
                    "on the first monday");
    warn("every such day of the months that the interval picks");
  }
  if (step.quarter && days.any() && months == 0 && days.days != 1U << 1)
    warn("the days are taken in the first month of each quarter");
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
      return refuse(step.span, "an interval longer than a month needs a start date", with_start(step));
    day_step = "*/" + std::to_string(step.n);
    out_.exact = false;
    warn(
        "cron counts the days anew each month, from the 1st: add \"starting YYYY-MM-DD\" for equal "
        "intervals");
    return true;
  }
  if (step.n > 12)
    return refuse(step.span, "an interval longer than a year needs a start date", with_start(step));
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

std::string Emitter::month_text(std::uint16_t months, const std::string& step) const {
  if (!step.empty()) return step;
  return field_text(months, 1, 12, quarter_ ? ListStyle::fixed : ListStyle::tidy);
}

std::string Emitter::weekday_text(std::uint8_t weekdays) {
  if (weekdays == 0b1000001) return "6,0";
  return field_text(weekdays, 0, 6, ListStyle::tidy);
}

Emitter::DayTexts Emitter::specials(const Days& days, const std::string& month, const std::string& rest) {
  DayTexts out(&memory_);
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

void Emitter::add_specials_of_week(const Days& days, const DayText& base) {
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

}  // namespace english_cron
