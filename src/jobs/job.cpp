#include "jobs/job.h"

#include "jobs/recurring.h"

#include <array>
#include <string_view>

namespace sluice::jobs {
namespace {

constexpr std::array<std::string_view, 6> kOrigins = {"schedule", "manual", "startup",
                                                      "api",      "cli",    "rescue"};
constexpr std::array<std::string_view, 3> kFollows = {"succeeded", "finished", "notSucceeded"};
constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 3> kMissed = {"skip", "once", "all"};
constexpr std::array<std::string_view, 4> kOverlaps = {"skip", "queueOne", "allow", "cancelOld"};

}  // namespace

std::string_view to_string(Origin origin) { return kOrigins[static_cast<std::size_t>(origin)]; }
std::optional<Origin> parse_origin(std::string_view name) {
  for (std::size_t i = 0; i < kOrigins.size(); ++i) {
    if (kOrigins[i] == name) return static_cast<Origin>(i);
  }
  return {};
}
std::string_view to_string(Follows follows) { return kFollows[static_cast<std::size_t>(follows)]; }
std::optional<Follows> parse_follows(std::string_view name) {
  for (std::size_t i = 0; i < kFollows.size(); ++i) {
    if (kFollows[i] == name) return static_cast<Follows>(i);
  }
  return {};
}
std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }
std::string_view to_string(Missed missed) { return kMissed[static_cast<std::size_t>(missed)]; }
std::string_view to_string(Overlap overlap) { return kOverlaps[static_cast<std::size_t>(overlap)]; }

std::string exclusive_key_of(const RecurringSpec& spec) {
  if (!spec.exclusive_key.empty()) return spec.exclusive_key;
  return spec.subject.empty() ? "recurring:" + spec.id : spec.subject;
}

}  // namespace sluice::jobs
