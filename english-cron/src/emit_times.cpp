// Times of day, as the second, minute and hour fields of crons.
#include "emitter.h"
#include "short_list.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace english_cron {

bool Emitter::emit_times() {
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
    times_.push_back({bare_month ? "1 1" : "0 0", false});  // monthly and yearly run at 01:01, as Nox has it
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

bool Emitter::emit_moments() {
  if (!plan_.windows.empty())
    return refuse(plan_.windows.front().span, "a window goes with an interval, not with times of day",
                  "every hour");
  if (plan_.minute_list != 0 || plan_.hour_list != 0 || plan_.second_list != 0) {
    return refuse(Span{}, "times of day and minutes of the hour: separate whole schedules with \";\"", ";");
  }
  std::uint64_t seconds = 0;
  for (const int moment : plan_.moments) seconds |= std::uint64_t{1} << (moment % 60);
  for (; seconds != 0; seconds &= seconds - 1) {
    const int second = std::countr_zero(seconds);
    Minutes minutes;
    for (const int moment : plan_.moments) {
      if (moment % 60 == second) minutes.add(moment / 60);
    }
    Minutes none;
    remove_excepted(minutes, none);
    add_times(minutes, std::uint64_t{1} << second, ListStyle::fixed, ListStyle::fixed, false);
  }
  return !times_.empty() || refuse(plan_.except_windows.front().span, "no run is left");
}

bool Emitter::fine_times(Minutes& today, Minutes& next) {
  const int step = fine_minutes();
  if (plan_.minute_list != 0 || plan_.hour_list != 0) {
    const bool minutes = plan_.fine->unit != Unit::hours;
    if (minutes && step != 1 && (plan_.minute_list != 0 || 60 % step != 0)) {
      return refuse(plan_.fine->span, "an interval of minutes and minutes of the hour contradict each other",
                    "every hour");
    }
    Minutes grid;
    if (minutes && plan_.minute_list == 0) {
      for (int m = 0; m < 1440; m += step) grid.add(m);
    } else if (plan_.fine->unit == Unit::hours) {
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
    for (const Window& window : plan_.windows) {
      if (!window.open || window.from == 0) {
        fill(window, step, today, next);
      } else if (window.phase && step > 60 && divides()) {
        for (int m = 0; m < 1440; m += step) today.add((window.from + m) % 1440);
        warn("the interval is counted from the start time around the clock: name an end to stop each day");
      } else {
        fill(window, step, today, next);
        warn("no end is named: it runs until midnight, and starts anew the next day");
      }
    }
    return true;
  }
  if (step < 60 && 60 % step == 0) {
    std::uint64_t every_hour = 0;
    for (int m = 0; m < 60; m += step) every_hour |= std::uint64_t{1} << m;
    today.hours.fill(every_hour);
  } else {
    for (int m = 0; m < 1440; m += step) today.add(m);
  }
  limit(today, next);
  return true;
}

void Emitter::listed_times(Minutes& out) const {
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

void Emitter::fill(const Window& window, int step, Minutes& today, Minutes& next) {
  const int end = window.to < window.from ? window.to + 1440 : window.to;
  int m = window.from;
  for (; m <= end && m < 1440; m += step) today.add(m);
  for (; m <= end; m += step) next.add(m - 1440);
}

void Emitter::limit(Minutes& today, Minutes& next) const {
  if (plan_.windows.empty()) return;
  Minutes inside;
  Minutes after;
  for (const Window& window : plan_.windows) fill(window, 1, inside, after);
  for (std::size_t h = 0; h < 24; ++h) {
    next.hours[h] = today.hours[h] & after.hours[h];
    today.hours[h] &= inside.hours[h];
  }
}

void Emitter::remove_excepted(Minutes& today, Minutes& next) const {
  for (const Window& window : plan_.except_windows) {
    Minutes cut;
    fill(window, 1, cut, cut);
    for (std::size_t h = 0; h < 24; ++h) {
      today.hours[h] &= ~cut.hours[h];
      next.hours[h] &= ~cut.hours[h];
    }
  }
}

bool Emitter::same_day_enough() const {
  return !plan_.days.any() && plan_.months == 0 && !plan_.except.any() && plan_.except_months == 0 &&
         (!plan_.coarse || (plan_.coarse->unit == Unit::days && plan_.coarse->n == 1));
}

bool Emitter::add_seconds(Minutes today, Minutes next) {
  const int n = plan_.fine->n;
  ShortList<std::pair<std::uint64_t, std::uint64_t>, 60>
      minutes_of;  // seconds, and the minutes that have them
  std::array<std::uint64_t, 60> of_minute{};
  for (int s = 0; s < 3600; s += n)
    of_minute[static_cast<std::size_t>(s / 60)] |= std::uint64_t{1} << (s % 60);
  for (std::size_t m = 0; m < 60; ++m) {
    if (of_minute[m] == 0) continue;
    auto known = std::find_if(minutes_of.begin(), minutes_of.end(),
                              [&](const auto& entry) { return entry.first == of_minute[m]; });
    if (known == minutes_of.end()) {
      minutes_of.push_back({of_minute[m], 0});
      known = minutes_of.end() - 1;
    }
    known->second |= std::uint64_t{1} << m;
  }
  std::sort(minutes_of.begin(), minutes_of.end());
  // The end of a window belongs to it to the second: no run at 17:00:10 of "until 17:00".
  std::vector<std::pair<int, bool>> ends;
  for (const Window& window : plan_.windows) {
    const bool following = window.to < window.from && !same_day_enough();
    Minutes& minutes_there = following ? next : today;
    // A window that ends with minute 59 is meant to the end of the hour, as cron describers have it.
    if (window.to % 60 == 59 || !minutes_there.has(window.to)) continue;
    minutes_there.hours[static_cast<std::size_t>(window.to / 60)] &= ~(std::uint64_t{1} << (window.to % 60));
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

void Emitter::add_times(const Minutes& minutes, std::uint64_t seconds, ListStyle minute_style,
                        ListStyle hour_style, bool next_day) {
  const bool fixed = plan_.second_list != 0 ? !plan_.second_range : minute_style == ListStyle::fixed;
  const std::string prefix =
      seconds == 1 ? "" : field_text(seconds, 0, 59, fixed ? ListStyle::fixed : ListStyle::spread) + " ";
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

}  // namespace english_cron
