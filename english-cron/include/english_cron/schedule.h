// Compiled schedule: when does it fire? Cronos' rules for fields and for daylight saving time, see README.md.
#pragma once

#include "english_cron/translation.h"

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace english_cron {

/// Immutable; copies share their state; every member may be called from any thread.
/// Searches look at most 400 years ahead or back (the calendar repeats after that).
class Schedule {
 public:
  using Instant = std::chrono::sys_time<std::chrono::microseconds>;

  /// Fails on a cron text that does not parse or an unknown zone; the error's offset counts within that text.
  static std::expected<Schedule, PhraseError> compile(const Translation& translation);

  /// First occurrence after `after` (or at it, when `inclusive`). None: it never fires again.
  std::optional<std::chrono::sys_seconds> next(Instant after, bool inclusive = false) const;

  /// Last occurrence before `before` (or at it, when `inclusive`).
  std::optional<std::chrono::sys_seconds> previous(Instant before, bool inclusive = false) const;

  /// Occurrences in [from, to], oldest first, at most `limit`.
  std::vector<std::chrono::sys_seconds> between(Instant from, Instant to, std::size_t limit) const;

  /// True when no date can ever match.
  bool never() const;

  struct State;  // defined in schedule.cpp

 private:
  explicit Schedule(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

/// "2026-01-05T09:30:00+01:00"; an unknown zone is shown as UTC.
std::string format_local(std::chrono::sys_seconds time, std::string_view zone);

/// What Translation::english holds: the schedule in words, which translate() reads as the same schedule.
std::string explain(const Translation& translation);

}  // namespace english_cron
