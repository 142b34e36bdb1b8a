#include "base/text.h"
#include "definition/build.h"
#include "english_cron/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::definition {
namespace {

using std::chrono::sys_seconds;

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  const char* const first = text.data();
  const char* const last = first + count;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc() || end != last || *first == '-') return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// "+01:00" at the end of the local form of an instant.
std::chrono::seconds offset_at(sys_seconds time, std::string_view zone) {
  const auto local = english_cron::format_local(time, zone);
  if (local.size() < 6 || local.ends_with('Z')) return std::chrono::seconds{0};
  std::string_view tail = std::string_view(local).substr(local.size() - 6);
  const bool west = tail[0] == '-';
  tail.remove_prefix(1);
  const auto hours = take_digits(tail, 2);
  const auto minutes = take(tail, ':') ? take_digits(tail, 2) : std::nullopt;
  const std::chrono::seconds offset{(hours.value_or(0) * 60 + minutes.value_or(0)) * 60};
  return west ? -offset : offset;
}

// "2026-01-05", "2026-01-05T09:30", "2026-01-05 09:30:00+01:00", "…Z"; without an offset in the zone.
std::optional<sys_seconds> parse_anchor(std::string_view text, std::string_view zone) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  const auto m = take(text, '-') ? take_digits(text, 2) : std::nullopt;
  const auto d = take(text, '-') ? take_digits(text, 2) : std::nullopt;
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  sys_seconds time = sys_days(date);
  if (take(text, 'T') || take(text, 't') || take(text, ' ')) {
    const int hour = take_digits(text, 2).value_or(-1);
    const int minute = take(text, ':') ? take_digits(text, 2).value_or(-1) : -1;
    const int second = take(text, ':') ? take_digits(text, 2).value_or(-1) : 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
    time += hours(hour) + minutes(minute) + seconds(second);
  }
  if (take(text, 'Z') || take(text, 'z')) return text.empty() ? std::optional(time) : std::nullopt;
  if (!text.empty()) {
    const bool west = text[0] == '-';
    if (!take(text, '+') && !take(text, '-')) return std::nullopt;
    const auto h = take_digits(text, 2);
    take(text, ':');
    const auto min = take_digits(text, 2);
    if (!h || !min || !text.empty()) return std::nullopt;
    const auto offset = hours(*h) + minutes(*min);
    return west ? time + offset : time - offset;
  }
  // Twice, since the offset is asked for at an instant that is itself off by the offset.
  const auto guess = time - offset_at(time, zone);
  return time - offset_at(guess, zone);
}

}  // namespace

std::string_view to_string(Overlap overlap) {
  constexpr std::array<std::string_view, 4> kNames = {"skip", "queueOne", "allow", "cancelOld"};
  return kNames[static_cast<std::size_t>(overlap)];
}

After build_after(Context& context, const Node& root) {
  After after;
  const Node* within = child(child(&root, "schedule"), "after");
  const Node* node = child(&root, "after");
  if (within != nullptr && node != nullptr)
    context.error(*within, "\"after\" and \"schedule.after\" say the same thing", "keep one of them");
  if (node == nullptr) node = within;
  if (node == nullptr) return after;
  for (const auto on : {After::On::success, After::On::failure, After::On::always}) {
    if (to_string(on) == text_of(node, "on")) after.on = on;
  }
  if (text_of(node, "wait") == "any") after.wait = After::Wait::any;
  const Node* names = child(node, "names");
  if (names == nullptr) return after;
  for (const auto& entry : names->entries) {
    const auto& name = entry.value->value;
    if (trim(name).empty()) {
      context.error(*entry.value, "\"after\" holds an empty name");
    } else if (std::find(after.names.begin(), after.names.end(), name) != after.names.end()) {
      context.error(*entry.value, fmt::format("after: \"{}\" is named twice", printable(name, 60)));
    }
    after.names.push_back(name);
    after.places.push_back(entry.value->place());
  }
  if (after.names.empty())
    context.error(*node, "\"after\" names nothing", "write after: [Country, Currency]");
  return after;
}

Pacing build_pacing(Context& context, const Node& loader) {
  constexpr std::chrono::hours kMostJitter{24};
  const Node* node = child(&loader, "schedule");
  Pacing pacing;
  for (const auto overlap : {Overlap::skip, Overlap::queue_one, Overlap::allow, Overlap::cancel_old}) {
    if (to_string(overlap) == text_of(node, "overlap")) pacing.overlap = overlap;
  }
  pacing.jitter = duration_of(node, "jitter").value_or(pacing.jitter);
  if (pacing.jitter > kMostJitter)
    context.error(*child(node, "jitter"), "jitter is a day at most", "write 1d or less");
  return pacing;
}

std::optional<english_cron::Translation> build_schedule(Context& context, const Node& loader,
                                                        const Known& known, std::string_view what,
                                                        const After& after, ScheduleSpec& schedule) {
  const Node* node = child(&loader, "schedule");
  const Node* start = child(node, "start");
  if (start == nullptr) start = child(node, "cronExpression");
  schedule.place = start != nullptr ? start->place() : node != nullptr ? node->place() : loader.place();
  schedule.timezone = text_of(node, "timezone", known.service.timezone);
  schedule.anchor = text_of(node, "anchor");
  const bool loads = what != "a job";
  const auto on_start = text_of(node, "runOnStartup",
                                !loads        ? "never"
                                : context.nox ? "always"
                                              : "ifNeverLoaded");
  if (!loads && on_start == "ifNeverLoaded")
    context.error(*child(node, "runOnStartup"), "runOnStartup: a job loads nothing",
                  "write never, always or ifMissed");
  for (const auto when :
       {RunOnStartup::never, RunOnStartup::always, RunOnStartup::if_missed, RunOnStartup::if_never_loaded}) {
    if (to_string(when) == on_start) schedule.run_on_startup = when;
  }
  for (const auto missed : {Missed::skip, Missed::once, Missed::all}) {
    if (to_string(missed) == text_of(node, "missed")) schedule.missed = missed;
  }
  schedule.catch_up_window = duration_of(node, "catchUpWindow").value_or(schedule.catch_up_window);
  schedule.timeout = duration_of(node, "timeout").value_or(schedule.timeout);
  const Node* retry = child(node, "retry");
  if (const auto limit = integer_of(retry, "limit")) schedule.retry.limit = static_cast<int>(*limit);
  schedule.retry.delay = duration_of(retry, "delay").value_or(schedule.retry.delay);
  schedule.retry.exponential = text_of(retry, "backoff", "exponential") == "exponential";
  if (const auto doublings = integer_of(retry, "doubleDelayLimit"))
    schedule.retry.double_delay_limit = static_cast<int>(*doublings);
  schedule.retry.max_delay = duration_of(retry, "maxDelay").value_or(schedule.retry.max_delay);
  if (schedule.retry.max_delay < schedule.retry.delay) schedule.retry.max_delay = schedule.retry.delay;

  if (start == nullptr) {
    if (loader.lost("schedule") || loader.lost("after")) return std::nullopt;
    if (node != nullptr && (node->lost("start") || node->lost("after"))) return std::nullopt;
    if (!after.names.empty()) {
      schedule.manual = true;
      return english_cron::Translation{};
    }
    context.error(node == nullptr ? loader : *node, fmt::format("{} needs \"schedule\": when it runs", what),
                  what == "a job" ? "write schedule: every day at 2am, after: Country, or schedule: manual"
                                  : "write schedule: every day at 2am, or schedule: manual");
    return std::nullopt;
  }
  if (!english_cron::is_known_zone(schedule.timezone)) {
    if (const Node* zone = child(node, "timezone"))
      context.error(*zone, fmt::format("there is no time zone \"{}\"", printable(zone->value, 60)),
                    "write an IANA name, like Europe/Zurich");
    schedule.timezone = "UTC";
  }
  const auto phrase = trim(start->value);
  if (iequals(phrase, "manual")) {
    schedule.manual = true;
    return english_cron::Translation{};
  }
  if (phrase.empty()) {
    context.error(*start, "the schedule is empty", "write every day at 2am, or manual");
    return std::nullopt;
  }
  schedule.phrase = start->value;
  english_cron::TranslateOptions options{schedule.timezone, std::nullopt};
  if (!schedule.anchor.empty()) {
    options.anchor = parse_anchor(schedule.anchor, schedule.timezone);
    if (!options.anchor)
      context.error(*child(node, "anchor"),
                    fmt::format("anchor: \"{}\" is not a date-time", printable(schedule.anchor, 40)),
                    "write 2026-01-05 or 2026-01-05T09:30:00Z");
  }
  auto translation = english_cron::translate(start->value, options);
  if (!translation) {
    const auto& error = translation.error();
    auto message = fmt::format("schedule: {}", error.message);
    context.error(place_within(context.document, *start, error.offset), std::move(message),
                  error.suggestion.empty() ? "" : fmt::format("write \"{}\"", error.suggestion));
    return std::nullopt;
  }
  return std::move(*translation);
}

}  // namespace sluice::definition
