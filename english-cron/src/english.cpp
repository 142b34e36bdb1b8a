// A schedule back in English. What is written here, the grammar reads as the same schedule.
#include "calendar.h"
#include "cron_fields.h"
#include "english_cron/schedule.h"
#include "english_text.h"
#include "english_told.h"
#include "short_list.h"
#include "vocabulary.h"
#include "zones.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory_resource>
#include <utility>
#include <vector>

namespace english_cron {
namespace {

constexpr std::size_t kMostTimes = 24;

std::string two(std::int64_t value) { return std::string(value < 10 ? "0" : "") + std::to_string(value); }
std::string clock(std::int64_t second) {
  std::string out;
  append_clock(out, second);
  return out;
}

bool same_days(const Told& a, const Told& b) {
  return a.but_last == b.but_last && a.days == b.days && a.months == b.months && a.weekdays == b.weekdays &&
         a.days_before_last == b.days_before_last && a.last_nearest == b.last_nearest &&
         a.nearest == b.nearest && a.nth == b.nth && a.last_weekdays == b.last_weekdays &&
         a.any_day == b.any_day && a.any_weekday == b.any_weekday;
}

using Times = ShortList<int, 1440>;

// "every hour from 22:00 to 02:00", "every hour except at 12:00": even, but for one gap in the middle of the
// day.
bool append_over_midnight(std::string& out, const Times& minutes) {
  if (minutes.size() < 3) return false;
  const int step = minutes.front() + 1440 - minutes.back();
  std::size_t gap = 0;
  for (std::size_t i = 1; i < minutes.size(); ++i) {
    if (minutes[i] - minutes[i - 1] == step) continue;
    if (gap != 0) return false;
    gap = i;
  }
  if (gap == 0) return false;
  int from = minutes[gap];
  int to = minutes[gap - 1];
  const bool excepting = minutes.front() == 0 && 1440 % step == 0 && from - to <= 720;
  if (!excepting && to == 0) return false;  // "to 00:00" ends before the midnight that is meant
  append_step(out, step);
  if (excepting) {  // the shorter part is what is left out
    from = minutes[gap - 1] + step;
    to = minutes[gap] - step;
    out += from == to ? " except at " : " except from ";
    append_clock(out, from * 60);
    if (from == to) return true;
  } else {
    out += " from ";
    append_clock(out, from * 60);
  }
  out += " to ";
  append_clock(out, to * 60);
  return true;
}

// A single evenly spaced run: "every 15 minutes from 09:00 to 17:00". `minutes` of the day.
bool append_even_minutes(std::string& out, const Times& minutes, bool daily) {
  const int step = step_of(minutes);
  if (step == 0) return daily && append_over_midnight(out, minutes);
  append_step(out, step);
  if (minutes.front() == 0 && minutes.back() + step == 1440) return true;
  out += " from ";
  append_clock(out, minutes.front() * 60);
  out += " to ";
  append_clock(out, minutes.back() * 60);
  return true;
}

// Whether a list of values is told as a range, which makes an interval of what reads it.
bool told_as_range(std::uint64_t bits) {
  const Values values = values_of(bits);
  return (bits & bits >> 1) != 0 || (values.size() >= 3 && step_of(values) > 0);
}

// "past every hour" needs every hour; else the hours are listed.
void append_general_times(std::string& out, const CronFields& cron) {
  const bool seconds = cron.seconds != 1;
  const bool every_minute = cron.minutes == (std::uint64_t{1} << 60) - 1;
  const bool every_hour = cron.hours == 0xFFFFFF;
  // Of "*/30" the two values are left: told as a list they would read back as fixed times.
  const bool pairs = cron.interval && !every_hour && !told_as_range(cron.seconds) &&
                     !told_as_range(cron.minutes) && !told_as_range(cron.hours);
  if (seconds) {
    out += "at second ";
    append_numbers(out, cron.seconds, cron.interval, pairs);
    out += ' ';
  }
  if (seconds && every_minute && every_hour) {
    out += "of every minute";
    return;
  }
  out += "at minute ";
  append_numbers(out, cron.minutes, cron.interval, pairs);
  out += " past ";
  if (every_hour) {
    out += "every hour";
    return;
  }
  out += "hour ";
  append_numbers(out, cron.hours, cron.interval && std::popcount(cron.hours) > 1, pairs);
}

using Group = std::pmr::vector<const Told*>;

// Told as one run, hours that share their minutes become one cron again. A fixed time among intervals, the
// end of a window, has to stay a cron of its own, or it would run in both passes of a repeated hour.
bool fixed_times_stay(const Group& crons) {
  return std::all_of(crons.begin(), crons.end(), [&](const Told* fixed) {
    if (fixed->interval) return true;
    if (std::popcount(fixed->hours) != 1 || std::popcount(fixed->minutes) != 1) return false;
    return std::all_of(crons.begin(), crons.end(), [&](const Told* other) {
      return other == fixed || (other->minutes != fixed->minutes && (other->hours & fixed->hours) == 0);
    });
  });
}

// False: these crons have no words in common, each is to be told on its own.
bool append_times(std::string& out, const Group& crons, bool daily) {
  if (const CronFields& only = *crons.front();
      crons.size() == 1 && only.hours == 0xFFFFFF && only.seconds == 1) {
    const Values minutes = values_of(only.minutes);
    const int step = step_of(minutes);
    if (only.interval && step > 0 && minutes.front() == 0 && minutes.back() + step == 60) {
      append_step(out, step);  // the longest lists of times, told without making them
      return true;
    }
  }
  Times times;  // seconds of the day
  bool fixed = true;
  bool on_the_minute = true;
  for (const CronFields* cron : crons) {
    fixed = fixed && !cron->interval;
    on_the_minute = on_the_minute && cron->seconds == 1;
    const auto count = static_cast<std::size_t>(std::popcount(cron->hours) * std::popcount(cron->minutes) *
                                                std::popcount(cron->seconds));
    if (count + times.size() > Times::capacity() || (fixed && count > kMostTimes)) {
      if (crons.size() > 1) return false;
      times.resize(0);
      break;
    }
    for (std::uint64_t h = cron->hours; h != 0; h &= h - 1) {
      for (std::uint64_t m = cron->minutes; m != 0; m &= m - 1) {
        const int minute = std::countr_zero(h) * 60 + std::countr_zero(m);
        for (std::uint64_t s = cron->seconds; s != 0; s &= s - 1)
          times.push_back(minute * 60 + std::countr_zero(s));
      }
    }
  }
  if (crons.size() > 1) {
    std::sort(times.begin(), times.end());
    times.resize(static_cast<std::size_t>(std::unique(times.begin(), times.end()) - times.begin()));
  }
  if (!times.empty() && (fixed || times.size() == 1) && times.size() <= kMostTimes) {
    out += daily ? "every day at " : "at ";
    for (std::size_t i = 0; i < times.size(); ++i) {
      append_joint(out, i, times.size());
      append_clock(out, times[i]);
    }
    return true;
  }
  if (crons.size() == 1 && on_the_minute && crons.front()->hours == 0xFFFFFF && times.size() == 24 &&
      times.front() != 0) {
    out += "every hour at minute ";
    append_number(out, std::countr_zero(crons.front()->minutes));
    return true;
  }
  if (on_the_minute && !times.empty() && (crons.size() == 1 || fixed_times_stay(crons))) {
    for (int& time : times) time /= 60;
    if (append_even_minutes(out, times, daily)) return true;
  }
  if (crons.size() > 1) return false;
  const CronFields& cron = *crons.front();
  const bool whole_day = cron.minutes == (std::uint64_t{1} << 60) - 1 && cron.hours == 0xFFFFFF;
  const Values seconds = values_of(cron.seconds);
  if (const int step = step_of(seconds);
      whole_day && step > 0 && seconds.front() == 0 && seconds.back() + step == 60) {
    append_unit(out, step, "second");
  } else {
    append_general_times(out, cron);
  }
  return true;
}

// "every 45 seconds": the crons of every hour, together, as one even run through the hour.
bool append_even_seconds(std::string& out, const Group& crons) {
  ShortList<int, 3600> seconds;
  for (const CronFields* cron : crons) {
    const auto count = static_cast<std::size_t>(std::popcount(cron->minutes) * std::popcount(cron->seconds));
    const bool minutes_only = crons.size() == 1 && cron->seconds == 1;
    if (cron->hours != 0xFFFFFF || minutes_only || seconds.size() + count > seconds.capacity()) return false;
    for (std::uint64_t m = cron->minutes; m != 0; m &= m - 1) {
      for (std::uint64_t s = cron->seconds; s != 0; s &= s - 1)
        seconds.push_back(std::countr_zero(m) * 60 + std::countr_zero(s));
    }
  }
  std::sort(seconds.begin(), seconds.end());
  const int step = step_of(seconds);
  if (step == 0 || seconds.front() != 0 || step % 60 == 0 || seconds.back() + step != 3600) return false;
  append_unit(out, step, "second");
  return true;
}

// An interval needs a range or a step in the crons that its words are read back to.
bool has_range(std::uint64_t bits, int size) {
  if ((bits & bits >> 1) != 0) return true;
  const Values values = values_of(bits);
  const int step = step_of(values);
  return step > 0 && (values.size() >= 3 || (values.front() == 0 && values.back() + step == size));
}
bool sayable(const CronFields& cron) {
  return !cron.interval || has_range(cron.seconds, 60) || has_range(cron.minutes, 60) ||
         has_range(cron.hours, 24);
}

// False: some cron has no words.
bool append_crons(std::string& out, const Tolds& crons, std::pmr::memory_resource* memory) {
  if (!std::all_of(crons.begin(), crons.end(), sayable)) return false;
  std::pmr::vector<bool> done(crons.size(), false, memory);
  Group group(memory);
  group.reserve(crons.size());
  const auto add = [&out](const Group& some, const Told& days, bool& told) {
    const std::size_t before = out.size();
    if (before > 0) out += "; ";
    told = append_even_seconds(out, some) || append_times(out, some, !has_day_words(days));
    if (!told) out.resize(before);
    return !told || append_days(out, days);
  };
  for (std::size_t i = 0; i < crons.size(); ++i) {
    if (done[i]) continue;
    group.clear();
    for (std::size_t j = i; j < crons.size(); ++j) {
      if (done[j] || !same_days(crons[i], crons[j])) continue;
      done[j] = true;
      group.push_back(&crons[j]);
    }
    bool told = false;
    if (!add(group, crons[i], told)) return false;
    if (told) continue;
    for (const Told* cron : group) {
      const Group one({cron}, memory);
      if (!add(one, crons[i], told)) return false;
    }
  }
  return true;
}

std::string date_text(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) +
         "-" + two(static_cast<unsigned>(date.day()));
}

std::string interval_words(const Interval& every, const std::string& zone_name, const std::string& crons) {
  const std::string_view plural = to_string(every.unit);
  std::string out;
  append_unit(out, every.n, plural.substr(0, plural.size() - 1));
  const auto zone = find_zone(zone_name);
  const std::int64_t utc = every.anchor.time_since_epoch().count();
  const std::int64_t local = utc + (zone ? zone->offset_at(utc) : 0);
  const std::int64_t day = local >= 0 ? local / kDaySeconds : (local - kDaySeconds + 1) / kDaySeconds;
  const std::int64_t second = local - day * kDaySeconds;
  constexpr std::int64_t kFirstMonday = 4;
  if (every.unit == Unit::seconds || every.unit == Unit::minutes || every.unit == Unit::hours) {
    if (utc != kFirstMonday * kDaySeconds) out += " starting " + date_text(day) + " at " + clock(second);
    return out;
  }
  const bool week_of_epoch = every.unit == Unit::weeks && day >= kFirstMonday && day < kFirstMonday + 7;
  if (!crons.empty()) {
    out += " " + crons;
  } else {
    if (every.unit == Unit::weeks) out += " on " + std::string(weekday_name(static_cast<int>((day + 4) % 7)));
    out += " at " + clock(second);
  }
  if (!week_of_epoch) out += " starting " + date_text(day);
  return out;
}

// The zone's name, unless a phrase would take it for another zone: "EST" for New York's.
std::string zone_words(const std::string& zone) {
  std::string name;
  for (const char c : zone) name += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  const Entry* word = find_word(name);
  if (word == nullptr || (word->word == Word::zone && zone_of(*word).zone == zone)) return zone;
  const auto table = find_zone(zone);
  const std::int64_t today =
      std::int64_t{1767225600};  // 2026: zones of one word have no daylight saving time
  const int hours = table ? table->offset_at(today) / 3600 : 0;
  return "Etc/GMT" + std::string(hours < 0 ? "+" : "-") + std::to_string(std::abs(hours));  // POSIX signs
}

}  // namespace

std::string explain(const Translation& translation) {
  if (translation.never()) return "never";
  std::array<std::byte, 4096> stack;  // of the usual few crons; more of them go to the heap
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  Tolds crons(&memory);
  crons.reserve(translation.crons.size());
  for (const std::string& text : translation.crons) {
    auto fields = parse_cron(text);
    if (!fields) return text;
    crons.push_back({*fields});
    // All days of the weeks or months that are picked, not just one.
    Told& all = crons.back();
    if (translation.every && all.any_day && all.any_weekday) {
      all.any_weekday = translation.every->unit != Unit::weeks;
      all.any_day = translation.every->unit != Unit::months;
    }
  }
  if (crons.size() > 1) put_together(crons);
  const bool named = (translation.zone_in_phrase || translation.zone != "UTC") && !translation.zone.empty();
  const std::string zone = named ? zone_words(translation.zone) : "";
  const std::size_t zone_size = named ? zone.size() + 4 : 0;
  std::string out;
  out.reserve(96 + zone_size);
  if (!crons.empty()) {
    if (!append_crons(out, crons, &memory)) out.clear();
    if (translation.every && out.starts_with("every day ")) out.erase(0, 10);
  }
  if (translation.every) out = interval_words(*translation.every, translation.zone, out);
  // Crons alone would lose the interval, however long its words are.
  if (!out.empty() && (translation.every || out.size() + zone_size <= kMaxPhraseLength)) {
    if (named) out.append(" in ").append(zone);
    return out;
  }
  // Too long or without words: the cron text says it best, and is read back as well.
  out.clear();
  for (const std::string& text : translation.crons) out += (out.empty() ? "" : "; ") + text;
  if (named) out += " " + zone;
  return out.size() > kMaxPhraseLength && !translation.english.empty() ? translation.english : out;
}

}  // namespace english_cron
