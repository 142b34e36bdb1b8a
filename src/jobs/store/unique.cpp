#include "jobs/store/unique.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

bool lives(const KeyHolder& holder) { return holder.state && !is_at_rest(*holder.state); }

}  // namespace

bool holds(const KeyHolder& holder, Timestamp now) {
  return holder.job && (lives(holder) || holder.until > now);
}

bool has_not_begun(const KeyHolder& holder) {
  return lives(holder) && *holder.state != JobState::processing && holder.attempt == 0;
}

Result<void> may_take_again(JobId id, std::string_view key, const std::optional<KeyHolder>& holder) {
  if (!holder || !lives(*holder) || holder->job == id) return {};
  return fail(ErrorCode::conflict,
              fmt::format("job {} cannot run again now: job {} holds its unique key \"{}\"; wait until that "
                          "one has ended, or cancel it",
                          id.value(), holder->job.value(), key));
}

const std::string& name_of(const NewJob& job) {
  if (!job.name.empty()) return job.name;
  return job.subject.empty() ? job.kind : job.subject;
}

}  // namespace sluice::jobs
