// English phrase -> schedule. The one entry point is translate(); what it returns is a plain value.
//
// Nothing is half-understood: a word that has no part in the meaning is an error with its place in the
// phrase. Every function here is pure and may be called from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace english_cron {

/// Longer input is refused unread.
inline constexpr std::size_t kMaxPhraseLength = 256;

/// Why a phrase was refused. `offset` and `length` are bytes of the phrase as given (length may be 0 at its
/// end).
struct PhraseError {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string message;
  std::string suggestion;  ///< what to write instead of the marked text, or empty
};

enum class Unit { seconds, minutes, hours, days, weeks, months };

/// "seconds", "minutes", … as used in JSON.
std::string_view to_string(Unit unit);

/// A true interval, a pure function of its anchor; never earlier than the anchor.
/// seconds, minutes, hours count elapsed time; days, weeks and months count calendar days in the zone, at the
/// anchor's local time (a month too short for the anchor's day uses its last day).
struct Interval {
  int n = 1;
  Unit unit = Unit::hours;
  std::chrono::sys_seconds anchor;
};

struct Translation {
  /// 5-field crons, or 6-field ones with seconds first. Their union is meant. Empty without `every`: never.
  /// With `every` (days, weeks or months) they say at which times of the days, weeks or months it picks.
  std::vector<std::string> crons;
  std::optional<Interval> every;
  std::string zone;  ///< IANA name, or "UTC+05:30" for an offset that IANA has no name for
  bool zone_in_phrase = false;
  bool exact = true;  ///< false: the crons are the nearest that cron can say; a warning tells the difference
  /// The meaning read back, at most kMaxPhraseLength bytes; translates to the same schedule. Where words and
  /// crons are both too long, it is the phrase itself.
  std::string english;
  std::vector<std::string> warnings;

  bool never() const { return crons.empty() && !every; }
};

struct TranslateOptions {
  std::string zone = "UTC";  ///< used when the phrase names none
  /// Start of the true intervals ("every 3 days", "every 7 hours") of a phrase that names no start itself.
  std::optional<std::chrono::sys_seconds> anchor;
};

/// Accepts an English phrase, a raw cron expression (5 or 6 fields, `L W # ?`, names) or a macro (`@daily`).
/// Blank and "never" are a schedule that never fires.
std::expected<Translation, PhraseError> translate(std::string_view phrase,
                                                  const TranslateOptions& options = {});

/// An IANA name as the system's zone table has it (any case), or "UTC+hh:mm" / "UTC-hh:mm".
bool is_known_zone(std::string_view zone);

}  // namespace english_cron
