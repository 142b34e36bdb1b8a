// What holds for any phrase; broken promises end the process, as libFuzzer wants it.
#pragma once

#include "english_cron/schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace english_cron::fuzz {

inline void broken(const char* what, std::string_view phrase) {
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(phrase.size()), phrase.data());
  std::abort();
}

// Runs from now on, and through the repeated hours of autumn in a zone that has them.
inline std::vector<std::chrono::sys_seconds> runs(Translation translation) {
  // The anchor of a true interval is an instant of its own zone: it stays there.
  if (translation.zone == "UTC" && !translation.every) translation.zone = "Europe/Zurich";
  const auto schedule = Schedule::compile(translation);
  if (!schedule) return {};
  const std::chrono::sys_seconds spring{std::chrono::sys_days(std::chrono::year(2026) / 3 / 28)};
  const std::chrono::sys_seconds autumn{std::chrono::sys_days(std::chrono::year(2026) / 10 / 24)};
  auto out = schedule->between(spring, spring + std::chrono::days(4000), 40);
  const auto more = schedule->between(autumn + std::chrono::hours(22), autumn + std::chrono::hours(28), 400);
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

inline void check_phrase(std::string_view phrase) {
  const std::size_t size = phrase.size();
  const auto translation = translate(phrase);
  if (!translation) {
    const auto& error = translation.error();
    if (error.offset + error.length > size || error.message.empty()) broken("an error outside", phrase);
    return;
  }
  if (size > kMaxPhraseLength) broken("too long, and accepted", phrase);
  const auto schedule = Schedule::compile(*translation);
  if (!schedule) broken("does not compile", phrase);
  const std::chrono::sys_seconds from{std::chrono::sys_days(std::chrono::year(2026) / 3 / 28)};
  const auto next = schedule->next(from);
  if (next && (*next <= from || schedule->previous(*next, true) != next))
    broken("next and previous disagree", phrase);
  if (!translation->exact && translation->warnings.empty()) broken("inexact without a warning", phrase);
  if (translation->english.size() > kMaxPhraseLength) broken("too long to be read back", phrase);
  const auto again = translate(translation->english);
  if (!again) broken("not read back", phrase);
  // A zone may come back by another name of the same rules (EST as Etc/GMT+5): the runs tell. Those of UTC
  // are looked at in another zone, so UTC must stay UTC.
  const bool utc = translation->zone == "UTC";
  if (again->never() != translation->never() || (again->zone == "UTC") != utc ||
      runs(*again) != runs(*translation))
    broken("read back as another schedule", phrase);
}

}  // namespace english_cron::fuzz
