#include "service/schedule_text.h"

#include "english_cron/translation.h"

#include <date/tz.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace sluice::service {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

ScheduleAnswer refusal(const ScheduleQuestion& question, const english_cron::PhraseError& error) {
  ScheduleAnswer result;
  Json json;
  json["phrase"] = question.phrase;
  json["ok"] = false;
  json["error"] = {{"offset", error.offset},
                   {"length", error.length},
                   {"message", error.message},
                   {"suggestion", error.suggestion.empty() ? Json(nullptr) : Json(error.suggestion)}};
  result.json = dump(json);

  // The caret stands under the word as printed: bytes that continue a UTF-8 character take no column.
  const auto columns = [&question](std::size_t from, std::size_t to) {
    std::size_t count = 0;
    for (std::size_t i = from; i < to && i < question.phrase.size(); ++i) {
      if ((static_cast<unsigned char>(question.phrase[i]) & 0xC0) != 0x80) ++count;
    }
    return count;
  };
  const std::size_t width = columns(error.offset, error.offset + error.length);
  result.text = fmt::format("{}\n{}{}\n  {}\n", question.phrase, std::string(columns(0, error.offset), ' '),
                            std::string(std::max<std::size_t>(1, width), '^'), error.message);
  if (!error.suggestion.empty()) result.text += fmt::format("  did you mean \"{}\"?\n", error.suggestion);
  return result;
}

std::string weekday_of(std::chrono::sys_seconds time, std::string_view zone) {
  const std::string local = english_cron::format_local(time, zone);
  std::chrono::year_month_day day{};
  int year = 0;
  unsigned month = 0;
  unsigned number = 0;
  if (std::sscanf(local.c_str(), "%d-%u-%u", &year, &month, &number) == 3) {
    day = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(number);
  }
  static constexpr std::string_view kNames[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  return std::string(kNames[std::chrono::weekday(std::chrono::sys_days(day)).c_encoding()]);
}

// Minutes east of UTC, as the local text of the time ends: "…+05:30". Seconds of long ago are left out.
int offset_at(std::chrono::sys_seconds time, std::string_view zone) {
  const std::string local = english_cron::format_local(time, zone);
  const std::size_t sign = local.find_first_of("+-", local.find('T'));
  int hours = 0;
  int minutes = 0;
  if (sign == std::string::npos || std::sscanf(local.c_str() + sign + 1, "%d:%d", &hours, &minutes) != 2)
    return 0;
  return (local[sign] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

// What the clocks did between two runs: "clocks forward 1:00", and whether this run stands at the end of the
// skipped hour, where the runs inside it go. Empty when nothing happened.
std::string clock_mark(std::chrono::sys_seconds before, std::chrono::sys_seconds time,
                       std::string_view zone) {
  const int shift = offset_at(time, zone) - offset_at(before, zone);
  const bool at_gap = offset_at(time - std::chrono::seconds(1), zone) < offset_at(time, zone);
  if (shift == 0 && !at_gap) return {};
  if (at_gap)
    return fmt::format("  <- the clocks skip to {}", english_cron::format_local(time, zone).substr(11, 5));
  const int size = std::abs(shift);
  return fmt::format("  <- clocks {} {}:{:02}", shift > 0 ? "forward" : "back", size / 60, size % 60);
}

// Digits where the shape has a 0, else its very characters: sscanf would take signs and blanks within a
// number.
bool begins_like(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) return false;
  }
  return true;
}

}  // namespace

std::vector<std::chrono::sys_seconds> next_times(const english_cron::Schedule& schedule, Timestamp from,
                                                 int count, bool inclusive) {
  std::vector<std::chrono::sys_seconds> times;
  while (static_cast<int>(times.size()) < count) {
    const auto next = schedule.next(from, inclusive);
    if (!next) break;
    times.push_back(*next);
    from = *next;
    inclusive = false;
  }
  return times;
}

namespace {

template <class Definition>
std::vector<std::chrono::sys_seconds> times_of(const Definition& definition, Timestamp from, int count) {
  const auto schedule = english_cron::Schedule::compile(definition.schedule);
  if (!schedule || definition.spec.schedule.manual) return {};
  return next_times(*schedule, from, count);
}

}  // namespace

std::vector<std::chrono::sys_seconds> next_times(const definition::LoaderDefinition& loader, Timestamp from,
                                                 int count) {
  return times_of(loader, from, count);
}

std::vector<std::chrono::sys_seconds> next_times(const definition::TaskDefinition& task, Timestamp from,
                                                 int count) {
  return times_of(task, from, count);
}

ScheduleAnswer answer(const ScheduleQuestion& question) {
  const auto translation = english_cron::translate(question.phrase, {.zone = question.zone, .anchor = {}});
  if (!translation) return refusal(question, translation.error());
  const auto schedule = english_cron::Schedule::compile(*translation);
  if (!schedule) return refusal(question, schedule.error());
  const auto times = next_times(*schedule, question.from, question.count, question.inclusive);

  Json json;
  json["phrase"] = question.phrase;
  json["ok"] = true;
  json["crons"] = translation->crons;
  json["every"] = nullptr;
  if (translation->every) {
    json["every"] = {{"n", translation->every->n},
                     {"unit", std::string(english_cron::to_string(translation->every->unit))},
                     {"anchor", format_utc(translation->every->anchor)}};
  }
  json["zone"] = translation->zone;
  json["exact"] = translation->exact;
  json["english"] = translation->english;
  json["next"] = Json::array();
  for (const auto time : times) json["next"].push_back(english_cron::format_local(time, translation->zone));
  json["warnings"] = translation->warnings;

  ScheduleAnswer result{.ok = true, .json = dump(json), .text = {}};
  result.text = fmt::format("{}\n", question.phrase.empty() ? "(blank)" : question.phrase);
  std::string_view label = "cron";
  for (const auto& cron : translation->crons) {
    result.text += fmt::format("  {:<8} {}\n", label, cron);
    label = "";
  }
  if (translation->every) {
    result.text += fmt::format("  {:<8} {} {}, counted from {}\n", "every", translation->every->n,
                               english_cron::to_string(translation->every->unit),
                               format_utc(translation->every->anchor));
  }
  result.text +=
      fmt::format("  {:<8} {}\n  {:<8} {}\n", "zone", translation->zone, "means", translation->english);
  label = "next";
  auto before = std::chrono::floor<std::chrono::seconds>(question.from);
  for (const auto time : times) {
    result.text += fmt::format("  {:<8} {} {}{}\n", label, weekday_of(time, translation->zone),
                               english_cron::format_local(time, translation->zone),
                               clock_mark(before, time, translation->zone));
    label = "";
    before = time;
  }
  if (times.empty() && question.count > 0) result.text += fmt::format("  {:<8} never\n", "next");
  for (const auto& warning : translation->warnings)
    result.text += fmt::format("  {:<8} {}\n", "warning", warning);
  return result;
}

Result<Timestamp> parse_time(std::string_view text, std::string_view zone) {
  const auto unreadable = [&] {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "\"{}\" is not a time; write it as 2026-01-05T09:30:00Z, 2026-01-05T09:30+01:00 or 2026-01-05",
            text));
  };
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  double second = 0;
  int used = 0;
  const std::string copy(text);
  if (!begins_like(copy, "0000-00-00")) return unreadable();
  if (std::sscanf(copy.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) != 3 || used != 10)
    return unreadable();
  const std::chrono::year_month_day date =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  if (!date.ok()) return unreadable();
  std::string_view rest = std::string_view(copy).substr(10);
  if (!rest.empty()) {
    if (rest.front() != 'T' && rest.front() != 't' && rest.front() != ' ') return unreadable();
    rest.remove_prefix(1);
    if (!begins_like(rest, "00:00")) return unreadable();
    int hm = 0;
    if (std::sscanf(std::string(rest).c_str(), "%2u:%2u%n", &hour, &minute, &hm) != 2 || hm != 5 ||
        hour > 23 || minute > 59) {
      return unreadable();
    }
    rest.remove_prefix(5);
    if (!rest.empty() && rest.front() == ':') {
      std::size_t end = 1;
      while (end < rest.size() &&
             (std::isdigit(static_cast<unsigned char>(rest[end])) != 0 || rest[end] == '.'))
        ++end;
      int read = 0;
      const std::string seconds(rest.substr(1, end - 1));
      if (std::sscanf(seconds.c_str(), "%lf%n", &second, &read) != 1 ||
          static_cast<std::size_t>(read) != seconds.size() || second >= 60) {
        return unreadable();
      }
      rest.remove_prefix(end);
    }
  }
  const auto clock = std::chrono::hours(hour) + std::chrono::minutes(minute) +
                     std::chrono::microseconds(static_cast<std::int64_t>(second * 1e6 + 0.5));
  const Timestamp as_utc = std::chrono::sys_days(date) + clock;
  if (rest == "Z" || rest == "z") return as_utc;
  if (!rest.empty()) {
    unsigned oh = 0;
    unsigned om = 0;
    char sign = 0;
    int read = 0;
    const std::string offset(rest);
    if (!begins_like(rest.substr(1), "00:00")) return unreadable();
    const bool colon = std::sscanf(offset.c_str(), "%c%2u:%2u%n", &sign, &oh, &om, &read) == 3;
    if (!colon || static_cast<std::size_t>(read) != offset.size() || (sign != '+' && sign != '-') ||
        oh > 18 || om > 59) {
      return unreadable();
    }
    const auto shift = std::chrono::hours(oh) + std::chrono::minutes(om);
    return sign == '+' ? as_utc - shift : as_utc + shift;
  }
  try {
    const auto* rules = date::locate_zone(std::string(zone));
    return rules->to_sys(date::local_time<std::chrono::microseconds>(as_utc.time_since_epoch()),
                         date::choose::earliest);
  } catch (const std::exception&) {
    return fail(ErrorCode::invalid_argument, fmt::format("unknown time zone \"{}\"", zone));
  }
}

}  // namespace sluice::service
