// A schedule back in English. What is written here, the grammar reads as the same schedule.
#include "cron_fields.h"
#include "english_cron/schedule.h"
#include "vocabulary.h"
#include "zones.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <optional>
#include <vector>

namespace english_cron {
namespace {

constexpr std::int64_t kDaySeconds = 86400;
constexpr std::size_t kMostTimes = 24;

std::string two(std::int64_t value) { return std::string(value < 10 ? "0" : "") + std::to_string(value); }
std::string clock(std::int64_t second) {
  std::string out = two(second / 3600) + ":" + two(second / 60 % 60);
  if (second % 60 != 0) out += ":" + two(second % 60);
  return out;
}

std::string ordinal(int n) {
  const bool teen = n / 10 % 10 == 1;
  const char* suffix =
      teen ? "th" : (n % 10 == 1 ? "st" : (n % 10 == 2 ? "nd" : (n % 10 == 3 ? "rd" : "th")));
  return std::to_string(n) + suffix;
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " and " : ", ";
    out += parts[i];
  }
  return out;
}

std::vector<int> values_of(std::uint64_t bits) {
  std::vector<int> out;
  for (; bits != 0; bits &= bits - 1) out.push_back(std::countr_zero(bits));
  return out;
}

// Runs of three and more as "a through b".
template <typename Name>
std::string name_list(std::uint64_t bits, Name name) {
  const std::vector<int> values = values_of(bits);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i;
    while (end + 1 < values.size() && values[end + 1] == values[end] + 1) ++end;
    if (end - i >= 2) {
      parts.push_back(name(values[i]) + " through " + name(values[end]));
      i = end + 1;
    } else {
      parts.push_back(name(values[i++]));
    }
  }
  return join(parts);
}

// "0 through 55 in steps of 5" when a range or step made the cron an interval.
std::string number_list(std::uint64_t bits, bool ranges) {
  const std::vector<int> values = values_of(bits);
  if (ranges && values.size() >= 3) {
    const int step = values[1] - values[0];
    bool even = true;
    for (std::size_t i = 1; i < values.size(); ++i) even = even && values[i] - values[i - 1] == step;
    if (even) {
      const std::string range = std::to_string(values.front()) + " through " + std::to_string(values.back());
      return step == 1 ? range : range + " in steps of " + std::to_string(step);
    }
  }
  if (ranges) return name_list(bits, [](int v) { return std::to_string(v); });
  std::vector<std::string> parts;
  for (const int v : values) parts.push_back(std::to_string(v));
  return join(parts);
}

std::string unit_text(int n, std::string_view unit) {
  return n == 1 ? "every " + std::string(unit) : "every " + std::to_string(n) + " " + std::string(unit) + "s";
}

std::string step_text(int minutes) {
  return minutes % 60 == 0 ? unit_text(minutes / 60, "hour") : unit_text(minutes, "minute");
}

bool same_days(const CronFields& a, const CronFields& b) {
  return a.days == b.days && a.months == b.months && a.weekdays == b.weekdays &&
         a.days_before_last == b.days_before_last && a.last_nearest == b.last_nearest &&
         a.nearest == b.nearest && a.nth == b.nth && a.last_weekdays == b.last_weekdays &&
         a.any_day == b.any_day && a.any_weekday == b.any_weekday;
}

std::string weekday_list(std::uint8_t bits) {
  if (bits == 0b0111110) return "weekdays";
  if (bits == 0b1000001) return "weekends";
  return name_list(bits, [](int v) { return std::string(weekday_name(v)); });
}

struct DayWords {
  std::string text;  // " on weekdays in july", or empty for every day
  bool after_comma = false;
};

// No words for L-nW: nothing.
std::optional<DayWords> day_words(const CronFields& cron) {
  DayWords out;
  std::string week;
  if (!cron.any_weekday) {
    if (cron.weekdays != 0) week = weekday_list(cron.weekdays);
    for (std::size_t k = 1; k <= 5; ++k) {
      if (cron.nth[k] != 0)
        week = "the " + ordinal(static_cast<int>(k)) + " " +
               std::string(weekday_name(std::countr_zero(cron.nth[k]))) + " of the month";
    }
    if (cron.last_weekdays != 0)
      week = "the last " + std::string(weekday_name(std::countr_zero(cron.last_weekdays))) + " of the month";
  }
  if (cron.any_day) {
    if (!week.empty()) out.text = " on " + week;
  } else {
    if (cron.days != 0) {
      out.text = " on the " + name_list(cron.days, [](int v) { return ordinal(v); }) + " of the month";
    } else if (cron.days_before_last == 1) {
      out.text = " on the last day of the month";
    } else if (cron.days_before_last != 0) {
      const int n = std::countr_zero(cron.days_before_last);
      out.text = ", " + std::to_string(n) + (n == 1 ? " day" : " days") + " before the end of the month";
    } else if (cron.last_nearest == 1) {
      out.text = " on the last weekday of the month";
    } else if (cron.nearest != 0) {
      out.text = " on the weekday nearest the " + ordinal(std::countr_zero(cron.nearest)) + " of the month";
    } else {
      return std::nullopt;
    }
    if (!week.empty()) {
      const bool plural = week == "weekdays" || week == "weekends";
      out.text += " if it is " + (plural ? "a " + week.substr(0, week.size() - 1) : week);
    }
  }
  if (cron.months != 0x1FFE)
    out.text += " in " + name_list(cron.months, [](int v) { return std::string(month_name(v)); });
  return out;
}

// A single evenly spaced run of minutes: "every 15 minutes from 09:00 to 17:00".
std::optional<std::string> even_minutes(const std::vector<int>& minutes) {
  if (minutes.size() < 2) return std::nullopt;
  const int step = minutes[1] - minutes[0];
  for (std::size_t i = 1; i < minutes.size(); ++i) {
    if (minutes[i] - minutes[i - 1] != step) return std::nullopt;
  }
  if (minutes.front() == 0 && minutes.back() + step == 1440) return step_text(step);
  return step_text(step) + " from " + clock(minutes.front() * 60) + " to " + clock(minutes.back() * 60);
}

// "past every hour" needs every hour; else the hours are listed.
std::string general_times(const CronFields& cron) {
  std::string out;
  const bool seconds = cron.seconds != 1;
  if (seconds) out = "at second " + number_list(cron.seconds, true) + " ";
  const bool every_minute = cron.minutes == (std::uint64_t{1} << 60) - 1;
  const bool every_hour = cron.hours == 0xFFFFFF;
  if (seconds && every_minute && every_hour) return out + "of every minute";
  const bool hour_range = cron.interval && (values_of(cron.hours).size() > 1);
  out += "at minute " + number_list(cron.minutes, cron.interval) + " past ";
  return out + (every_hour ? "every hour" : "hour " + number_list(cron.hours, hour_range));
}

std::string time_words(const std::vector<const CronFields*>& crons, bool daily, bool& separate) {
  separate = false;
  std::vector<int> times;  // seconds of the day
  bool fixed = true;
  bool on_the_minute = true;
  for (const CronFields* cron : crons) {
    fixed = fixed && !cron->interval;
    on_the_minute = on_the_minute && cron->seconds == 1;
    const std::size_t count = static_cast<std::size_t>(
        std::popcount(cron->hours) * std::popcount(cron->minutes) * std::popcount(cron->seconds));
    if (count + times.size() > 1440 || (fixed && count > kMostTimes)) {
      separate = crons.size() > 1;
      break;
    }
    for (const int h : values_of(cron->hours)) {
      for (const int m : values_of(cron->minutes)) {
        for (const int s : values_of(cron->seconds)) times.push_back(h * 3600 + m * 60 + s);
      }
    }
  }
  if (separate) return {};
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  if (!times.empty() && (fixed || times.size() == 1) && times.size() <= kMostTimes) {
    std::vector<std::string> parts;
    for (const int time : times) parts.push_back(clock(time));
    return (daily ? "every day at " : "at ") + join(parts);
  }
  if (on_the_minute && !times.empty()) {
    std::vector<int> minutes;
    for (const int time : times) minutes.push_back(time / 60);
    if (auto even = even_minutes(minutes)) return *even;
  }
  if (crons.size() > 1) {
    separate = true;
    return {};
  }
  const CronFields& cron = *crons.front();
  const std::vector<int> seconds = values_of(cron.seconds);
  const bool whole_day = cron.minutes == (std::uint64_t{1} << 60) - 1 && cron.hours == 0xFFFFFF;
  if (whole_day && seconds.size() > 1 && seconds.front() == 0) {
    const int step = seconds[1];
    bool even = seconds.back() + step == 60;
    for (std::size_t i = 1; i < seconds.size(); ++i) even = even && seconds[i] - seconds[i - 1] == step;
    if (even) return unit_text(step, "second");
  }
  return general_times(cron);
}

// "every 45 seconds": the crons of every hour, together, as one even run through the hour.
std::optional<std::string> even_seconds(const std::vector<const CronFields*>& crons) {
  std::vector<int> seconds;
  for (const CronFields* cron : crons) {
    if (cron->hours != 0xFFFFFF) return std::nullopt;
    for (const int m : values_of(cron->minutes)) {
      for (const int s : values_of(cron->seconds)) seconds.push_back(m * 60 + s);
    }
  }
  std::sort(seconds.begin(), seconds.end());
  if (seconds.size() < 2 || seconds.front() != 0) return std::nullopt;
  const int step = seconds[1];
  if (step % 60 == 0 || seconds.back() + step != 3600) return std::nullopt;
  for (std::size_t i = 1; i < seconds.size(); ++i) {
    if (seconds[i] - seconds[i - 1] != step) return std::nullopt;
  }
  return unit_text(step, "second");
}

std::optional<std::string> cron_words(const std::vector<CronFields>& crons) {
  std::string out;
  std::vector<bool> done(crons.size(), false);
  const auto add = [&out](const std::string& times, const DayWords& days) {
    if (!out.empty()) out += "; ";
    out += times + days.text;
  };
  for (std::size_t i = 0; i < crons.size(); ++i) {
    if (done[i]) continue;
    const auto days = day_words(crons[i]);
    if (!days) return std::nullopt;
    std::vector<const CronFields*> group;
    for (std::size_t j = i; j < crons.size(); ++j) {
      if (done[j] || !same_days(crons[i], crons[j])) continue;
      done[j] = true;
      group.push_back(&crons[j]);
    }
    if (const auto even = even_seconds(group)) {
      add(*even, *days);
      continue;
    }
    bool separate = false;
    const std::string times = time_words(group, days->text.empty(), separate);
    if (!separate) {
      add(times, *days);
      continue;
    }
    for (const CronFields* cron : group) add(time_words({cron}, days->text.empty(), separate), *days);
  }
  return out;
}

std::string date_text(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) +
         "-" + two(static_cast<unsigned>(date.day()));
}

std::string interval_words(const Interval& every, const std::string& zone_name, const std::string& crons) {
  const std::string_view plural = to_string(every.unit);
  std::string out = unit_text(every.n, plural.substr(0, plural.size() - 1));
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

}  // namespace

std::string explain(const Translation& translation) {
  if (translation.never()) return "never";
  std::vector<CronFields> crons;
  for (const std::string& text : translation.crons) {
    auto fields = parse_cron(text);
    if (!fields) return text;
    crons.push_back(*fields);
  }
  const bool named = translation.zone_in_phrase || translation.zone != "UTC";
  const std::string zone = named && !translation.zone.empty() ? " in " + translation.zone : "";
  std::string out;
  if (!crons.empty()) {
    const auto words = cron_words(crons);
    out = words ? *words : "";
    if (translation.every && out.starts_with("every day ")) out.erase(0, 10);
  }
  if (translation.every) out = interval_words(*translation.every, translation.zone, out);
  // Crons alone would lose the interval, however long its words are.
  const bool readable = !out.empty() && (translation.every || out.size() + zone.size() <= kMaxPhraseLength);
  if (!readable) {
    // Too long or without words: the cron text says it best, and is read back as well.
    out.clear();
    for (const std::string& text : translation.crons) out += (out.empty() ? "" : "; ") + text;
    if (named) out += " " + translation.zone;
    return out.size() > kMaxPhraseLength && !translation.english.empty() ? translation.english : out;
  }
  return out + zone;
}

}  // namespace english_cron
