// A recurring job: an English schedule that fires jobs, at most one per nominal time.
#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "jobs/job.h"
#include "jobs/retry.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::jobs {

// What to do about nominal times that passed while nobody was there to fire them.
enum class Missed {
  skip,  // nothing
  once,  // fire the newest one inside the catch-up window
  all,   // fire each one inside the window, the newest kMaxCatchUp of them
};
enum class Overlap { skip, queue_one, allow, cancel_old };

inline constexpr int kMaxCatchUp = 1000;
// A tick fired this late is still on time.
inline constexpr std::chrono::seconds kOnTime{5};

std::string_view to_string(Missed missed);
std::string_view to_string(Overlap overlap);

struct RecurringSpec {
  std::string id;  // stable, never derived from the phrase: "load:Country"
  std::string kind;
  std::string subject;
  std::string name;  // empty = the subject
  std::string args = "{}";
  std::string queue = "default";
  std::string phrase;                              // English or cron; "never" or blank never fires
  std::string zone = "UTC";                        // IANA; a zone named in the phrase wins
  std::optional<std::chrono::sys_seconds> anchor;  // start of true intervals whose phrase names none
  Missed missed = Missed::once;
  std::chrono::milliseconds catch_up_window = std::chrono::hours(24);
  Overlap overlap = Overlap::skip;
  std::chrono::milliseconds jitter{0};  // each run comes up to so much later; a day at most
  RetryPolicy retry = RetryPolicy::none();
  bool enabled = true;  // the definition's own switch; people pause beside it
  // Jobs of one key do not overlap. Empty: see exclusive_key_of().
  std::string exclusive_key;
  std::chrono::milliseconds timeout{0};  // of each attempt of its jobs; 0 = none
  // So many failed runs in a row pause it, with the reason; 0 = never.
  int pause_after_failures = 0;
  friend bool operator==(const RecurringSpec&, const RecurringSpec&) = default;
};

// The spec's own key, its subject, or "recurring:ID".
std::string exclusive_key_of(const RecurringSpec& spec);

struct Recurring {
  RecurringSpec spec;
  std::optional<Timestamp> next_fire_at;  // none: never, disabled, paused, retired or in error
  std::optional<Timestamp> last_fire_at;  // nominal
  JobId last_job;
  std::optional<Timestamp> paused_at;
  std::string paused_by, pause_reason;
  std::optional<Timestamp> retired_at;  // its definition is gone
  std::string retired_reason;
  std::string error;  // the phrase cannot be understood any more
  Timestamp updated_at{};
  int failures = 0;  // of its runs, in a row; a success and resuming it count anew
};

}  // namespace sluice::jobs
