// The rules of keys that only one job holds, without a database.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/job.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::jobs {

// The job that a key was given to last.
struct KeyHolder {
  JobId job;
  Timestamp until{};              // the key is its own until then, even when it has ended
  std::optional<JobState> state;  // none: it was forgotten
  int attempt = 0;
};

inline constexpr std::string_view kReplacedText = "its arguments and times were replaced";

// Whether another job with the key may not be created.
bool holds(const KeyHolder& holder, Timestamp now);
bool has_not_begun(const KeyHolder& holder);
// For job `id`, at rest, that has the key and is to live again: a conflict while another one lives with it.
Result<void> may_take_again(JobId id, std::string_view key, const std::optional<KeyHolder>& holder);

// What people read: its name, or else its subject or kind.
const std::string& name_of(const NewJob& job);

}  // namespace sluice::jobs
